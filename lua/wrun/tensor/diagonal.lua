--- Diagonals and triangles of matrices: taken, built, and kept.

local check = require "wrun.check"
local diagonal_indices = require "wrun.tensor.internal.diagonal_indices"
local operations = require "wrun.operations"
local publish = require "wrun.publish"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

local OFFSET = check.integer(0)

--- Returns tensors of zeros whose diagonal, over two new dimensions, holds the last one of x.
--- shapes  x [a, n] -> [a, n, n]; offset k moves it: [a, n + |k|, n + |k|]
--- domain  any dtype; offset 0 and dimensions -2 and -1 of the result by default
---     print(wrun.tensor({ 1, 2 }):diag_embed(1))
function M.diag_embed(x, offset, d, e)
  check.tensor_argument("diag_embed", 1, x)
  if x.ndim == 0 then
    fail("diag_embed: argument 1: expected a tensor with dimensions, got %s", check.describe(x))
  end
  offset = check.argument("diag_embed", 2, offset, OFFSET)
  d = check.dimension("diag_embed", 3, d or -2, x.ndim + 1)
  e = check.dimension("diag_embed", 4, e or -1, x.ndim + 1)
  if d == e then
    fail("diag_embed: expected two different dimensions, got %d twice", d)
  end
  local sizes = x.shape
  local side = table.remove(sizes) + math.abs(offset + 0.0)
  check.sizes("diag_embed", { side, side, table.unpack(sizes) })
  side = math.tointeger(side)
  table.insert(sizes, math.min(d, e), side)
  table.insert(sizes, math.max(d, e), side)
  local zeros = operations.zeros(sizes, { dtype = x.dtype })
  return operations.put_(zeros, diagonal_indices(sizes, offset, d, e), x)
end

--- Returns a vector as the diagonal of a matrix, or the diagonal of a matrix.
--- shapes  x [n] -> [n, n]; x [m, n] -> [min(m, n)], a view; offset moves it right or down
---     print(wrun.tensor({ 1, 2 }):diag(), wrun.arange(9):reshape(3, 3):diag(-1))
function M.diag(x, offset)
  check.tensor_argument("diag", 1, x)
  if x.ndim ~= 1 and x.ndim ~= 2 then
    fail("diag: argument 1: expected one or two dimensions, got %s", check.shape_text(x))
  end
  offset = check.argument("diag", 2, offset, OFFSET)
  return x.ndim == 1 and M.diag_embed(x, offset) or operations.diagonal(x, offset)
end

--- x where its columns minus its rows compare with offset as is_kept says, else 0
local function triangle(f, x, offset, is_kept)
  check.tensor_argument(f, 1, x)
  if x.ndim < 2 then
    fail("%s: argument 1: expected two dimensions or more, got %s", f, check.shape_text(x))
  end
  offset = check.argument(f, 2, offset, OFFSET)
  local m, n = x:size(-2), x:size(-1)
  offset = math.max(-m, math.min(offset, n))
  local rows = unrecorded.reshape(operations.arange(offset, m + offset), -1, 1)
  local kept = is_kept(operations.arange(n), rows)
  return operations.to(operations.where(kept, x, 0), x.dtype)
end

--- Returns the lower triangles of the matrices of the last two dimensions, zeros above them.
--- shapes  x [..., m, n] -> same; with offset so many more diagonals are kept, or less
---     print(wrun.ones(3, 3):tril(), wrun.ones(3, 3):tril(-1))
function M.tril(x, offset)
  return triangle("tril", x, offset, operations.le)
end

--- Returns the upper triangles of the matrices of the last two dimensions, zeros below them.
--- shapes  x [..., m, n] -> same; with offset so many diagonals fewer are kept, or more
--- as      tril
---     print(wrun.ones(3, 3):triu(), wrun.ones(3, 3):triu(1))
function M.triu(x, offset)
  return triangle("triu", x, offset, operations.ge)
end

local function indices(f, rows, columns, offset)
  local size = check.integer(nil, 0)
  rows = check.argument(f, 1, rows, size)
  columns = check.argument(f, 2, columns, size)
  offset = check.argument(f, 3, offset, OFFSET)
  check.sizes(f, { rows, columns })
  offset = math.max(-rows, math.min(offset, columns))
  return unrecorded[f](rows, columns, offset)
end

--- Returns the indices of a matrix's lower triangle, row by row.
--- shapes  -> [2, count], int64: rows and columns, from 1
--- domain  sizes of 0 or more; offset as for `tril`
---     local x, indices = wrun.rand(3, 3), wrun.tril_indices(3, 3)
---     print(x[{ indices[1], indices[2] }]) -- the triangle in a row
function M.tril_indices(rows, columns, offset)
  return indices("tril_indices", rows, columns, offset)
end

--- Returns the indices of a matrix's upper triangle, row by row.
--- domain  sizes of 0 or more; offset as for `triu`
--- as      tril_indices
---     print(wrun.triu_indices(3, 3, 1))
function M.triu_indices(rows, columns, offset)
  return indices("triu_indices", rows, columns, offset)
end

publish.without_methods(M, { "tril_indices", "triu_indices" })

return M
