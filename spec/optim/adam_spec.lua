--- optim.Adam beside PyTorch's and its formula, its betas, and what the step of a group refuses.

local core = require "wrun.core"
local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local stepping = require "spec.support.stepping"
local wrun = require "wrun"

local optim = wrun.optim
local parameter, path = optimising.parameter, optimising.path

optimising.follows_pytorch("Adam", { lr = 0.1, amsgrad = true })

-- As the paper writes it, one number at a time.
local function formula(p, gradients, o)
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

optimising.follows_formula("Adam", formula, {
  ["by default"] = {},
  ["with other betas and eps"] = { lr = 0.1, betas = { 0.5, 0.9 }, eps = 0.01 },
  ["without memory"] = { lr = 0.1, betas = { 0, 0 } },
  ["with weight decay"] = { lr = 0.1, weight_decay = 0.2 },
  ["with amsgrad"] = { lr = 0.1, betas = { 0.9, 0.9 }, amsgrad = true },
  ["uphill"] = { lr = 0.1, maximize = true },
})

describe("Adam", function()
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

local OPTIONS = { lr = 0.1, eps = 1e-8, weight_decay = 0, betas = { 0.9, 0.999 } }

stepping.changes_a_group("adam_step", {
  options = OPTIONS,
  booleans = { "amsgrad", "maximize", "decoupled_weight_decay" },
  blocks = { "exp_avg", "exp_avg_sq" },
})

describe("adam_step", function()
  it("refuses betas and steps that are no numbers", function()
    local p = wrun.ones(2)
    local function text(betas, states)
      return refusal(core.adam_step, { p }, { p }, states or {},
        stepping.changed(OPTIONS, { betas = betas }))
    end
    assert.equal("adam_step: option betas: expected two numbers, got 0.9", text(0.9))
    assert.equal("adam_step: option betas: expected two numbers, got a table", text({ 0.9 }))
    assert.equal("adam_step: option betas: expected two numbers, got a table", text({ "x", 0.9 }))
    assert.equal("adam_step: state step of parameter 1: expected a number, got the string 'x'",
      text(nil, { [p] = { step = "x" } }))
    assert.same({ 1, 1 }, p:tolist())
  end)

  it("wants the largest means only for amsgrad", function()
    local p = wrun.ones(2)
    local states = { [p] = { max_exp_avg_sq = 5 } }
    local options = stepping.changed(OPTIONS, { amsgrad = true })
    core.adam_step({ p }, { p:clone() }, states, OPTIONS)
    assert.equal(1, states[p].step)
    assert.equal("adam_step: state max_exp_avg_sq of parameter 1: expected a contiguous tensor "
      .. "like the parameter, a float32 tensor [2], got 5",
      refusal(core.adam_step, { p }, { p }, states, options))
    assert.equal(1, states[p].step)
    states[p].max_exp_avg_sq = nil
    core.adam_step({ p }, { p:clone() }, states, options)
    assert.same({ 2 }, states[p].max_exp_avg_sq.shape)
  end)

  it("counts in integers, from a float too", function()
    local p = wrun.ones(1)
    for _, case in ipairs({ { 7, 8 }, { 3.0, 4 }, { 2.5, 3.5 } }) do
      local states = { [p] = { step = case[1] } }
      core.adam_step({ p }, { p:clone() }, states, OPTIONS)
      assert.equal(case[2], states[p].step)
      assert.equal(math.type(case[2]), math.type(states[p].step))
    end
  end)
end)
