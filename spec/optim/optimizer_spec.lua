--- What every optimiser does: steps, groups, closures, gradients dropped; and what users write.

local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim
local parameter, path = optimising.parameter, optimising.path

describe("every optimiser", function()
  it("passes over parameters without a gradient", function()
    local used, idle = parameter(1), parameter(1)
    local optimizer = optim.Adam({ used, idle })
    path(optimizer, used, { 1 })
    assert.equal(1, idle:item())
    assert.is_nil(optimizer.state[idle])
  end)

  it("changes parameters in place, without a trace in the graph", function()
    local p = parameter(1)
    local before = p.version
    path(optim.SGD({ p }, { lr = 0.5 }), p, { 1 })
    assert.is_true(p.version > before)
    assert.is_true(p.is_leaf)
    assert.is_true(p.requires_grad)
  end)

  it("spoils a graph that still needs the old value", function()
    local p = parameter(2)
    local y = p * p
    path(optim.SGD({ p }, { lr = 0.5 }), p, { 1 })
    assert.is_false((pcall(y.backward, y)))
  end)

  it("reads its options anew at every step", function()
    local p = parameter(0)
    local optimizer = optim.SGD({ p }, { lr = 1 })
    path(optimizer, p, { 1 })
    optimizer.param_groups[1].lr = 0.25
    assert.same({ -1.25 }, path(optimizer, p, { 1 }))
  end)

  it("takes groups with options of their own", function()
    local a, b, c = parameter(0), parameter(0), parameter(0)
    local optimizer = optim.SGD({ { params = { a }, lr = 1 }, { params = b } }, { lr = 0.1 })
    optimizer:add_param_group({ params = { c }, lr = 10 })
    for _, p in ipairs({ a, b, c }) do
      p.grad = wrun.tensor({ 1 }, { dtype = "float64" })
    end
    optimizer:step()
    assert.same({ { -1.0 }, { -0.1 }, { -10.0 } }, { a:tolist(), b:tolist(), c:tolist() })
    assert.equal(3, #optimizer.param_groups)
  end)

  it("is not changed by what happens to the list it was given", function()
    local list = { parameter(1) }
    local optimizer = optim.SGD(list)
    list[1] = parameter(2)
    assert.equal(1, optimizer.param_groups[1].params[1]:item())
  end)

  it("drops gradients, or fills them with zeros where they are", function()
    local p, idle = parameter(1), parameter(1)
    local optimizer = optim.SGD({ p, idle })
    p.grad = wrun.ones(1, { dtype = "float64" })
    local gradient = p.grad
    optimizer:zero_grad({ set_to_none = false })
    assert.same({ 0.0 }, gradient:tolist())
    assert.is_nil(idle.grad)
    optimizer:zero_grad()
    assert.is_nil(p.grad)
    assert.equal("zero_grad: option to_none: unknown; the options are set_to_none",
      refusal(optimizer.zero_grad, optimizer, { to_none = true }))
  end)

  it("runs a closure with gradients on and returns its loss", function()
    local p = parameter(3)
    local optimizer = optim.SGD({ p }, { lr = 0.5 })
    local loss = wrun.no_grad(function()
      return optimizer:step(function()
        local value = (p * p):sum()
        value:backward()
        return value
      end)
    end)
    assert.equal(9, loss:item())
    assert.equal(0, p:item())
    assert.is_nil(optimizer:step())
  end)

  it("refuses a closure that is no function", function()
    local optimizer = optim.SGD({ parameter(1) })
    assert.equal("SGD: step: argument 1: expected a function, got 3",
      refusal(optimizer.step, optimizer, 3))
  end)

  it("takes options that are switched on between steps", function()
    for class, options in pairs({
      SGD = { momentum = 0.5 },
      Adam = { amsgrad = true },
      RMSprop = { centered = true, momentum = 0.5 },
    }) do
      local p = parameter(1)
      local optimizer = optim[class]({ p }, { lr = 0.1 })
      path(optimizer, p, { 1, 2 })
      for name, value in pairs(options) do
        optimizer.param_groups[1][name] = value
      end
      local values = path(optimizer, p, { 1, 0.5 })
      assert.is_true(values[2] < values[1] and values[1] < 1)
    end
  end)

  it("trains: a line is fitted to points on it", function()
    wrun.manual_seed(1)
    local x = wrun.randn(50, 1)
    local y = x * 3 - 2
    for _, make in ipairs({
      function(parameters)
        return optim.SGD(parameters, { lr = 0.1, momentum = 0.5 })
      end,
      function(parameters)
        return optim.Adam(parameters, { lr = 0.1 })
      end,
    }) do
      local layer = nn.Linear(1, 1)
      local optimizer = make(layer:parameters())
      for _ = 1, 300 do
        optimizer:zero_grad()
        local errors = layer(x) - y
        local loss = (errors * errors):mean()
        loss:backward()
        optimizer:step()
      end
      assert.near(3, layer.weight:item(), 1e-3)
      assert.near(-2, layer.bias:item(), 1e-3)
    end
  end)

  it("prints as PyTorch's does, counting groups from 1", function()
    local optimizer = optim.Adam({ { params = parameter(1) }, { params = parameter(1), lr = 1 } })
    assert.equal(table.concat({
      "Adam (",
      "Parameter Group 1",
      "    amsgrad: False",
      "    betas: (0.9, 0.999)",
      "    decoupled_weight_decay: False",
      "    eps: 1e-08",
      "    lr: 0.001",
      "    maximize: False",
      "    weight_decay: 0",
      "Parameter Group 2",
      "    amsgrad: False",
      "    betas: (0.9, 0.999)",
      "    decoupled_weight_decay: False",
      "    eps: 1e-08",
      "    lr: 1",
      "    maximize: False",
      "    weight_decay: 0",
      ")",
    }, "\n"), tostring(optimizer))
  end)

  it("can be written by a user, with checked options", function()
    local SignSGD = optim.Optimizer:extend("SignSGD")
    SignSGD.rules = { lr = require("wrun.check").number(1, 0) }
    function SignSGD:change(p, grad, state, group)
      state.last = grad:sign()
      p:sub_(state.last * group.lr)
      self.changes = (self.changes or 0) + 1
    end
    local p = parameter(0)
    local optimizer = SignSGD({ p }, { lr = 0.5 })
    assert.same({ -0.5, 0.0 }, path(optimizer, p, { 7, -9 }))
    assert.equal(2, optimizer.changes)
    assert.same({ -1.0 }, optimizer.state[p].last:tolist())
    assert.equal("SignSGD: option lr: expected a number >= 0, got -1",
      refusal(SignSGD, { p }, { lr = -1 }))
  end)

  it("can be written by a user for a whole group at once", function()
    local Doubling = optim.Optimizer:extend("Doubling")
    local seen
    function Doubling.update(_, parameters, gradients, states, group)
      seen = { parameters, gradients, group }
      for _, p in ipairs(parameters) do
        states[p] = { count = (states[p] or { count = 0 }).count + 1 }
        p:mul_(2)
      end
    end
    local p, idle, q = parameter(1), parameter(5), wrun.ones(2, 3, { requires_grad = true })
    local optimizer = Doubling({ p, idle, q })
    q.grad = wrun.ones(3, 2):t()
    path(optimizer, p, { 7, 9 })
    assert.same({ 4.0, 5.0, 4.0 }, { p:item(), idle:item(), q[1][1]:item() })
    assert.same({ { count = 2 }, nil, { count = 2 } },
      { optimizer.state[p], optimizer.state[idle], optimizer.state[q] })
    assert.is_true(rawequal(seen[1][2], q) and rawequal(seen[2][1], p.grad))
    assert.is_true(seen[2][2]:is_contiguous() and seen[2][2]:equal(q.grad))
    assert.equal(optimizer.param_groups[1], seen[3])
  end)

  it("refuses groups that hold something else by now", function()
    local optimizer = optim.SGD({ parameter(1) })
    optimizer.param_groups[1].params[2] = 5
    assert.equal("gradients: parameter 2: expected a tensor, got 5",
      refusal(optimizer.step, optimizer))
    optimizer.param_groups[1].params = 3
    assert.equal("gradients: argument 1: expected a list of tensors, got 3",
      refusal(optimizer.step, optimizer))
  end)

  it("must be given its change", function()
    local p = parameter(0)
    p.grad = wrun.ones(1, { dtype = "float64" })
    local Unfinished = optim.Optimizer:extend("Unfinished")
    assert.equal("Unfinished: change: not defined; write function "
      .. "Unfinished:change(parameter, grad, state, group)",
      refusal(Unfinished({ p }).step, Unfinished({ p })))
  end)
end)
