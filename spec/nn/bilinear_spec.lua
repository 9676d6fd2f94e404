--- Bilinear: beside PyTorch's, and what it refuses.

local layers = require "spec.support.layers"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.Bilinear", function()
  for claim, check in layers.each("layers", nn.Bilinear) do
    it(claim, check)
  end

  it("prints as PyTorch's does", function()
    assert.equal("Bilinear(in1_features=2, in2_features=3, out_features=4, bias=False)",
      tostring(nn.Bilinear(2, 3, 4, { bias = false })))
    assert.equal("Bilinear(2, 3 -> 4)", nn.Bilinear(2, 3, 4):label())
  end)

  it("refuses inputs of other shapes", function()
    assert.equal("Bilinear: argument 1: expected [5, 3], got [5, 2]",
      refusal(nn.Bilinear(3, 2, 1), wrun.zeros(5, 2), wrun.zeros(5, 2)))
    assert.equal("Bilinear: argument 2: expected [5, 2], got [4, 2]",
      refusal(nn.Bilinear(3, 2, 1), wrun.zeros(5, 3), wrun.zeros(4, 2)))
    assert.equal("Bilinear: argument 1: expected [3], got []",
      refusal(nn.Bilinear(3, 2, 1), wrun.zeros(), wrun.zeros(2)))
  end)

  it("refuses widths below 1", function()
    assert.equal("Bilinear: argument 3: expected an integer >= 1, got 0",
      refusal(nn.Bilinear, 1, 1, 0))
  end)
end)
