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

  for class, make in pairs(optim) do
    if make ~= optim.Optimizer and optim.Optimizer:is_class(make) and class ~= "LBFGS" then
      it("takes gradients as they lie, and leaves them so: " .. class, function()
        local p = wrun.ones(2, 3, { requires_grad = true })
        local q = wrun.ones(2, 3, { requires_grad = true })
        local lying = wrun.tensor({ { 1.0, -2 }, { 3, 0.5 }, { -1, 0 } }):t()
        for _ = 1, 3 do
          p.grad, q.grad = lying, lying:contiguous()
          make({ p }, { lr = 0.1, maximize = true }):step()
          make({ q }, { lr = 0.1, maximize = true }):step()
        end
        assert.is_true(p:equal(q))
        assert.same({ { 1.0, 3.0, -1.0 }, { -2.0, 0.5, 0.0 } }, lying:tolist())
        assert.is_false(p:equal(wrun.ones(2, 3)))
      end)
    end
  end

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
    local Unfinished = optim.Optimizer:extend("Unfinished")
    assert.equal("Unfinished: change: not defined; write function "
      .. "Unfinished:change(parameter, grad, state, group)",
      refusal(Unfinished({ p }).step, Unfinished({ p })))
  end)
end)

describe("the layers", function()
  local function modules_after(name)
    local saved = {}
    for module, value in pairs(package.loaded) do
      if module:match("^wrun%.nn") or module:match("^wrun%.optim") then
        saved[module] = value
        package.loaded[module] = nil
      end
    end
    require(name)
    local loaded = {}
    for module in pairs(package.loaded) do
      loaded[#loaded + 1] = module:match("^wrun%.%l+") or nil
    end
    for module, value in pairs(saved) do
      package.loaded[module] = value
    end
    return table.concat(loaded, " ")
  end

  it("nn and optim do not know each other", function()
    assert.is_nil(modules_after("wrun.optim"):find("wrun.nn", 1, true))
    assert.is_nil(modules_after("wrun.nn"):find("wrun.optim", 1, true))
    assert.is_truthy(modules_after("wrun.nn"):find("wrun.nn", 1, true))
  end)
end)
