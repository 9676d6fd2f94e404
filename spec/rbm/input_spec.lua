--- The data a machine takes: what is refused, and how grey becomes black and white.

local refusal = require "spec.support.refusal"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

describe("training data", function()
  it("is refused when no machine of these units can have made it", function()
    local data = tiny.bars_and_stripes(4)
    local r = wrun.rbm.new { visible = 16, hidden = 30, seed = 5 }
    assert.equal("fit: argument 1: expected [n, 16] with n >= 1, got a float32 tensor [3, 5]",
      refusal(r.fit, r, wrun.zeros(3, 5)))
    assert.equal("fit: argument 1: expected values from 0 to 1 for binary units, got 0 to 2",
      refusal(r.fit, r, data * 2))
    assert.equal("fit: argument 1: expected finite numbers, got NaN or infinity",
      refusal(r.fit, r, data / 0))
  end)
end)

describe("scored data", function()
  it("wants to be told how grey data becomes black and white", function()
    local r = tiny.new(6, 3, 1, 2)
    local grey = wrun.full({ 2, 6 }, 0.4)
    assert.equal("log_likelihood: option binarize: expected threshold or stochastic for data that "
      .. "is not 0 and 1", refusal(r.log_likelihood, r, grey, 0))
    local a = r:log_likelihood(grey, 0, { binarize = "stochastic" })
    assert.is_true(a:equal(r:log_likelihood(grey, 0, { binarize = "stochastic" })))
    local black = r:log_likelihood(wrun.zeros(2, 6), 0)
    assert.is_true(black:equal(r:log_likelihood(grey, 0, { binarize = "threshold" })))
  end)

  it("refuses data that binary units cannot have", function()
    local r = tiny.new(6, 3, 1, 2)
    assert.equal("log_likelihood: argument 1: expected values from 0 to 1 for binary units, got 0 "
      .. "to 255", refusal(r.log_likelihood, r, wrun.tensor { { 0, 255, 0, 0, 0, 0 } }, 0))
    assert.equal("log_likelihood: argument 1: expected finite numbers, got NaN or infinity",
      refusal(r.log_likelihood, r, wrun.full({ 1, 6 }, 0 / 0), 0))
  end)
end)
