--- Distances and cosines: beside PyTorch's, and what they refuse.

local layers = require "spec.support.layers"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local functional = nn.functional

describe("a similarity", function()
  for claim, check in layers.each("losses", require "wrun.nn.similarity") do
    it(claim, check)
  end

  it("prints without settings", function()
    assert.equal("CosineSimilarity()", tostring(nn.CosineSimilarity()))
  end)

  it("of cosines has second derivatives", function()
    local p = wrun.tensor({ 0.2, 0.7, 0.5 }, { dtype = "float64", requires_grad = true })
    local t = wrun.tensor({ 0.1, 0.9, 1 }, { dtype = "float64" })
    assert.is_true(wrun.gradgradcheck(function(x)
      return functional.cosine_similarity(x:unsqueeze(1), t:unsqueeze(1))
    end, { p }))
  end)

  it("refuses settings that make no sense", function()
    assert.equal("CosineSimilarity: option dim: expected an integer, got 0.5",
      refusal(nn.CosineSimilarity, { dim = 0.5 }))
    assert.equal("normalize: option p: expected a number > 0, got 0",
      refusal(functional.normalize, wrun.ones(1, 1), { p = 0 }))
    assert.equal("normalize: argument 1: expected a tensor, got nil", refusal(functional.normalize))
    assert.equal("PairwiseDistance: option p: expected a number > 0, got nan",
      refusal(nn.PairwiseDistance, { p = 0 / 0 }):gsub("-nan", "nan"))
  end)
end)
