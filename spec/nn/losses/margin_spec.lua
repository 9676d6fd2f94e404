--- Losses with a margin: beside PyTorch's, where they differ from these, what they refuse.

local layers = require "spec.support.layers"
local losses = require "spec.support.losses"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("a loss with a margin", function()
  for claim, check in layers.each("losses", require "wrun.nn.losses.margin") do
    it(claim, check)
  end

  local M, V = wrun.zeros(2, 3), wrun.zeros(3)

  local refused = {
    { "argument 2: expected [2, 3] to match argument 1, got [3]", { "HingeEmbeddingLoss",
      "SoftMarginLoss", "MarginRankingLoss", "CosineEmbeddingLoss", "TripletMarginLoss" }, {},
      M, V, M },
    { "argument 3: expected [2, 3] to match argument 1, got [3]",
      { "MarginRankingLoss", "TripletMarginLoss" }, {}, M, M, V },
    { "argument 3: expected [2] to match [2, 3], got [3]", { "CosineEmbeddingLoss" }, {}, M, M, V },
    { "argument 3: expected [] to match [3], got [3]", { "CosineEmbeddingLoss" }, {}, V, V, V },
    { "argument 1: expected [d] or [n, d], got []",
      { "CosineEmbeddingLoss", "TripletMarginLoss" }, {}, wrun.zeros(), V, V },
    { "argument 1: expected a float32 or float64 tensor, got an int64 tensor [3]",
      { "TripletMarginLoss", "CosineEmbeddingLoss" }, {}, V:long(), V, V },
  }

  for claim, check in losses.each_refused(refused) do
    it(claim, check)
  end

  it("of several labels is the mean of binary cross entropies, a sample", function()
    local x, t, w = wrun.randn(4, 3), wrun.rand(4, 3), wrun.tensor { 1.0, 0.5, 2.0 }
    for _, reduction in ipairs({ "mean", "sum", "none" }) do
      local got = nn.MultiLabelSoftMarginLoss({ weight = w, reduction = reduction })(x, t)
      local each = nn.BCEWithLogitsLoss({ weight = w, reduction = "none" })(x, t):mean(2)
      local want = reduction == "none" and each or each[reduction](each)
      assert.is_true(got:allclose(want, { rtol = 1e-5 }))
    end
  end)

  it("does not overflow where PyTorch's SoftMarginLoss does", function()
    local x = wrun.tensor({ -1000.0, 1000.0 }, { requires_grad = true })
    local y = nn.SoftMarginLoss({ reduction = "none" })(x, wrun.tensor { 1, 1 })
    assert.same({ 1000.0, 0.0 }, y:tolist())
    y:sum():backward()
    assert.same({ -1.0, 0.0 }, x.grad:tolist())
  end)

  it("refuses settings that make no sense", function()
    assert.equal("CosineEmbeddingLoss: option margin: expected a number from -1 to 1, got 2",
      refusal(nn.CosineEmbeddingLoss, { margin = 2 }))
    assert.equal("TripletMarginLoss: option p: expected a number > 0, got 0",
      refusal(nn.TripletMarginLoss, { p = 0 }))
  end)
end)
