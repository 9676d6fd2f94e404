--- Where diagonals stand, beside the diagonals of a tensor that holds its own indices.

local wrun = require "wrun"

local diagonal_indices = require "wrun.tensor.internal.diagonal_indices"

local function numbered(sizes)
  local n = 1
  for _, size in ipairs(sizes) do
    n = n * size
  end
  return wrun.arange(1, n + 1):reshape(sizes)
end

describe("the indices of diagonals", function()
  for _, sizes in ipairs { { 3, 3 }, { 2, 5 }, { 2, 3, 4 }, { 3, 0, 2 }, { 2, 1, 3, 2 } } do
    it("are right for [" .. table.concat(sizes, ", ") .. "]", function()
      for offset = -6, 6 do
        for d = 1, #sizes do
          for e = 1, #sizes do
            if d ~= e then
              local expected = numbered(sizes):diagonal(offset, d, e)
              local indices = diagonal_indices(sizes, offset, d, e)
              assert.same(expected.shape, indices.shape)
              assert.equal("int64", indices.dtype)
              assert.same(expected:tolist(), indices:tolist())
            end
          end
        end
      end
    end)
  end

  it("are those of the first two dimensions where none are named", function()
    assert.same(numbered({ 3, 4 }):diagonal():tolist(), diagonal_indices({ 3, 4 }):tolist())
  end)
end)
