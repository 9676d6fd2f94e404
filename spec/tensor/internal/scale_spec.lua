--- Powers of two by which numbers come to where their squares are within the dtype.

local scale = require "wrun.tensor.internal.scale"
local wrun = require "wrun"

describe("scale", function()
  it("leaves ordinary numbers, and brings the others there, row by row", function()
    for dtype, ends in pairs {
      float32 = { 0x1.fffffep127, 0x1p-149 }, float64 = { 0x1.fffffffffffffp1023, 0x1p-1074 },
    } do
      local x = wrun.tensor({ { 3.0, -1 }, { ends[1], 1 }, { -ends[2], 0 } }, { dtype = dtype })
      local by = scale.of(x, { 2 })
      assert.equal(1, by[1]:item())
      local squares = (x * by):square():sum(2):log2()
      local range = dtype == "float32" and 127 or 1023
      assert.is_true(squares:abs():lt(range):all():item())
      assert.is_true(wrun.equal(x, x * by / by))
      assert.is_true(by:log2():eq(by:log2():round()):all():item())
    end
  end)

  it("says whether numbers are ordinary", function()
    assert.is_true(scale.are_ordinary(wrun.tensor { 1.0, 1e15 }))
    assert.is_true(scale.are_ordinary(wrun.zeros(0)))
    assert.is_false(scale.are_ordinary(wrun.tensor { 1.0, 1e20 }))
    assert.is_false(scale.are_ordinary(wrun.tensor { 1.0, 1e-20 }))
    assert.is_false(scale.are_ordinary(wrun.tensor { 1.0, 0 / 0 }))
  end)
end)
