--- optim.SGD beside PyTorch's and its formula, and what the step of a group refuses.

local core = require "wrun.core"
local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local stepping = require "spec.support.stepping"
local wrun = require "wrun"

local optim = wrun.optim
local parameter, path = optimising.parameter, optimising.path

optimising.follows_pytorch("SGD", { lr = 0.1, momentum = 0.9, weight_decay = 0.1 })

-- As the papers write it, one number at a time.
local function formula(p, gradients, o)
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

optimising.follows_formula("SGD", formula, {
  ["without momentum"] = { lr = 0.1 },
  ["with weight decay"] = { lr = 0.1, weight_decay = 0.2 },
  ["with momentum"] = { lr = 0.1, momentum = 0.9 },
  ["with dampening"] = { lr = 0.1, momentum = 0.9, dampening = 0.5, weight_decay = 0.1 },
  ["after Nesterov"] = { lr = 0.1, momentum = 0.9, nesterov = true },
  ["uphill"] = { lr = 0.1, momentum = 0.5, maximize = true },
})

describe("SGD", function()
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

local OPTIONS = { lr = 0.5, momentum = 0.9, dampening = 0, weight_decay = 0 }

stepping.changes_a_group("sgd_step", {
  options = OPTIONS,
  booleans = { "nesterov", "maximize" },
  blocks = { "momentum_buffer" },
})

describe("sgd_step", function()
  it("remembers nothing without momentum", function()
    local p, states = wrun.ones(2), {}
    core.sgd_step({ p }, { wrun.ones(2) }, states, stepping.changed(OPTIONS, { momentum = 0 }))
    assert.same({ 0.5, 0.5 }, p:tolist())
    assert.same({}, states)
  end)
end)
