--- SGD and Adam against steps by hand, their state, and what they refuse.

local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim

local CLOSE = { rtol = 1e-14, atol = 1e-15 }

local function parameter(...)
  return wrun.tensor({ ... }, { dtype = "float64", requires_grad = true })
end

-- Gives p the gradients in turn, a step each, and returns its values after every step.
local function path(optimizer, p, gradients)
  local values = {}
  for i, gradient in ipairs(gradients) do
    p.grad = wrun.tensor({ gradient }, { dtype = "float64" })
    optimizer:step()
    values[i] = p:item()
  end
  return values
end

-- The optimisers as the papers write them, one number at a time.
local function sgd(p, gradients, o)
  local b, values = nil, {}
  for i, g in ipairs(gradients) do
    g = (o.maximize and -g or g) + (o.weight_decay or 0) * p
    if o.momentum then
      b = b and o.momentum * b + (1 - (o.dampening or 0)) * g or g
      g = o.nesterov and g + o.momentum * b or b
    end
    p = p - o.lr * g
    values[i] = p
  end
  return values
end

local function adam(p, gradients, o)
  local beta1, beta2 = table.unpack(o.betas or { 0.9, 0.999 })
  local m, v, largest, values = 0, 0, 0, {}
  for t, g in ipairs(gradients) do
    g = (o.maximize and -g or g) + (o.weight_decay or 0) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    largest = math.max(largest, v)
    local spread = math.sqrt((o.amsgrad and largest or v) / (1 - beta2 ^ t))
    p = p - (o.lr or 1e-3) * (m / (1 - beta1 ^ t)) / (spread + (o.eps or 1e-8))
    values[t] = p
  end
  return values
end

local GRADIENTS = { 0.5, -2, 3, 0.25, -0.125, 8, 0 }

describe("optim.SGD", function()
  for title, options in pairs({
    ["without momentum"] = { lr = 0.1 },
    ["with weight decay"] = { lr = 0.1, weight_decay = 0.2 },
    ["with momentum"] = { lr = 0.1, momentum = 0.9 },
    ["with dampening"] = { lr = 0.1, momentum = 0.9, dampening = 0.5, weight_decay = 0.1 },
    ["after Nesterov"] = { lr = 0.1, momentum = 0.9, nesterov = true },
    ["uphill"] = { lr = 0.1, momentum = 0.5, maximize = true },
  }) do
    it("takes the steps of its formula " .. title, function()
      local p = parameter(1.5)
      local want = sgd(1.5, GRADIENTS, options)
      near.lists(want, path(optim.SGD({ p }, options), p, GRADIENTS), CLOSE)
    end)
  end

  it("keeps no state without momentum, and one buffer with it", function()
    local p = parameter(1)
    local plain = optim.SGD({ p }, { lr = 0.1 })
    path(plain, p, { 1 })
    assert.is_nil(plain.state[p])
    local heavy = optim.SGD({ p }, { lr = 0.1, momentum = 0.9 })
    path(heavy, p, { 3 })
    assert.same({ 3.0 }, heavy.state[p].momentum_buffer:tolist())
  end)

  it("has PyTorch's defaults", function()
    assert.same({ lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false,
      maximize = false }, optim.SGD({ parameter(1) }).defaults)
  end)

  it("refuses Nesterov without momentum or with dampening", function()
    assert.equal("SGD: option nesterov: expected momentum above 0 and dampening 0, got 0 and 0",
      refusal(optim.SGD, { parameter(1) }, { nesterov = true }))
    assert.equal("SGD: option nesterov: expected momentum above 0 and dampening 0, got 0.9 and 0.5",
      refusal(optim.SGD, { parameter(1) }, { nesterov = true, momentum = 0.9, dampening = 0.5 }))
  end)
end)

