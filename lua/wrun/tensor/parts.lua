--- Parts of tensors that are views: stretches, positions, windows and diagonals, one or all.

local core = require "wrun.core"
local check = require "wrun.check"
local operations = require "wrun.tensor.operations"

local fail = core.fail

local M = {}

--- Returns length positions of dimension d, from start on.
--- shapes  x [a, b], d = 2 -> [a, length], a view
--- domain  any dtype; d and start from 1, or from the end
--- raises  `narrow: expected a part of dimension`; `narrow: argument 2: expected a dimension`
---
---     print(wrun.arange(10):narrow(1, 3, 4))
---@type fun(x: Tensor, d: integer, start: integer, length: integer): Tensor
M.narrow = operations.narrow

--- Returns one position of dimension d, without that dimension.
--- shapes  x [a, b], d = 2 -> [a], a view
--- domain  any dtype; d and position from 1, or from the end
--- raises  `select: expected a position from 1 to`; `select: argument 2: expected a dimension`
---
---     print(wrun.arange(6):reshape(2, 3):select(2, -1))
---@type fun(x: Tensor, d: integer, position: integer): Tensor
M.select = operations.select

--- Returns all windows of size positions along dimension d, step apart.
--- shapes  x [a, n], d = 2 -> [a, (n - size) // step + 1, size], a view
--- domain  any dtype; size from 0 to n, step from 1
--- raises  `unfold: argument 3: expected a size from`; `unfold: argument 4: expected a step of`
---
---     print(wrun.arange(7):unfold(1, 3, 2))
---@type fun(x: Tensor, d: integer, size: integer, step: integer): Tensor
M.unfold = operations.unfold

--- Returns the diagonal of two dimensions, as the last dimension in their place.
--- shapes  x [n, n, a] -> [a, n], a view; offset moves it right (above 0) or down (below 0)
--- domain  any dtype; offset 0, dimensions 1 and 2 by default
--- raises  `diagonal: argument 1: expected a tensor with two dimensions`; `diagonal: expected two`
---
---     print(wrun.arange(9):reshape(3, 3):diagonal(1)) -- 1, 5
---@type fun(x: Tensor, offset?: integer, d?: integer, e?: integer): Tensor
M.diagonal = operations.diagonal

-------------------------------------------------------------------------------
-- All parts, as a table of views

--- x as a tensor with dimensions, and dimension d, argument `place`, as a number from 1
local function along(f, x, place, d)
  check.tensor_argument(f, 1, x)
  if x.ndim == 0 then
    fail("%s: argument 1: expected a tensor with dimensions, got %s", f, core.describe(x))
  end
  return check.dimension(f, place, d or 1, x.ndim)
end

local function whole(f, place, what, value, least)
  local n = type(value) == "number" and math.tointeger(value)
  if not n or n < least then
    fail("%s: argument %d: expected %s, got %s", f, place, what, core.describe(value))
  end
  return n
end

--- stretches of these sizes, one after the other
local function cut(x, sizes, d)
  local parts, start = {}, 1
  for i, size in ipairs(sizes) do
    parts[i] = operations.narrow(x, d, start, size)
    start = start + size
  end
  return parts
end

--- the sizes of stretches of `size`, the last what is left; one empty stretch of nothing
local function equal_sizes(n, size)
  local sizes = {}
  for left = n, 1, -size do
    sizes[#sizes + 1] = math.min(size, left)
  end
  return n > 0 and sizes or { 0 }
end

--- Returns the stretches of dimension d that have this size (the last may be smaller), or these.
--- shapes  x [5, a], 2 -> [2, a], [2, a], [1, a]; { 1, 4 } -> [1, a], [4, a]; views
--- domain  any dtype; d 1 by default
--- raises  `split: argument 2: expected a size of 1 or more or a table of sizes`;
---   `split: argument 2: expected sizes that add up to`; `split: argument 3: expected a dimension`
---
---     local left, right = table.unpack(wrun.arange(10):reshape(2, 5):split({ 2, 3 }, 2))
---     print(left, right)
---@param x Tensor
---@param size integer|integer[]
---@param d? integer  1
---@return Tensor[]
function M.split(x, size, d)
  d = along("split", x, 3, d)
  local n = x:size(d)
  if type(size) ~= "table" then
    local least = n > 0 and 1 or 0
    size = whole("split", 2, "a size of 1 or more or a table of sizes", size, least)
    return cut(x, equal_sizes(n, math.max(size, 1)), d)
  end
  local total = 0
  for i = 1, #size do
    total = total + whole("split", 2, "sizes of 0 or more", size[i], 0)
  end
  if total ~= n then
    fail("split: argument 2: expected sizes that add up to %d, the size of dimension %d, got %d", n,
      d, total)
  end
  return cut(x, size, d)
end

--- Returns at most count stretches of dimension d, all of one size but the last.
--- shapes  x [5, a], 3 -> [2, a], [2, a], [1, a]; views
--- domain  any dtype; d 1 by default. Fewer stretches come out where the size rounded up fills x
---   sooner; tensor_split gives just as many as it is asked for.
--- raises  `chunk: argument 2: expected a number of parts`; `chunk: argument 3: expected a`
---
---     print(#wrun.arange(10):chunk(4)) -- 3, 3, 3 and 1 elements
---@param x Tensor
---@param count integer
---@param d? integer  1
---@return Tensor[]
function M.chunk(x, count, d)
  d = along("chunk", x, 3, d)
  count = whole("chunk", 2, "a number of parts from 1", count, 1)
  local n, sizes = x:size(d), {}
  if n > 0 then
    return cut(x, equal_sizes(n, -(-n // count)), d)
  end
  for i = 1, count do
    sizes[i] = 0
  end
  return cut(x, sizes, d)
end

--- Returns count stretches of dimension d whose sizes differ by 1 at most, or those between cuts.
--- shapes  x [5, a], 3 -> [2, a], [2, a], [1, a]; { 1, 3 } (cuts after 1 and 3) -> [1, a], [2, a],
---   [2, a]; views
--- domain  any dtype; d 1 by default; a cut beyond the end is one at the end
--- raises  `tensor_split: argument 2: expected a number of parts from 1 or a table of cuts`;
---   `tensor_split: argument 2: expected cuts of 0 or more`
---
---     for _, part in ipairs(wrun.arange(7):tensor_split(3)) do print(part) end
---@param x Tensor
---@param cuts integer|integer[]
---@param d? integer  1
---@return Tensor[]
function M.tensor_split(x, cuts, d)
  d = along("tensor_split", x, 3, d)
  local n, parts = x:size(d), {}
  if type(cuts) ~= "table" then
    local count = whole("tensor_split", 2, "a number of parts from 1 or a table of cuts", cuts, 1)
    cuts = {}
    for i = 1, count - 1 do
      cuts[i] = i * (n // count) + math.min(i, n % count)
    end
  end
  local last = 0
  for i = 1, #cuts + 1 do
    local next_cut = i > #cuts and n or whole("tensor_split", 2, "cuts of 0 or more", cuts[i], 0)
    next_cut = math.min(next_cut, n)
    parts[i] = operations.narrow(x, d, last + 1, math.max(next_cut - last, 0))
    last = next_cut
  end
  return parts
end

--- Returns all positions of dimension d, each without that dimension.
--- shapes  x [3, a] -> [a], [a], [a]; views
--- domain  any dtype; d 1 by default
--- raises  `unbind: argument 1: expected a tensor with dimensions`; `unbind: argument 2: expected`
---
---     local x, y = table.unpack(wrun.rand(5, 2):unbind(2))
---     print((x * x + y * y):le(1))
---@param x Tensor
---@param d? integer  1
---@return Tensor[]
function M.unbind(x, d)
  d = along("unbind", x, 2, d)
  local parts = {}
  for i = 1, x:size(d) do
    parts[i] = operations.select(x, d, i)
  end
  return parts
end

return M
