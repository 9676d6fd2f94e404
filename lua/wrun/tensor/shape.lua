--- Shapes of tensors: dimensions added, taken away and joined, and tensors put together.

local core = require "wrun.core"
local check = require "wrun.check"
local operations = require "wrun.tensor.operations"

local fail = core.fail

local M = {}

--- Returns the elements of x in another shape, which shows the same memory.
--- shapes  x [a, b] -> [sizes] of as many elements, a view; one size may be -1, whatever is left
--- domain  any dtype
--- raises  `view: expected a shape for the N elements`; `view: expected sizes of 0 or more and at`;
---   `view: the elements do not lie in that order` where they would have to be moved
---
---     print(wrun.arange(6):view(2, -1))
---@type fun(x: Tensor, ...: integer|integer[]): Tensor
M.view = operations.view

--- Returns the elements of x in another shape: a view where the memory allows, else a copy.
--- shapes  x [a, b] -> [sizes] of as many elements; one size may be -1, whatever is left
--- domain  any dtype
--- raises  `reshape: expected a shape for the N elements`; `reshape: expected sizes of 0 or more`
---
---     print(wrun.arange(6):reshape(2, 3):t():reshape(-1))
---@type fun(x: Tensor, ...: integer|integer[]): Tensor
M.reshape = operations.reshape

--- Returns x with two dimensions exchanged.
--- shapes  x [a, b, c], 1, 3 -> [c, b, a], a view
--- domain  any dtype; dimensions from 1, or from the end
--- raises  `transpose: argument N: expected a dimension`
---
---     print(wrun.arange(6):reshape(2, 3):transpose(1, 2))
---@type fun(x: Tensor, d: integer, e: integer): Tensor
M.transpose = operations.transpose

--- Returns x with its dimensions in another order: dimension d of the result is x's dims[d].
--- shapes  x [a, b, c], 3, 1, 2 -> [c, a, b], a view
--- domain  any dtype; dimensions from 1, or from the end
--- raises  `permute: expected each dimension from 1 to N once`
---
---     print(wrun.zeros(2, 3, 4):permute(3, 1, 2).shape[1])
---@type fun(x: Tensor, ...: integer|integer[]): Tensor
M.permute = operations.permute

--- Returns x with dimensions of size 1, and new ones in front, repeated without copying.
--- shapes  x [1, b] -> [sizes], such as [a, b], a view; -1 keeps a size
--- domain  any dtype
--- raises  `expand: expected a shape that SHAPE broadcasts to`
---
---     print(wrun.arange(3):expand(2, -1))
---@type fun(x: Tensor, ...: integer|integer[]): Tensor
M.expand = operations.expand

--- Returns the transpose of a matrix; a vector or a number is its own.
--- shapes  x [m, n] -> [n, m], a view
--- domain  any dtype
--- raises  `t: argument 1: expected at most 2 dimensions`
---
---     print(wrun.arange(6):reshape(2, 3):t())
---@param x Tensor
---@return Tensor
function M.t(x)
  check.tensor_argument("t", 1, x)
  if x.ndim > 2 then
    fail("t: argument 1: expected at most 2 dimensions, got %s; use transpose", core.shape_text(x))
  end
  return x.ndim == 2 and operations.transpose(x, 1, 2) or x
end

