--- Masks: elements chosen, filled and written.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

describe("where and masks", function()
  it("choose between two", function()
    local mask = wrun.tensor({ true, false })
    local a, b = wrun.tensor({ 1, 2 }), wrun.tensor({ 10, 20 })
    assert.same({ 1, 20 }, wrun.where(mask, a, b):tolist())
    assert.same({ 0, 2 }, a:masked_fill(mask, 0):tolist())
  end)

  it("fill in place", function()
    local x = wrun.tensor({ { 1, 2 }, { 3, 4 } })
    assert.equal(x, x:masked_fill_(x:gt(2), -1))
    assert.same({ { 1, 2 }, { -1, -1 } }, x:tolist())
  end)

  it("refuse conditions that are no booleans", function()
    assert.equal("masked_fill: argument 2: expected a bool tensor, got a float32 tensor [2]",
      refusal(wrun.masked_fill, wrun.zeros(2), wrun.zeros(2), 1))
    assert.equal("masked_fill_: argument 2: expected a shape that broadcasts to [2], got [3, 2]",
      refusal(wrun.masked_fill_, wrun.zeros(2), wrun.zeros(3, 2):bool(), 1))
    assert.equal("masked_select: argument 2: expected a shape that broadcasts with [2], got [3]",
      refusal(wrun.masked_select, wrun.zeros(2), wrun.zeros(3):bool()))
    assert.equal("masked_select: argument 1: expected a tensor, got nil",
      refusal(wrun.masked_select))
    local mask = wrun.tensor({ true, true, false })
    assert.equal("masked_scatter: argument 3: expected 2 elements or more, as many as the mask has "
      .. "true, got 1", refusal(wrun.masked_scatter, wrun.zeros(3), mask, wrun.zeros(1)))
    assert.equal("masked_scatter_: argument 3: expected a float32 tensor, got an int64 tensor [3]",
      refusal(wrun.masked_scatter_, wrun.zeros(3), mask, wrun.zeros(3):long()))
    assert.equal("nonzero: argument 1: expected a tensor, got 1", refusal(wrun.nonzero, 1))
    assert.equal("where: argument 1: expected a tensor, got true", refusal(wrun.where, true))
    assert.equal("where: argument 1: expected a bool tensor, got an int64 tensor [2]",
      refusal(wrun.where, wrun.tensor({ 1, 0 }), 1, 2))
    assert.equal("where: argument 2: expected a shape that broadcasts with [2], got [3]",
      refusal(wrun.where, wrun.tensor({ true, false }), wrun.zeros(3), 0))
  end)
end)