describe("optim.Adam", function()
  for title, options in pairs({
    ["by default"] = {},
    ["with other betas and eps"] = { lr = 0.1, betas = { 0.5, 0.9 }, eps = 0.01 },
    ["without memory"] = { lr = 0.1, betas = { 0, 0 } },
    ["with weight decay"] = { lr = 0.1, weight_decay = 0.2 },
    ["with amsgrad"] = { lr = 0.1, betas = { 0.9, 0.9 }, amsgrad = true },
    ["uphill"] = { lr = 0.1, maximize = true },
  }) do
    it("takes the steps of its formula " .. title, function()
      local p = parameter(1.5)
      local want = adam(1.5, GRADIENTS, options)
      near.lists(want, path(optim.Adam({ p }, options), p, GRADIENTS), CLOSE)
    end)
  end

  it("moves by the learning rate at first, whatever the gradient's size", function()
    for _, gradient in ipairs({ 1e-3, 1, 1e6 }) do
      local p = parameter(0)
      assert.near(-0.1, path(optim.Adam({ p }, { lr = 0.1 }), p, { gradient })[1], 1e-5)
    end
  end)

  it("has PyTorch's defaults", function()
    assert.same({ lr = 1e-3, betas = { 0.9, 0.999 }, eps = 1e-8, weight_decay = 0, amsgrad = false,
      maximize = false }, optim.Adam({ parameter(1) }).defaults)
  end)

  it("refuses betas outside 0 to 1", function()
    for betas, got in pairs({
      [{ 0.9, 1 }] = "{0.9, 1}",
      [{ -0.1, 0.5 }] = "{-0.1, 0.5}",
      [{ 0 / 0, 0.5 }] = "{nan, 0.5}",
      [{ 0.9 }] = "{0.9}",
      [{}] = "a table",
      [0.9] = "0.9",
    }) do
      assert.equal("Adam: option betas: expected two numbers >= 0 and < 1, got " .. got,
        refusal(optim.Adam, { parameter(1) }, { betas = betas }))
    end
  end)

  it("keeps betas of its own, apart from those it was given and from the defaults", function()
    local betas = { 0.5, 0.5 }
    local optimizer = optim.Adam({ parameter(1) }, { betas = betas })
    betas[1] = 7
    assert.equal(0.5, optimizer.param_groups[1].betas[1])
    optimizer.param_groups[1].betas[1] = 8
    assert.equal(0.9, optim.Adam({ parameter(1) }).param_groups[1].betas[1])
  end)
end)

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
      "    eps: 1e-08",
      "    lr: 0.001",
      "    maximize: False",
      "    weight_decay: 0",
      "Parameter Group 2",
      "    amsgrad: False",
      "    betas: (0.9, 0.999)",
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
    function SignSGD:update(group)
      wrun.no_grad(function()
        for _, p in ipairs(group.params) do
          p:sub_(p.grad:sign() * group.lr)
        end
      end)
      self.updates = (self.updates or 0) + 1
    end
    local p = parameter(0)
    local optimizer = SignSGD({ p }, { lr = 0.5 })
    assert.same({ -0.5, 0.0 }, path(optimizer, p, { 7, -9 }))
    assert.equal(2, optimizer.updates)
    assert.equal("SignSGD: option lr: expected a number >= 0, got -1",
      refusal(SignSGD, { p }, { lr = -1 }))
    local Unfinished = optim.Optimizer:extend("Unfinished")
    assert.equal("Unfinished: update: not defined; write function Unfinished:update(group)",
      refusal(Unfinished({ p }).step, Unfinished({ p })))
  end)
end)

describe("an optimiser's state", function()
  local function twin(options, make)
    local p, q = parameter(1, -2), parameter(4)
    return make({ { params = { p } }, { params = { q }, lr = 0.5 } }, options), { p, q }
  end

  local function steps(optimizer, parameters, count)
    local result = {}
    for i = 1, count do
      for _, p in ipairs(parameters) do
        p.grad = p:detach() * i + 1
      end
      optimizer:step()
    end
    for i, p in ipairs(parameters) do
      result[i] = p:tolist()
    end
    return result
  end

  for title, case in pairs({
    ["SGD"] = { optim.SGD, { lr = 0.1, momentum = 0.9, weight_decay = 0.1 } },
    ["Adam"] = { optim.Adam, { lr = 0.1, amsgrad = true } },
  }) do
    it("of " .. title .. " resumes to the bit", function()
      local make, options = table.unpack(case)
      local one, one_parameters = twin(options, make)
      steps(one, one_parameters, 3)
      local two, two_parameters = twin({}, make)
      wrun.no_grad(function()
        for i, p in ipairs(two_parameters) do
          p:copy_(one_parameters[i])
        end
      end)
      two:load_state_dict(one:state_dict())
      assert.same(steps(one, one_parameters, 3), steps(two, two_parameters, 3))
    end)
  end

  it("numbers parameters through the groups", function()
    local optimizer, parameters = twin({}, optim.Adam)
    steps(optimizer, parameters, 2)
    local saved = optimizer:state_dict()
    assert.same({ 1 }, saved.param_groups[1].params)
    assert.same({ 2 }, saved.param_groups[2].params)
    assert.equal(0.5, saved.param_groups[2].lr)
    assert.equal(2, saved.state[2].step)
    assert.same({ 2 }, saved.state[1].exp_avg.shape)
    steps(optimizer, parameters, 1)
    assert.equal(2, saved.state[2].step)
  end)

  it("is copied when it is loaded", function()
    local one, one_parameters = twin({}, optim.Adam)
    steps(one, one_parameters, 1)
    local two, two_parameters = twin({}, optim.Adam)
    two:load_state_dict(one:state_dict())
    local before = two.state[two_parameters[1]].exp_avg:tolist()
    steps(one, one_parameters, 1)
    assert.same(before, two.state[two_parameters[1]].exp_avg:tolist())
  end)

  it("is refused when it does not fit, and nothing changes", function()
    local optimizer, parameters = twin({}, optim.Adam)
    steps(optimizer, parameters, 1)
    local function text(saved)
      return refusal(optimizer.load_state_dict, optimizer, saved)
    end
    assert.equal("Adam: load_state_dict: expected 2 groups, got 1",
      text(optim.Adam({ parameter(1) }):state_dict()))
    local saved = optimizer:state_dict()
    saved.param_groups[2].params = { 2, 3 }
    assert.equal("Adam: load_state_dict: group 2: expected 1 parameters, got 2", text(saved))
    saved.param_groups[2].params = nil
    assert.equal("Adam: load_state_dict: group 2: expected 1 parameters, got none", text(saved))
    saved = optimizer:state_dict()
    saved.state[1].exp_avg = wrun.zeros(3)
    assert.equal("Adam: load_state_dict: parameter 1: exp_avg: expected [2], got [3]", text(saved))
    saved.state[1] = 5
    assert.equal("Adam: load_state_dict: parameter 1: expected a table, got 5", text(saved))
    saved = optimizer:state_dict()
    saved.param_groups[1].lr = -1
    assert.equal("Adam: load_state_dict: option lr: expected a number >= 0, got -1", text(saved))
    assert.equal("Adam: load_state_dict: option dampening: unknown; the options are amsgrad, "
      .. "betas, eps, lr, maximize, weight_decay", text((twin({}, optim.SGD)):state_dict()))
    assert.equal("Adam: load_state_dict: option state: expected a table, got nil",
      text({ param_groups = {} }))
    assert.equal("Adam: load_state_dict: expected a table of options, got 3", text(3))
    assert.equal(0.001, optimizer.param_groups[1].lr)
    assert.equal(1, optimizer.state[parameters[1]].step)
  end)
end)

