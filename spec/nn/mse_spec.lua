--- MSELoss, by hand.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("MSELoss", function()
  local x, y = wrun.tensor { 1.0, 2, 4 }, wrun.tensor { 1.0, 4, 1 }

  it("averages, sums or leaves the squares", function()
    assert.near(13 / 3, nn.MSELoss()(x, y):item(), 1e-6)
    assert.equal(13.0, nn.MSELoss({ reduction = "sum" })(x, y):item())
    assert.same({ 0.0, 4.0, 9.0 }, nn.MSELoss({ reduction = "none" })(x, y):tolist())
  end)

  it("refuses shapes that differ", function()
    assert.equal("MSELoss: argument 2: expected [3] to match argument 1, got [2]",
      refusal(nn.MSELoss(), x, wrun.zeros(2)))
  end)
end)
