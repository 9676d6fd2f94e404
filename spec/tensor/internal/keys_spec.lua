--- Keys with tensors in them, as flat indices.

local keys = require "wrun.tensor.internal.keys"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

describe("a key", function()
  local x = wrun.arange(12):reshape(3, 4)
  local rows = wrun.tensor { 3, 1 }

  it("is told from one without tensors", function()
    assert.is_true(keys.has_tensor(rows))
    assert.is_true(keys.has_tensor({ {}, rows }))
    assert.is_false(keys.has_tensor({ 1, { 1, 2 } }))
    assert.is_false(keys.has_tensor(2))
    assert.is_false(keys.has_tensor(nil))
  end)

  it("names elements by flat indices, in the shape of the part", function()
    assert.same({ { 9, 10, 11, 12 }, { 1, 2, 3, 4 } }, keys.flat("f", x, rows):tolist())
    assert.same({ 10, 3 }, keys.flat("f", x, { rows, wrun.tensor { 2, -2 } }):tolist())
    assert.same({ { 11, 3 } }, keys.flat("f", x, { rows:unsqueeze(1), 3 }):tolist())
    assert.same({ 11, 12 }, keys.flat("f", x, x:ge(10)):tolist())
  end)

  it("of one tensor and whole dimensions picks rows", function()
    local indices, d, sizes = keys.single("f", x, { {}, rows })
    assert.same({ 3, 1 }, indices:tolist())
    assert.equal(2, d)
    assert.same({ 3, 4 }, sizes)
    assert.is_nil(keys.single("f", x, { rows, rows }))
  end)

  it("refuses indices of another type or out of range, and masks of other sizes", function()
    assert.equal("f: expected an int64 tensor of indices, got a float32 tensor [1]",
      refusal(function() keys.indices(wrun.ones(1), 3, false, "%s", "f") end))
    assert.equal("f: expected indices from 1 to 3, got -1 at index 1",
      refusal(function() keys.indices(wrun.tensor { -1 }, 3, false, "f") end))
    assert.same({ 3 }, keys.indices(wrun.tensor { -1 }, 3, true, "f"):tolist())
    assert.equal("f: part 1 of the key: expected a mask for dimension 1 and on of a tensor [3, 4], "
      .. "got [4]", refusal(function() keys.mask("f", x, wrun.ones(4):bool()) end))
    assert.same({ 3, 1 }, keys.mask("f", x, wrun.ones(3):bool()).shape)
  end)
end)