describe("the parameters of an optimiser", function()
  it("must be there", function()
    local expected = "SGD: argument 1: expected parameters, a list of tensors or of groups, got "
    assert.equal(expected .. "an empty list", refusal(optim.SGD, {}))
    assert.equal(expected .. "nil", refusal(optim.SGD))
    assert.equal(expected .. "a float64 tensor [1]", refusal(optim.SGD, parameter(1)))
    assert.equal("SGD: option params: expected a tensor or a list of tensors, got a table",
      refusal(optim.SGD, { { params = {} } }))
    assert.equal("SGD: option params: expected a tensor or a list of tensors, got nil",
      refusal(optim.SGD, { { lr = 1 } }))
    assert.equal("SGD: argument 1: expected a table, got a float64 tensor [1]",
      refusal(optim.SGD, { { params = parameter(1) }, parameter(1) }))
  end)

  it("must be contiguous float leaves", function()
    local p = parameter(1)
    assert.equal("SGD: parameter 2: expected a tensor, got the string 'w'",
      refusal(optim.SGD, { p, "w" }))
    assert.equal("SGD: parameter 1: expected a leaf tensor, got a computed one; "
      .. "detach() makes it a leaf",
      refusal(optim.SGD, { p * 2 }))
    assert.equal("SGD: parameter 1: expected a float32 or float64 tensor, got an int64 tensor [1]",
      refusal(optim.SGD, { wrun.tensor({ 1 }) }))
    assert.equal("SGD: parameter 1: expected a contiguous tensor, got a view across memory; "
      .. "contiguous() copies it", refusal(optim.SGD, { wrun.zeros(2, 3):t() }))
  end)

  it("must come once", function()
    local p, q = parameter(1), parameter(2)
    assert.equal("SGD: parameter 3: expected each parameter once, got number 1 again",
      refusal(optim.SGD, { p, q, p }))
    assert.equal("SGD: parameter 2: expected each parameter once, got number 1 again",
      refusal(optim.SGD, { { params = p }, { params = p } }))
    local optimizer = optim.SGD({ p })
    assert.equal("SGD: parameter 3: expected each parameter once, got number 1 again",
      refusal(optimizer.add_param_group, optimizer, { params = { q, p } }))
    assert.equal(1, #optimizer.param_groups)
  end)

  it("come with options in range", function()
    local p = parameter(1)
    assert.equal("SGD: option lr: expected a number >= 0, got nan",
      refusal(optim.SGD, { p }, { lr = 0 / 0 }))
    assert.equal("SGD: option lr: expected a number >= 0, got -0.1",
      refusal(optim.SGD, { p }, { lr = -0.1 }))
    assert.equal("SGD: option momentun: unknown; the options are dampening, lr, maximize, "
      .. "momentum, nesterov, weight_decay", refusal(optim.SGD, { p }, { momentun = 0.9 }))
    assert.equal("Adam: option eps: expected a number >= 0, got the string 'small'",
      refusal(optim.Adam, { p }, { eps = "small" }))
    assert.equal("Adam: option lr: expected a number >= 0, got -1",
      refusal(optim.Adam, { { params = p, lr = -1 } }))
    assert.equal("Adam: expected a table of options, got 0.1", refusal(optim.Adam, { p }, 0.1))
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