--- Returns x with a dimension of size 1 at place d of the result.
--- shapes  x [a, b], d = 2 -> [a, 1, b], a view
--- domain  any dtype; d from 1 to ndim + 1, or from the end
--- raises  `unsqueeze: argument 2: expected a dimension`
---
---     print(wrun.arange(3):unsqueeze(2))
---@param x Tensor
---@param d integer
---@return Tensor
function M.unsqueeze(x, d)
  check.tensor_argument("unsqueeze", 1, x)
  local shape = x.shape
  table.insert(shape, check.dimension("unsqueeze", 2, d, #shape + 1), 1)
  return operations.view(x, shape)
end

--- Returns x without its dimensions of size 1, or without those of dimensions d that are.
--- shapes  x [a, 1, b] -> [a, b], a view
--- domain  any dtype; d one dimension or a table of them
--- raises  `squeeze: argument 2: expected a dimension`
---
---     local x = wrun.zeros(1, 2, 1, 3)
---     print(#x:squeeze().shape, #x:squeeze(1).shape, #x:squeeze({ 1, 2 }).shape)
---@param x Tensor
---@param d? integer|integer[]
---@return Tensor
function M.squeeze(x, d)
  check.tensor_argument("squeeze", 1, x)
  local kept, may_go = {}, {}
  for _, each in ipairs(type(d) == "table" and d or { d }) do
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
--- domain  any dtype
--- raises  `flatten: argument 2: expected a dimension`; `expected the first dimension before`
---
---     print(wrun.arange(24):reshape(2, 3, 4):flatten(2).shape[2])
---@param x Tensor
---@param first? integer  1
---@param last? integer  -1
---@return Tensor
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
--- domain  any dtype
--- raises  `expand: expected a shape that`
---
---     print(wrun.arange(3):expand_as(wrun.zeros(2, 3)))
---@param x Tensor
---@param y Tensor
---@return Tensor
function M.expand_as(x, y)
  check.tensor_argument("expand_as", 2, y)
  return operations.expand(x, y.shape)
end

--- Returns the elements of x in the shape of y.
--- shapes  as many elements in both; a view
--- domain  any dtype
--- raises  as `view`
---
---     print(wrun.arange(6):view_as(wrun.zeros(2, 3)))
---@param x Tensor
---@param y Tensor
---@return Tensor
function M.view_as(x, y)
  check.tensor_argument("view_as", 2, y)
  return operations.view(x, y.shape)
end

--- Returns the elements of x in the shape of y, copied where a view cannot show them.
--- shapes  as many elements in both
--- domain  any dtype
--- raises  as `reshape`
---
---     print(wrun.arange(6):reshape_as(wrun.zeros(2, 3)))
---@param x Tensor
---@param y Tensor
---@return Tensor
function M.reshape_as(x, y)
  check.tensor_argument("reshape_as", 2, y)
  return operations.reshape(x, y.shape)
end

--- Returns x with dimension d cut into several.
--- shapes  x [a, b * c], d = 2, { b, c } -> [a, b, c], a view; one size may be -1
--- domain  any dtype
--- raises  `unflatten: argument 2: expected a dimension`; `unflatten: argument 3: expected sizes`
---
---     print(wrun.arange(6):unflatten(1, { 2, -1 }))
---@param x Tensor
---@param d integer
---@param sizes integer[]
---@return Tensor
function M.unflatten(x, d, sizes)
  check.tensor_argument("unflatten", 1, x)
  d = check.dimension("unflatten", 2, d, x.ndim)
  local shape, known, unknown = x.shape, 1, nil
  local n = table.remove(shape, d) or 1
  for i, size in ipairs(type(sizes) == "table" and sizes or {}) do
    table.insert(shape, d + i - 1, size)
    if size == -1 and not unknown then
      unknown = d + i - 1
    else
      known = math.type(size) == "integer" and size >= 0 and known and known * size
    end
  end
  local fits = known and (unknown and known > 0 and n % known == 0 or known == n)
  if type(sizes) ~= "table" or #sizes == 0 or not fits then
    fail("unflatten: argument 3: expected sizes for the %d positions of dimension %d, got %s", n, d,
      check.describe(sizes))
  end
  if unknown then
    shape[unknown] = n // known
  end
  return operations.view(x, shape)
end

--- Returns x with dimension `from` (or several) moved to place `to`, the others in their order.
--- shapes  x [a, b, c], 1, 3 -> [b, c, a]; { 3, 1 }, { 1, 2 } -> [c, a, b]; a view
--- domain  any dtype; dimensions from 1, or from the end
--- raises  `movedim: argument N: expected a dimension`; `movedim: expected as many`; `movedim:
---   argument N: dimension D is given twice`
---
---     print(#wrun.zeros(2, 3, 4):movedim(1, -1)) -- 3
---@param x Tensor
---@param from integer|integer[]
---@param to integer|integer[]
---@return Tensor
function M.movedim(x, from, to)
  check.tensor_argument("movedim", 1, x)
  local lists = { from, to }
  local order, taken = {}, { {}, {} }
  for k, list in ipairs(lists) do
    lists[k] = {}
    for i, d in ipairs(type(list) == "table" and list or { list }) do
      d = check.dimension("movedim", k + 1, d, x.ndim)
      if taken[k][d] then
        fail("movedim: argument %d: dimension %d is given twice", k + 1, d)
      end
      taken[k][d], lists[k][i] = true, d
    end
  end
  if #lists[1] ~= #lists[2] then
    fail("movedim: expected as many dimensions as places, got %d and %d", #lists[1], #lists[2])
  end
  for i, place in ipairs(lists[2]) do
    order[place] = lists[1][i]
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

--- Returns x with two dimensions exchanged, as `transpose`.
--- shapes  x [a, b, c], 1, 3 -> [c, b, a], a view
--- domain  any dtype
--- raises  as `transpose`
---
---     print(#wrun.zeros(2, 3):swapaxes(1, 2)) -- 3
---@type fun(x: Tensor, d: integer, e: integer): Tensor
M.swapaxes = operations.transpose

--- Returns the transposes of the matrices of the last two dimensions.
--- shapes  x [..., m, n] -> [..., n, m], a view
--- domain  any dtype
--- raises  `mT: argument 1: expected two dimensions or more`
---
---     print(#wrun.zeros(5, 2, 3):mT():select(1, 1)) -- 3
---@param x Tensor
---@return Tensor
function M.mT(x)
  check.tensor_argument("mT", 1, x)
  if x.ndim < 2 then
    fail("mT: argument 1: expected two dimensions or more, got %s", core.shape_text(x))
  end
  return operations.transpose(x, -2, -1)
end

--- Returns x expanded to a shape, as `expand`.
--- shapes  x [1, b] -> [sizes], such as [a, b], a view
--- domain  any dtype
--- raises  as `expand`
---
---     print(wrun.arange(3):broadcast_to(2, 3))
---@type fun(x: Tensor, ...: integer|integer[]): Tensor
M.broadcast_to = operations.expand

--- Returns tensors one after the other along dimension d.
--- shapes  [a, n], [b, n] along 1 -> [a + b, n]
--- domain  any dtypes; the result has their common one
--- raises  `cat: tensor N: expected the shape`; `cat: argument 1: expected a table`
---
---     print(wrun.cat({ wrun.zeros(2, 1), wrun.ones(2, 2) }, 2))
---@param list Tensor[]  of one shape but for dimension d
---@param d? integer  1
---@return Tensor
function M.cat(list, d)
  check.tensors("cat", 1, list)
  d = check.dimension("cat", 2, d or 1, list[1].ndim)
  return operations.cat(d, table.unpack(list))
end

--- Returns tensors of one shape side by side along a new dimension d.
--- shapes  k tensors [m, n] along 1 -> [k, m, n]
--- domain  any dtypes; the result has their common one
--- raises  `stack: tensor N: expected the shape`; `stack: argument 1: expected a table`
---
---     print(wrun.stack({ wrun.tensor({ 1, 2 }), wrun.tensor({ 3, 4 }) }, 2))
---@param list Tensor[]
---@param d? integer  1
---@return Tensor
function M.stack(list, d)
  check.tensors("stack", 1, list)
  d = check.dimension("stack", 2, d or 1, list[1].ndim + 1)
  local parts = {}
  for i, x in ipairs(list) do
    if core.shape_text(x) ~= core.shape_text(list[1]) then
      fail("stack: tensor %d: expected the shape %s, got %s", i, core.shape_text(list[1]),
        core.shape_text(x))
    end
    parts[i] = M.unsqueeze(x, d)
  end
  return M.cat(parts, d)
end

return M
