--- Losses of probabilities: beside PyTorch's, where they differ from these, what they refuse.

local layers = require "spec.support.layers"
local losses = require "spec.support.losses"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("a loss of probabilities", function()
  for claim, check in layers.each("losses", require "wrun.nn.losses.probability") do
    it(claim, check)
  end

  local M, V = wrun.zeros(2, 3), wrun.zeros(3)

  local refused = {
    { "argument 2: expected [2, 3] to match argument 1, got [3]", { "BCELoss", "BCEWithLogitsLoss",
      "KLDivLoss", "PoissonNLLLoss", "GaussianNLLLoss" }, {}, M, V, M },
    { "argument 2: expected a tensor, got 1", { "BCELoss" }, {}, V, 1 },
    { "option weight: expected a shape that broadcasts to [2, 3], got [2]",
      { "BCELoss", "BCEWithLogitsLoss" }, { weight = wrun.ones(2) }, M, M },
    { "option weight: expected a shape that broadcasts to [3], got [1, 3]",
      { "BCELoss", "BCEWithLogitsLoss" }, { weight = wrun.ones(1, 3) }, V, V },
    { "option pos_weight: expected a shape that broadcasts to [2, 3], got [2]",
      { "BCEWithLogitsLoss" }, { pos_weight = wrun.ones(2) }, M, M },
    { "argument 1: expected probabilities from 0 to 1, got 1.5 at index 2; for logits use "
      .. "BCEWithLogitsLoss", { "BCELoss" }, {}, wrun.tensor { 1, 1.5, -1 }, V },
    { "argument 2: expected probabilities from 0 to 1, got -1.0 at index 3", { "BCELoss" }, {},
      V, wrun.tensor { 1, 0.5, -1 } },
    { "argument 3: expected a float32 or float64 tensor, got nil", { "GaussianNLLLoss" }, {},
      M, M },
    { "argument 3: expected [2, 3], or one variance for each row, got [3]", { "GaussianNLLLoss" },
      {}, M, M, V },
    { "argument 3: expected variances >= 0, got -0.5", { "GaussianNLLLoss" }, {}, M, M, M - 0.5 },
  }

  for claim, check in losses.each_refused(refused) do
    it(claim, check)
  end

  it("has second derivatives where PyTorch has", function()
    local p = wrun.tensor({ 0.2, 0.7, 0.5 }, { dtype = "float64", requires_grad = true })
    local t = wrun.tensor({ 0.1, 0.9, 1 }, { dtype = "float64" })
    assert.is_true(wrun.gradgradcheck(function(x)
      return nn.functional.binary_cross_entropy(x, t)
    end, { p }))
  end)

  it("such as KLDivLoss has no NaN at a target of 0", function()
    local t = wrun.tensor({ 0.0, 1.0 }, { requires_grad = true })
    nn.KLDivLoss({ reduction = "sum" })(wrun.tensor { -1.0, -2.0 }, t):backward()
    assert.same({ 1.0, 3.0 }, t.grad:tolist())
  end)

  it("refuses settings that make no sense", function()
    assert.equal("KLDivLoss: option reduction: expected batchmean, mean, none or sum, got 1",
      refusal(nn.KLDivLoss, { reduction = 1 }))
    assert.equal("GaussianNLLLoss: option eps: expected a number > 0, got 0",
      refusal(nn.GaussianNLLLoss, { eps = 0 }))
  end)
end)
