--- Flatten and Unflatten: the dimensions they join and split.

local layers = require "spec.support.layers"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.Flatten", function()
  it("keeps the batch, or folds the dimensions it is told", function()
    local images = wrun.zeros(4, 3, 2, 5)
    assert.same({ 4, 30 }, nn.Flatten()(images).shape)
    assert.same({ 12, 2, 5 }, nn.Flatten(1, 2)(images).shape)
    assert.same({ 120 }, nn.Flatten(1)(images).shape)
    assert.equal("Flatten(start_dim=1, end_dim=-2)", tostring(nn.Flatten(1, -2)))
  end)

  it("refuses dimensions that are none", function()
    assert.equal("Flatten: argument 1: expected an integer, got the string 'a'",
      refusal(nn.Flatten, "a"))
  end)
end)

describe("nn.Unflatten", function()
  for claim, check in layers.each("layers", nn.Unflatten) do
    it(claim, check)
  end

  it("prints as PyTorch's does", function()
    assert.equal("Unflatten(dim=2, unflattened_size=(2, -1))", tostring(nn.Unflatten(2, { 2, -1 })))
  end)

  it("refuses dimensions and sizes that are none", function()
    assert.equal("unflatten: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(nn.Unflatten(3, { 2, 2 }), wrun.zeros(2, 4)))
    assert.equal("Unflatten: argument 2: expected a table, got 2", refusal(nn.Unflatten, 2, 2))
  end)
end)
