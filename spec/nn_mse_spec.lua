--- MSELoss against sums by hand, and what it refuses.

local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.MSELoss", function()
  local x = wrun.tensor({ { 1, 2 }, { 3, 5 } }, { dtype = "float64" })
  local y = wrun.tensor({ { 0, 4 }, { 3, 1 } }, { dtype = "float64" })

  it("is the mean square distance, or the sum, or each", function()
    assert.equal((1 + 4 + 0 + 16) / 4, nn.MSELoss()(x, y):item())
    assert.equal(21.0, nn.MSELoss({ reduction = "sum" })(x, y):item())
    assert.same({ { 1.0, 4.0 }, { 0.0, 16.0 } },
      nn.MSELoss({ reduction = "none" })(x, y):tolist())
  end)

  it("has the gradient 2 (x - y) / n", function()
    local input = x:clone():requires_grad_()
    nn.MSELoss()(input, y):backward()
    assert.same({ 0.5, -1.0, 0.0, 2.0 }, near.flat(input.grad))
  end)

  it("is NaN of nothing, and of NaN", function()
    local nothing = nn.MSELoss()(wrun.zeros(0), wrun.zeros(0)):item()
    assert.is_true(nothing ~= nothing)
    local nan = nn.MSELoss()(wrun.tensor({ 0 / 0, 1.0 }), wrun.zeros(2)):item()
    assert.is_true(nan ~= nan)
  end)

  it("refuses what it cannot compare", function()
    assert.equal("MSELoss: argument 2: expected [2, 2] to match argument 1, got [2]",
      refusal(nn.MSELoss(), x, wrun.zeros(2)))
    assert.equal("MSELoss: argument 1: expected a tensor, got nil", refusal(nn.MSELoss()))
    assert.equal("MSELoss: argument 2: expected a tensor, got 3", refusal(nn.MSELoss(), x, 3))
    assert.equal("MSELoss: option reduction: expected mean, none or sum, got the string 'avg'",
      refusal(nn.MSELoss, { reduction = "avg" }))
  end)
end)
