--- Loss, the base of every loss: its settings and what it holds.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("a loss", function()
  it("prints without settings and holds its weights as buffers", function()
    local loss = nn.BCEWithLogitsLoss({ pos_weight = wrun.ones(2), weight = wrun.ones(1) })
    assert.equal("BCEWithLogitsLoss()", tostring(loss))
    assert.equal(2, #loss:buffers())
    assert.equal("float64", loss:double().pos_weight.dtype)
  end)

  it("takes a reduction of its own rule, and by default the mean", function()
    local Loss = require "wrun.nn.losses.loss"
    local Difference = Loss.define("Difference", "difference", {}, function(o, input, target)
      Loss.check_pair(o, input, target)
      return input - target
    end)
    local x, y = wrun.tensor { 3.0, 5.0 }, wrun.tensor { 1.0, 1.0 }
    assert.equal(3.0, Difference()(x, y):item())
    assert.equal(6.0, Difference({ reduction = "sum" })(x, y):item())
    assert.same({ 2.0, 4.0 }, Difference.call({ reduction = "none" }, x, y):tolist())
    assert.equal("difference: argument 2: expected [2] to match argument 1, got []",
      refusal(Difference.call, nil, x, wrun.zeros()))
    assert.equal("Difference: option reduction: expected mean, none or sum, got 1",
      refusal(Difference, { reduction = 1 }))
  end)

  it("divides the mean by the shares that its losses count", function()
    local Loss = require "wrun.nn.losses.loss"
    local Weighted = Loss.define("Weighted", "weighted", {}, function(_, input, shares)
      return input * shares, shares
    end)
    assert.equal(4.0, Weighted()(wrun.tensor { 1.0, 5.0 }, wrun.tensor { 1.0, 3.0 }):item())
  end)
end)
