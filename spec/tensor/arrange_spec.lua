--- Arrangements beside PyTorch's, with the joints and diagonals of spec/fixtures/make_arrange.py; what
--- they refuse, and gradients of their gradients.

local cases = require "spec.support.cases"
local derivative = require "spec.support.derivative"
local refusals = require "spec.support.refusals"
local wrun = require "wrun"

local x, v = wrun.arange(12):reshape(3, 4), wrun.arange(4)

local DIMENSION = "expected a dimension from 1 to 2 or from -2 to -1, got "

describe("fixtures of arrange #many", function()
  for claim, check in cases.each(require "spec.fixtures.arrange", {}) do
    it(claim, check)
  end
end)

describe("another arrangement", function()
  it("flip, roll and rot90 refuse what turns nothing", function()
    refusals {
      { "flip: argument 2: " .. DIMENSION .. "3", wrun.flip, x, 1, 3 },
      { "flip: argument 2: expected a dimension, got nil", wrun.flip, x },
      { "flip: dimension 2 is given twice", wrun.flip, x, { 2, -1 } },
      { "roll: argument 2: expected a whole number, got 0.5", wrun.roll, x, 0.5 },
      { "roll: argument 2: expected a whole number, got nil", wrun.roll, x },
      { "roll: expected a shift for each dimension, got 1 and 2", wrun.roll, x, 1, { 1, 2 } },
      { "roll: argument 3: " .. DIMENSION .. "3", wrun.roll, x, 1, 3 },
      { "rot90: argument 1: expected two dimensions or more, got [4]", wrun.rot90, v },
      { "rot90: argument 2: expected a whole number, got 0.5", wrun.rot90, x, 0.5 },
      { "rot90: argument 3: expected two different dimensions, got 2 twice",
        wrun.rot90, x, 1, { 2, -1 } },
      { "rot90: argument 3: " .. DIMENSION .. "nil", wrun.rot90, x, 1, { 2 } },
    }
  end)

  it("tile, repeat and repeat_interleave refuse counts that are none", function()
    refusals {
      { "tile: expected counts of 0 or more, got -1", wrun.tile, x, 2, -1 },
      { "tile: argument 1: expected a tensor, got 5", wrun.tile, 5, 2 },
      { "repeat: expected counts of 0 or more, got 0.5", wrun["repeat"], x, 0.5, 1 },
      { "repeat: expected a count for each of the 2 dimensions, got 1; use tile",
        wrun["repeat"], x, 2 },
      { "repeat_interleave: argument 2: expected a whole number or an int64 tensor of 3 counts, "
        .. "got an int64 tensor [4]", wrun.repeat_interleave, x, v, 1 },
      { "repeat_interleave: argument 2: expected counts of 0 or more, got -2 at index 1",
        wrun.repeat_interleave, x, -2 },
      { "repeat_interleave: the sizes overflow: [13835058055282163712]",
        wrun.repeat_interleave, x, 1 << 62, 1 },
      { "tile: the sizes overflow: [4611686018427387904, 3, 1, 4]", wrun.tile, x, 1 << 62, 1 },
      { "repeat_interleave: argument 3: " .. DIMENSION .. "3", wrun.repeat_interleave, x, 2, 3 },
    }
  end)
end)

describe("arrangements", function()
  it("have gradients of both orders", function()
    derivative(wrun.flip, { 2, 3 }, 1, 2)
    derivative(wrun.roll, { 2, 3 }, { 1, -1 }, { 1, 2 })
    derivative(wrun.rot90, { 2, 3 }, 3)
    derivative(wrun.tile, { 2, 3 }, 2, 1, 2)
    derivative(wrun.repeat_interleave, { 3, 2 }, wrun.tensor({ 2, 0, 1 }), 1)
  end)
end)
