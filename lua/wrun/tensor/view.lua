--- Views: other shapes, dimensions added, exchanged and taken away; parts: stretches, indices,
--- windows and diagonals.

local check = require "wrun.check"
local diagonal_indices = require "wrun.tensor.internal.diagonal_indices"
local gradients = require "wrun.tensor.internal.gradients"
local operations = require "wrun.operations"

local fail = check.fail

local M = {}

-- Gradients ------------------------------------------------------------------

local zeros_like = gradients.zeros_like

local function to_shape_of(g, _, x)
  return g:reshape(x.shape)
end

--- a key that takes `part` in dimension d (counted from 1) and everything before it
local function key_at(t, d, part)
  local key = {}
  for i = 1, d < 0 and t.ndim + d or d - 1 do
    key[i] = {}
  end
  key[#key + 1] = part
  return key
end

operations.define("view", {
  view = {
    gradients = { to_shape_of },
    sample = function(randn) return randn(2, 6), 3, 4 end,
  },
  reshape = {
    gradients = { to_shape_of },
    sample = function(randn) return randn(2, 6):t(), 3, 4 end,
  },
  transpose = {
    gradients = { function(g, _, _, a, b) return g:transpose(a, b) end },
    sample = function(randn) return randn(2, 3, 4), 1, 3 end,
  },
  permute = {
    gradients = {
      function(g, _, x, ...)
        local order, back = { ... }, {}
        order = type(order[1]) == "table" and order[1] or order
        for d, from in ipairs(order) do
          back[from < 0 and x.ndim + from + 1 or from] = d
        end
        return g:permute(back)
      end,
    },
    sample = function(randn) return randn(2, 3, 4), 3, 1, 2 end,
  },
  expand = {
    gradients = { gradients.to_same },
    sample = function(randn) return randn(3, 1), 2, 3, 4 end,
  },
  narrow = {
    gradients = {
      function(g, _, x, d, start, length)
        start = start < 0 and start + x:size(d) + 1 or start
        return gradients.embed(g, x, key_at(x, d, { start, start + length - 1 }))
      end,
    },
    sample = function(randn) return randn(3, 5), 2, 2, 3 end,
  },
  select = {
    gradients = { function(g, _, x, d, i) return gradients.embed(g, x, key_at(x, d, i)) end },
    sample = function(randn) return randn(3, 5), -1, 2 end,
  },
  unfold = {
    gradients = {
      function(g, _, x, d, size, step)
        d = d < 0 and x.ndim + d + 1 or d
        local starts = operations.arange(g:size(d)) * step + 1
        local indices = starts:unsqueeze(2) + operations.arange(size)
        local rows = g:movedim(-1, d + 1):flatten(d, d + 1)
        return zeros_like(x, g):index_add_(d, indices:reshape(-1), rows)
      end,
    },
    sample = function(randn) return randn(2, 7), 2, 3, 2 end,
  },
  diagonal = {
    gradients = {
      function(g, _, x, ...)
        return zeros_like(x, g):put_(diagonal_indices(x.shape, ...), g)
      end,
    },
    sample = function(randn) return randn(3, 2, 4), -1, 3, 1 end,
  },
})

-- Shapes ---------------------------------------------------------------------

--- Returns the elements of x in another shape, which shows the same memory.
--- shapes  x [a, b] -> [sizes] of as many elements, a view; one size may be -1, whatever is left
--- raises  `view: expected a shape for the N elements`; `view: expected sizes of 0 or more and at`;
---   `view: the elements do not lie in that order` where they would have to be moved
---     print(wrun.arange(6):view(2, -1))
---@type fun(x: wrun.Tensor, ...: integer|integer[]): wrun.Tensor
M.view = operations.view

--- Returns the elements of x in another shape: a view where the memory allows, else a copy.
--- shapes  x [a, b] -> [sizes] of as many elements; one size may be -1, whatever is left
--- raises  `reshape: expected a shape for the N elements`; `reshape: expected sizes of 0 or more`
--- as      view
---     print(wrun.arange(6):reshape(2, 3):t():reshape(-1))
M.reshape = operations.reshape

--- Returns x with two dimensions exchanged.
--- shapes  x [a, b, c], 1, 3 -> [c, b, a], a view
--- domain  any dtype; dimensions from 1, or from the end
--- raises  `transpose: argument N: expected a dimension`
---     print(wrun.arange(6):reshape(2, 3):transpose(1, 2))
---@type fun(x: wrun.Tensor, d: integer, e: integer): wrun.Tensor
M.transpose = operations.transpose

--- Returns x with its dimensions in another order: dimension d of the result is x's dims[d].
--- shapes  x [a, b, c], 3, 1, 2 -> [c, a, b], a view
--- domain  any dtype; dimensions from 1, or from the end
--- raises  `permute: expected each dimension from 1 to N once`
---     print(wrun.zeros(2, 3, 4):permute(3, 1, 2).shape[1])
---@type fun(x: wrun.Tensor, ...: integer|integer[]): wrun.Tensor
M.permute = operations.permute

--- Returns x with dimensions of size 1, and new ones in front, repeated without copying.
--- shapes  x [1, b] -> [sizes], such as [a, b], a view; -1 keeps a size
--- raises  `expand: expected a shape that SHAPE broadcasts to`
---     print(wrun.arange(3):expand(2, -1))
---@type fun(x: wrun.Tensor, ...: integer|integer[]): wrun.Tensor
M.expand = operations.expand

--- Returns the transpose of a matrix; a vector or a number is its own.
--- shapes  x [m, n] -> [n, m], a view
---     print(wrun.arange(6):reshape(2, 3):t())
function M.t(x)
  check.tensor_argument("t", 1, x)
  if x.ndim > 2 then
    fail("t: argument 1: expected at most 2 dimensions, got %s; use transpose", check.shape_text(x))
  end
  return x.ndim == 2 and operations.transpose(x, 1, 2) or x
end

--- Returns x with a dimension of size 1, which is dimension d of the result.
--- shapes  x [a, b], d = 2 -> [a, 1, b], a view
--- domain  any dtype; d from 1 to ndim + 1, or from the end
---     print(wrun.arange(3):unsqueeze(2))
function M.unsqueeze(x, d)
  check.tensor_argument("unsqueeze", 1, x)
  local shape = x.shape
  table.insert(shape, check.dimension("unsqueeze", 2, d, #shape + 1), 1)
  return operations.view(x, shape)
end

--- Returns x without its dimensions of size 1, or without those of dimensions d that are.
--- shapes  x [a, 1, b] -> [a, b], a view
--- domain  any dtype; d one dimension or a table of them
---     local x = wrun.zeros(1, 2, 1, 3)
---     print(#x:squeeze().shape, #x:squeeze(1).shape, #x:squeeze({ 1, 2 }).shape)
---@param d integer|integer[]?
function M.squeeze(x, d)
  check.tensor_argument("squeeze", 1, x)
  local kept, may_go = {}, {}
  for _, each in ipairs(check.plain_list("squeeze", 2, d, "dimensions")) do
    may_go[check.dimension("squeeze", 2, each, x.ndim)] = true
  end
  for i, size in ipairs(x.shape) do
    if size ~= 1 or (d ~= nil and not may_go[i]) then
      kept[#kept + 1] = size
    end
  end
  return operations.view(x, kept)
end

--- Returns x with the dimensions from first to last (all of them) joined into one.
--- shapes  x [a, b, c], 2 -> [a, b * c]; a view where the memory allows, else a copy
---     print(wrun.arange(24):reshape(2, 3, 4):flatten(2).shape[2])
function M.flatten(x, first, last)
  check.tensor_argument("flatten", 1, x)
  if x.ndim == 0 then
    return operations.reshape(x, 1)
  end
  first = check.dimension("flatten", 2, first or 1, x.ndim)
  last = check.dimension("flatten", 3, last or -1, x.ndim)
  if first > last then
    fail("flatten: expected the first dimension before the last, got %d and %d", first, last)
  end
  local shape, joined = {}, 1
  for d, size in ipairs(x.shape) do
    if d < first or d > last then
      shape[#shape + 1] = size
    else
      joined = joined * size
      if d == last then
        shape[#shape + 1] = joined
      end
    end
  end
  return operations.reshape(x, shape)
end

--- Returns x expanded to the shape of y.
--- shapes  x [1, n], y [m, n] -> [m, n], a view
--- raises  `expand: expected a shape that`
---     print(wrun.arange(3):expand_as(wrun.zeros(2, 3)))
function M.expand_as(x, y)
  check.tensor_argument("expand_as", 2, y)
  return operations.expand(x, y.shape)
end

--- Returns the elements of x in the shape of y.
--- shapes  as many elements in both; a view
--- raises  as `view`
---     print(wrun.arange(6):view_as(wrun.zeros(2, 3)))
---@return wrun.Tensor
function M.view_as(x, y)
  check.tensor_argument("view_as", 2, y)
  return operations.view(x, y.shape)
end

--- Returns the elements of x in the shape of y, copied where a view cannot show them.
--- shapes  as many elements in both
--- raises  as `reshape`
--- as      view_as
---     print(wrun.arange(6):reshape_as(wrun.zeros(2, 3)))
function M.reshape_as(x, y)
  check.tensor_argument("reshape_as", 2, y)
  return operations.reshape(x, y.shape)
end

--- Returns x with dimension d cut into several.
--- shapes  x [a, b * c], d = 2, { b, c } -> [a, b, c], a view; one size may be -1
---     print(wrun.arange(6):unflatten(1, { 2, -1 }))
function M.unflatten(x, d, sizes)
  check.tensor_argument("unflatten", 1, x)
  d = check.dimension("unflatten", 2, d, x.ndim)
  local shape, known, unknown = x.shape, 1, nil
  local n = table.remove(shape, d) or 1
  for i, size in ipairs(type(sizes) == "table" and check.list(sizes) or {}) do
    table.insert(shape, d + i - 1, size)
    if size == -1 and not unknown then
      unknown = d + i - 1
    else
      known = math.type(size) == "integer" and size >= 0 and known and known * size
    end
  end
  local fits = known and (unknown and known > 0 and n % known == 0 or known == n)
  if type(sizes) ~= "table" or #sizes == 0 or not fits then
    fail("unflatten: argument 3: expected sizes for the %d indices of dimension %d, got %s", n, d,
      check.describe(sizes))
  end
  if unknown then
    shape[unknown] = n // known
  end
  return operations.view(x, shape)
end

--- Returns x with dimension `from` (or several) moved to `to`, the others in their order.
--- shapes  x [a, b, c], 1, 3 -> [b, c, a]; { 3, 1 }, { 1, 2 } -> [c, a, b]; a view
--- domain  any dtype; dimensions from 1, or from the end
---     print(#wrun.zeros(2, 3, 4):movedim(1, -1)) -- 3
---@param from integer|integer[]
---@param to integer|integer[]
function M.movedim(x, from, to)
  check.tensor_argument("movedim", 1, x)
  local lists = { from, to }
  local order, taken = {}, { {}, {} }
  for k = 1, 2 do
    local list = lists[k]
    lists[k] = {}
    for i, d in ipairs(check.plain_list("movedim", k + 1, list, "dimensions")) do
      d = check.dimension("movedim", k + 1, d, x.ndim)
      if taken[k][d] then
        fail("movedim: argument %d: dimension %d is given twice", k + 1, d)
      end
      taken[k][d], lists[k][i] = true, d
    end
  end
  if #lists[1] ~= #lists[2] then
    fail("movedim: expected as many dimensions as indices, got %d and %d", #lists[1], #lists[2])
  end
  for i, index in ipairs(lists[2]) do
    order[index] = lists[1][i]
  end
  local next_free = 1
  for d = 1, x.ndim do
    if not taken[1][d] then
      while taken[2][next_free] do
        next_free = next_free + 1
      end
      order[next_free] = d
      next_free = next_free + 1
    end
  end
  return x.ndim > 0 and operations.permute(x, order) or x
end

--- Returns x with two dimensions swapped, as `transpose`.
--- as      transpose
---@param a integer
---@param b integer
function M.swapaxes(x, a, b)
  return operations.transpose(x, a, b)
end

--- Returns the transposes of the matrices of the last two dimensions.
--- shapes  x [..., m, n] -> [..., n, m], a view
---     print(#wrun.zeros(5, 2, 3):mT():select(1, 1)) -- 3
function M.mT(x)
  check.tensor_argument("mT", 1, x)
  if x.ndim < 2 then
    fail("mT: argument 1: expected two dimensions or more, got %s", check.shape_text(x))
  end
  return operations.transpose(x, -2, -1)
end

--- Returns x repeated to the given shape, as `expand`.
--- as      expand
function M.broadcast_to(x, ...)
  return operations.expand(x, ...)
end

-- Parts ----------------------------------------------------------------------

--- Returns length indices of dimension d, from start on.
--- shapes  x [a, b], d = 2 -> [a, length], a view
--- domain  any dtype; d and start from 1, or from the end
--- raises  `narrow: expected a part of dimension`; `narrow: argument 2: expected a dimension`
---     print(wrun.arange(10):narrow(1, 3, 4))
---@type fun(x: wrun.Tensor, d: integer, start: integer, length: integer): wrun.Tensor
M.narrow = operations.narrow

--- Returns one index of dimension d, without that dimension.
--- shapes  x [a, b], d = 2 -> [a], a view
--- domain  any dtype; d and index from 1, or from the end
--- raises  `select: expected an index from 1 to`; `select: argument 2: expected a dimension`
---     print(wrun.arange(6):reshape(2, 3):select(2, -1))
---@type fun(x: wrun.Tensor, d: integer, index: integer): wrun.Tensor
M.select = operations.select

--- Returns all windows of size indices along dimension d, step apart.
--- shapes  x [a, n], d = 2 -> [a, (n - size) // step + 1, size], a view
--- domain  any dtype; size from 0 to n, step from 1
--- raises  `unfold: argument 3: expected a size from`; `unfold: argument 4: expected a step of`
---     print(wrun.arange(7):unfold(1, 3, 2))
---@type fun(x: wrun.Tensor, d: integer, size: integer, step: integer): wrun.Tensor
M.unfold = operations.unfold

--- Returns the diagonal of two dimensions, as the last dimension in their place.
--- shapes  x [n, n, a] -> [a, n], a view; offset moves it right (above 0) or down (below 0)
--- domain  any dtype; offset 0, dimensions 1 and 2 by default
--- raises  `diagonal: argument 1: expected a tensor with two dimensions`; `diagonal: expected two`
---     print(wrun.arange(9):reshape(3, 3):diagonal(1)) -- 1, 5
---@type fun(x: wrun.Tensor, offset?: integer, d?: integer, e?: integer): wrun.Tensor
M.diagonal = operations.diagonal

-- All parts, as a table of views ---------------------------------------------

--- x as a tensor with dimensions, and dimension d, argument `index`, as a number from 1
local function along(f, x, index, d)
  check.tensor_argument(f, 1, x)
  if x.ndim == 0 then
    fail("%s: argument 1: expected a tensor with dimensions, got %s", f, check.describe(x))
  end
  return check.dimension(f, index, d or 1, x.ndim)
end

local function whole(f, index, what, value, least)
  local n = type(value) == "number" and math.tointeger(value)
  if not n or n < least then
    fail("%s: argument %d: expected %s, got %s", f, index, what, check.describe(value))
  end
  return n
end

--- stretches of these sizes, one after the other
local function cut(x, sizes, d)
  local views, start = {}, 1
  for i, size in ipairs(sizes) do
    views[i] = operations.narrow(x, d, start, size)
    start = start + size
  end
  return views
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
---     local left, right = table.unpack(wrun.arange(10):reshape(2, 5):split({ 2, 3 }, 2))
---     print(left, right)
---@param size integer|integer[]
---@return wrun.Tensor[]
function M.split(x, size, d)
  d = along("split", x, 3, d)
  local n = x:size(d)
  if type(size) ~= "table" then
    local least = n > 0 and 1 or 0
    size = whole("split", 2, "a size of 1 or more or a table of sizes", size, least)
    return cut(x, equal_sizes(n, math.max(size, 1)), d)
  end
  local total = 0
  size = check.list(size)
  for i = 1, #size do
    total = total + whole("split", 2, "sizes of 0 or more", size[i], 0)
  end
  if total ~= n then
    fail("split: argument 2: expected sizes that add up to %d, the size of dimension %d, got %d", n,
      d, total)
  end
  return cut(x, size, d)
end

local MOST_EMPTY = 1000000 -- parts of a dimension that has fewer elements

local function check_parts(f, count, n)
  if count > math.max(n, MOST_EMPTY) then
    fail("%s: argument 2: expected at most %d parts, got %d", f, math.max(n, MOST_EMPTY), count)
  end
end

--- Returns at most count stretches of dimension d, all of one size but the last.
--- shapes  x [5, a], 3 -> [2, a], [2, a], [1, a]; views
--- domain  any dtype; d 1 by default. Fewer stretches come out where the size rounded up fills x
---   sooner; tensor_split gives just as many as it is asked for.
--- as      split
---     print(#wrun.arange(10):chunk(4)) -- 3, 3, 3 and 1 elements
---@return wrun.Tensor[]
function M.chunk(x, count, d)
  d = along("chunk", x, 3, d)
  count = whole("chunk", 2, "a number of parts from 1", count, 1)
  local n, sizes = x:size(d), {}
  if n > 0 then
    return cut(x, equal_sizes(n, -(-n // count)), d)
  end
  check_parts("chunk", count, n)
  for i = 1, count do
    sizes[i] = 0
  end
  return cut(x, sizes, d)
end

--- Returns count stretches of dimension d whose sizes differ by 1 at most, or those between cuts.
--- shapes  x [5, a], 3 -> [2, a], [2, a], [1, a]; { 1, 3 } (cuts after 1 and 3) -> [1, a], [2, a],
---   [2, a]; views
--- domain  any dtype; d 1 by default; a cut beyond the end is one at the end
--- as      split
---     for _, part in ipairs(wrun.arange(7):tensor_split(3)) do print(part) end
---@param cuts integer|integer[]
---@return wrun.Tensor[]
function M.tensor_split(x, cuts, d)
  d = along("tensor_split", x, 3, d)
  local n, views = x:size(d), {}
  if type(cuts) ~= "table" then
    local count = whole("tensor_split", 2, "a number of parts from 1 or a table of cuts", cuts, 1)
    check_parts("tensor_split", count, n)
    cuts = {}
    for i = 1, count - 1 do
      cuts[i] = i * (n // count) + math.min(i, n % count)
    end
  end
  local last = 0
  cuts = check.list(cuts)
  for i = 1, #cuts + 1 do
    local next_cut = i > #cuts and n or whole("tensor_split", 2, "cuts of 0 or more", cuts[i], 0)
    next_cut = math.min(next_cut, n)
    views[i] = operations.narrow(x, d, last + 1, math.max(next_cut - last, 0))
    last = next_cut
  end
  return views
end

--- Returns all indices of dimension d, each without that dimension.
--- shapes  x [3, a] -> [a], [a], [a]; views
--- as      split
---     local x, y = table.unpack(wrun.rand(5, 2):unbind(2))
---     print((x * x + y * y):le(1))
---@return wrun.Tensor[]
function M.unbind(x, d)
  d = along("unbind", x, 2, d)
  local views = {}
  for i = 1, x:size(d) do
    views[i] = operations.select(x, d, i)
  end
  return views
end

return M
