--- Module: registration, walks, modes, and printing.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

local Net = nn.Module:extend("Net")

function Net:init()
  self.second = nn.Linear(3, 2)
  self.scale = nn.Parameter(wrun.ones(1))
  self.first = nn.Linear(4, 3, { bias = false })
  self.width = 3
  self:register_buffer("count", wrun.tensor({ 5 }))
  self:register_buffer("scratch", wrun.zeros(2), { persistent = false })
end

function Net:forward(x)
  return self.second(self.first(x)) * self.scale
end

local function names_of(iterator)
  local names = {}
  for name in iterator do
    names[#names + 1] = name
  end
  return names
end

local function keys_of(t)
  return names_of(coroutine.wrap(function()
    for key in pairs(t) do
      coroutine.yield(key)
    end
  end))
end

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

  it("registers by assignment, own parameters first, then children in order", function()
    local net = Net()
    assert.same({ "scale", "second.weight", "second.bias", "first.weight" },
      names_of(net:named_parameters()))
    assert.equal(4, #net:parameters())
    assert.equal(net.scale, net:parameters()[1])
    assert.equal(net.first.weight, net:parameters()[4])
  end)

  it("can leave out what is below, and put a prefix before the names", function()
    local net = Net()
    assert.same({ "scale" }, names_of(net:named_parameters({ recurse = false })))
    assert.equal(1, #net:parameters({ recurse = false }))
    assert.same({ "net.count", "net.scratch" },
      names_of(net:named_buffers({ prefix = "net", recurse = false })))
    assert.equal("net.second.weight", names_of(net:named_parameters({ prefix = "net" }))[2])
    assert.equal(2, #net:buffers({ recurse = true }))
    assert.equal(0, #nn.Sequential(net):buffers({ recurse = false }))
    for _, name in ipairs { "parameters", "named_parameters", "buffers", "named_buffers" } do
      assert.equal(name .. ": option deep: unknown; the options are prefix, recurse",
        refusal(net[name], net, { deep = true }))
    end
  end)

  it("leaves plain tensors and values alone", function()
    local net = Net()
    net.cache = wrun.zeros(3)
    assert.equal(4, #net:parameters())
    assert.same({ "count", "scratch" }, names_of(net:named_buffers()))
  end)

  it("follows reassignment and removal", function()
    local net = Net()
    local new = nn.Linear(3, 9)
    net.second = new
    assert.equal(new.weight, net:parameters()[2])
    net.second = nil
    assert.same({ "scale", "first.weight" }, names_of(net:named_parameters()))
    net.second = new
    assert.equal("second.weight", names_of(net:named_parameters())[2])
  end)

  it("counts a shared parameter once, and writes it under every name", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[1].weight
    assert.equal(3, #net:parameters())
    assert.same({ "1.weight", "1.bias", "2.weight", "2.bias" }, keys_of(net:state_dict()))
    local twice = nn.Sequential(net[1], net[1])
    assert.equal(2, #twice:parameters())
    assert.equal(2, #twice:modules())
  end)

  it("names children and modules", function()
    local net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert.same({ 1, 2 }, names_of(net:named_children()))
    assert.same({ "", "1", "2", "2.1" }, names_of(net:named_modules()))
    assert.equal(net[2], net:children()[2])
    assert.equal(net, net:modules()[1])
    assert.equal(4, #net:modules())
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

  it("is cast with its buffers and gradients, integers aside", function()
    local net = Net()
    net:register_buffer("mean", wrun.zeros(2))
    net(wrun.ones(1, 4)):sum():backward()
    assert.equal(net, net:double())
    assert.equal("float64", net.second.weight.dtype)
    assert.equal("float64", net.second.weight.grad.dtype)
    assert.equal("float64", net.mean.dtype)
    assert.equal("int64", net.count.dtype)
    assert.is_true(net.second.weight.requires_grad)
    assert.equal("float64", net(wrun.ones(1, 4, { dtype = "float64" })).dtype)
    assert.same({ "scale", "second.weight", "second.bias", "first.weight" },
      names_of(net:named_parameters()))
    assert.equal("float32", net:float().scale.dtype)
    assert.equal("to: argument 1: expected float32 or float64, got the string 'int64'",
      refusal(net.to, net, "int64"))
  end)

  it("shares after a cast what was shared before", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[1].weight
    net:requires_grad_(false):to("float64")
    assert.equal(net[1].weight, net[2].weight)
    assert.is_false(net[1].weight.requires_grad)
    local weight = net[1].weight
    net:to("float64")
    assert.equal(weight, net[1].weight)
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

  it("says where the module that failed stands", function()
    local net = Net()
    assert.equal("Net.first Linear(4 -> 3): linear: argument 1: expected [..., 4], got [1, 9]",
      refusal(net.first, wrun.zeros(1, 9)))
    assert.equal("linear: argument 1: expected [..., 4], got [1, 9]",
      refusal(net.first.forward, net.first, wrun.zeros(1, 9)))
    local moved = nn.Sequential(net.first)
    net.first = nil
    assert.equal("Sequential[1] Linear(4 -> 3): linear: argument 1: expected [..., 4], got [1, 9]",
      refusal(moved[1], wrun.zeros(1, 9)))
  end)

  it("keeps nothing alive by knowing where it stands", function()
    local layer = nn.Linear(2, 2)
    local holders = setmetatable({ nn.Sequential(layer) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_nil(holders[1])
    assert.equal("Linear(2 -> 2): linear: argument 1: expected [..., 2], got [3]",
      refusal(layer, wrun.zeros(3)))
  end)

  it("is cloned with everything it holds, and what was shared is shared again", function()
    local net = nn.Sequential(Net(), nn.Dropout(0.5))
    net[1].second.weight = net[1].first.weight
    net[1].first.weight.grad = wrun.ones(3, 4)
    net[1].settings = { sizes = { 1, 2 }, generator = net[2].generator }
    net[1].cache = net[1].scale * 2
    net[1].first.weight:requires_grad_(false)
    local calls = 0
    net[2]:register_forward_hook(function() calls = calls + 1 end)
    local copy = net:clone():eval()
    assert.same(keys_of(net:state_dict()), keys_of(copy:state_dict()))
    for name, tensor in pairs(net:state_dict()) do
      assert.is_true(copy:state_dict()[name]:equal(tensor))
    end
    assert.equal(copy[1].second.weight, copy[1].first.weight)
    assert.is_false(copy[1].first.weight.requires_grad)
    assert.same(net[1].first.weight.grad:tolist(), copy[1].first.weight.grad:tolist())
    copy[1].first.weight.grad:fill_(5)
    copy[1].first.weight:fill_(5)
    copy[1].count:fill_(7)
    copy[1].settings.sizes[1] = 9
    assert.equal(1.0, net[1].first.weight.grad[1][1]:item())
    assert.is_false(net[1].first.weight:equal(copy[1].first.weight))
    assert.same({ 5 }, net[1].count:tolist())
    assert.same({ 1, 2 }, net[1].settings.sizes)
    assert.is_false(copy[1].cache.requires_grad)
    assert.is_true(net.training)
    assert.equal(Net, getmetatable(copy[1]))
    copy[2](wrun.ones(1))
    assert.equal(1, calls)
  end)
end)
