--- MSELoss, L1Loss, HuberLoss and SmoothL1Loss: beside PyTorch's, by hand, and what they refuse.

local layers = require "spec.support.layers"
local losses = require "spec.support.losses"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("a loss of distance", function()
  for claim, check in layers.each("losses", require "wrun.nn.losses.distance") do
    it(claim, check)
  end

  local M, V = wrun.zeros(2, 3), wrun.zeros(3)

  local refused = {
    { "argument 2: expected [2, 3] to match argument 1, got [3]",
      { "MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss" }, {}, M, V, M },
    { "argument 1: expected a float32 or float64 tensor, got an int64 tensor [3]", { "MSELoss" },
      {}, V:long(), V, V },
    { "argument 2: expected a tensor, got 1", { "MSELoss" }, {}, V, 1 },
  }

  for claim, check in losses.each_refused(refused) do
    it(claim, check)
  end

  it("has second derivatives where PyTorch has", function()
    local p = wrun.tensor({ 0.2, 0.7, 0.5 }, { dtype = "float64", requires_grad = true })
    local t = wrun.tensor({ 0.1, 0.9, 1 }, { dtype = "float64" })
    assert.is_true(wrun.gradgradcheck(function(x)
      return nn.functional.huber_loss(x, t)
    end, { p }))
  end)

  it("refuses settings that make no sense", function()
    assert.equal("MSELoss: option reduction: expected mean, none or sum, "
      .. "got the string 'batchmean'",
      refusal(nn.MSELoss, { reduction = "batchmean" }))
    assert.equal("HuberLoss: option delta: expected a number > 0, got 0",
      refusal(nn.HuberLoss, { delta = 0 }))
    assert.equal("SmoothL1Loss: option beta: expected a number >= 0, got -1",
      refusal(nn.SmoothL1Loss, { beta = -1 }))
  end)
end)

describe("nn.MSELoss", function()
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
