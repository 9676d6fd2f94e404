--- Module: calling, printing, finding by path, modes, and gradients of all at once.

local modules = require "spec.support.modules"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local Net = modules.Net

describe("nn.Module", function()
  it("runs forward when called", function()
    local net = Net()
    assert.same({ 5, 2 }, net(wrun.ones(5, 4)).shape)
    assert.same(net:forward(wrun.ones(1, 4)):tolist(), net(wrun.ones(1, 4)):tolist())
  end)

  it("refuses to run without a forward", function()
    local Empty = nn.Module:extend("Empty")
    assert.equal("Empty: forward: not defined; write function Empty:forward(x)", refusal(Empty()))
  end)

  it("keeps buffers as fields", function()
    local net = Net()
    assert.same({ 5 }, net.count:tolist())
    assert.equal(net.count, net:buffers()[1])
    local expected = "register_buffer: argument 1: expected a new field name without a dot, got "
    assert.equal(expected .. "the string 'a.b'",
      refusal(net.register_buffer, net, "a.b", wrun.zeros(1)))
    assert.equal(expected .. "the string 'count'",
      refusal(net.register_buffer, net, "count", wrun.zeros(1)))
    assert.equal(expected .. "3", refusal(net.register_buffer, net, 3, wrun.zeros(1)))
    assert.equal("register_buffer: argument 2: expected a tensor, got 1",
      refusal(net.register_buffer, net, "b", 1))
    assert.equal("register_buffer: option persist: unknown; the options are persistent",
      refusal(net.register_buffer, net, "b", wrun.zeros(1), { persist = true }))
    assert.is_nil(Net.count)
    assert.same({}, nn.Identity():buffers())
  end)

  it("prints as PyTorch's does, counting from 1", function()
    assert.equal("Net(\n  (second): Linear(in_features=3, out_features=2, bias=True)\n"
      .. "  (first): Linear(in_features=4, out_features=3, bias=False)\n)", tostring(Net()))
    assert.equal("Sequential(\n  (1): Flatten(start_dim=2, end_dim=-1)\n  (2): Sequential(\n"
      .. "    (1): ReLU()\n    (2): Sequential()\n  )\n)",
      tostring(nn.Sequential(nn.Flatten(), nn.Sequential(nn.ReLU(), nn.Sequential()))))
  end)

  it("prints its own settings above its children", function()
    local Scaled = nn.Module:extend("Scaled")
    function Scaled:init()
      self.inner = nn.Tanh()
    end
    Scaled.extra_repr = function()
      return "factor=2"
    end
    assert.equal("Scaled(\n  factor=2\n  (inner): Tanh()\n)", tostring(Scaled()))
  end)

  it("applies a function to children before parents", function()
    local seen = {}
    local net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    local returned = net:apply(function(module)
      seen[#seen + 1] = module.__name
    end)
    assert.same({ "ReLU", "Tanh", "Sequential", "Sequential" }, seen)
    assert.equal(net, returned)
    assert.equal("apply: argument 1: expected a function, got nil", refusal(net.apply, net))
  end)

  it("switches between training and evaluation, here and below", function()
    local net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    assert.is_true(net[2][1].training)
    assert.equal(net, net:eval())
    assert.is_false(net.training)
    assert.is_false(net[2][1].training)
    assert.is_true(net:train()[2].training)
    assert.is_false(net:train(false)[2].training)
    assert.is_true(nn.ReLU().training)
    assert.equal("train: argument 1: expected true or false, got 0", refusal(net.train, net, 0))
  end)

  it("freezes and thaws its parameters", function()
    local net = Net()
    assert.equal(net, net:requires_grad_(false))
    for _, parameter in ipairs(net:parameters()) do
      assert.is_false(parameter.requires_grad)
    end
    assert.is_true(net:requires_grad_().scale.requires_grad)
  end)

  it("drops gradients, or fills them with zeros", function()
    local net = nn.Linear(2, 1)
    net(wrun.ones(3, 2)):sum():backward()
    assert.same({ { 3.0, 3.0 } }, net.weight.grad:tolist())
    net:zero_grad({ set_to_none = false })
    assert.same({ { 0.0, 0.0 } }, net.weight.grad:tolist())
    net:zero_grad()
    assert.is_nil(net.weight.grad)
    net:zero_grad({ set_to_none = false })
    assert.is_nil(net.weight.grad)
    assert.equal("zero_grad: option none: unknown; the options are set_to_none",
      refusal(net.zero_grad, net, { none = true }))
  end)

  it("finds modules, parameters and buffers by their paths", function()
    local net = nn.Sequential(Net(), { "norm", nn.BatchNorm1d(2) })
    assert.equal(net, net:get_submodule(""))
    assert.equal(net[1].first, net:get_submodule("1.first"))
    assert.equal(net[1].first.weight, net:get_parameter("1.first.weight"))
    assert.equal(net.norm.running_mean, net:get_buffer("norm.running_mean"))
    assert.equal("get_submodule: argument 1: expected the path of a module, got '1.third'; "
      .. "Net has no 'third'", refusal(net.get_submodule, net, "1.third"))
    assert.equal("get_submodule: argument 1: expected the path of a module, got '1.scale'; "
      .. "Net has no 'scale'", refusal(net.get_submodule, net, "1.scale"))
    assert.equal("get_parameter: argument 1: expected the path of a parameter, got 'x.weight'; "
      .. "Sequential has no 'x'", refusal(net.get_parameter, net, "x.weight"))
    assert.equal("get_buffer: argument 1: expected the path of a buffer, got 'norm.weight'; "
      .. "BatchNorm1d has no 'weight'", refusal(net.get_buffer, net, "norm.weight"))
    assert.equal("get_buffer: argument 1: expected a string, got 1",
      refusal(net.get_buffer, net, 1))
  end)

  it("registers parameters and modules by name", function()
    local net = Net()
    local parameter = nn.Parameter(wrun.ones(2))
    net:register_parameter("extra", parameter)
    net:add_module("act", nn.ReLU())
    assert.equal(parameter, net:parameters()[2])
    assert.equal("ReLU", net.act.__name)
    local expected = "expected a new field name without a dot, got the string 'act'"
    assert.equal("register_parameter: argument 1: " .. expected,
      refusal(net.register_parameter, net, "act", parameter))
    assert.equal("add_module: argument 1: " .. expected,
      refusal(net.add_module, net, "act", nn.ReLU()))
    assert.equal("register_parameter: argument 2: expected a parameter, got a float32 tensor [1]; "
      .. "nn.Parameter makes one", refusal(net.register_parameter, net, "p", wrun.ones(1)))
    assert.equal("add_module: argument 2: expected a module, got nil",
      refusal(net.add_module, net, "p"))
  end)
end)
