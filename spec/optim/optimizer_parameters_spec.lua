--- The parameters and options that optimisers refuse.

local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local optim = wrun.optim
local parameter = optimising.parameter

describe("the parameters of an optimiser", function()
  it("must be there", function()
    local expected = "SGD: argument 1: expected parameters, a list of tensors or of groups, got "
    assert.equal(expected .. "an empty list", refusal(optim.SGD, {}))
    assert.equal(expected .. "nil", refusal(optim.SGD))
    assert.equal(expected .. "a float64 tensor [1]; write { tensor }",
      refusal(optim.SGD, parameter(1)))
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
    assert.equal("Adam: expected a table of options, got 0.1; write { NAME = 0.1 }, NAME one of "
      .. "eps, lr, weight_decay", refusal(optim.Adam, { p }, 0.1))
  end)
end)
