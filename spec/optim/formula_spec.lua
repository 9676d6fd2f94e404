--- SGD and Adam against steps by hand, and the options that optimisers refuse.

local near = require "spec.support.near"
local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local optim = wrun.optim
local parameter, path = optimising.parameter, optimising.path

local CLOSE = { rtol = 1e-14, atol = 1e-15 }

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

describe("an optimiser of its own options", function()
  for text, case in pairs({
    ["AdamW: option decoupled_weight_decay: expected true (Adam can do without), got false"] =
      { optim.AdamW, { decoupled_weight_decay = false } },
    ["AdamW: option weight_decay: expected a number >= 0, got -1"] =
      { optim.AdamW, { weight_decay = -1 } },
    ["RMSprop: option alpha: expected a number >= 0, got -0.5"] =
      { optim.RMSprop, { alpha = -0.5 } },
    ["RMSprop: option momentum: expected a number >= 0, got -1"] =
      { optim.RMSprop, { momentum = -1 } },
    ["Adagrad: option lr_decay: expected a number >= 0, got -1"] =
      { optim.Adagrad, { lr_decay = -1 } },
    ["Adagrad: option initial_accumulator_value: expected a number >= 0, got -1"] =
      { optim.Adagrad, { initial_accumulator_value = -1 } },
    ["Adadelta: option rho: expected a number from 0 to 1, got 1.5"] =
      { optim.Adadelta, { rho = 1.5 } },
    ["Adamax: option betas: expected two numbers >= 0 and < 1, got {1, 0.5}"] =
      { optim.Adamax, { betas = { 1, 0.5 } } },
    ["NAdam: option momentum_decay: expected a number >= 0, got -1"] =
      { optim.NAdam, { momentum_decay = -1 } },
    ["RAdam: option betas: expected two numbers >= 0 and < 1, got {0.5, -1}"] =
      { optim.RAdam, { betas = { 0.5, -1 } } },
    ["Rprop: option etas: expected two numbers with 0 < a < 1 < b, got {1.5, 1.2}"] =
      { optim.Rprop, { etas = { 1.5, 1.2 } } },
    ["Rprop: option step_sizes: expected two numbers with 0 <= a <= b, got {2, 1}"] =
      { optim.Rprop, { step_sizes = { 2, 1 } } },
    ["ASGD: option lr: expected a number >= 0, got -1"] = { optim.ASGD, { lr = -1 } },
    ["ASGD: option t0: expected a number, got nan"] = { optim.ASGD, { t0 = 0 / 0 } },
  }) do
    it("refuses others: " .. text:match("^[^,]*"), function()
      assert.equal(text, refusal(case[1], { parameter(1) }, case[2]))
    end)
  end

  it("RMSprop counts a variance that rounds to less than 0 as 0", function()
    local p = wrun.tensor({ 1.0 }, { requires_grad = true })
    local optimizer = optim.RMSprop({ p }, { centered = true, alpha = 0.3, eps = 1 })
    for _ = 1, 200 do
      p.grad = wrun.tensor({ 0.1 })
      optimizer:step()
      assert.is_true(p:isfinite():item())
    end
  end)
end)
