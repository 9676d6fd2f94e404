--- Elements in another arrangement: backwards, shifted, turned, and repeated.

local check = require "wrun.check"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

operations.define("arrange", {
  _flip = {
    label = "FlipBackward0",
    gradients = { function(g, _, _, ...) return operations._flip(g, ...) end },
    sample = function(randn) return randn(3, 2, 4), 1, 3 end,
  },
})

--- dimensions given one by one or in a table, as a list of numbers from 1, each once
local function dimensions(f, x, first, ...)
  local list, taken = { first, ... }, {}
  if type(first) == "table" then
    list = check.plain_list(f, 2, first, "dimensions")
  end
  for i, d in ipairs(list) do
    d = check.dimension(f, 2, d, x.ndim)
    if taken[d] then
      fail("%s: dimension %d is given twice", f, d)
    end
    taken[d] = i
  end
  return taken
end

--- Returns x with the order of some dimensions reversed.
--- shapes  x [...] -> same, a copy
--- domain  any dtype; dimensions one by one or in a table
---     print(wrun.arange(6):reshape(2, 3):flip(2))
---@param ... integer|integer[]
function M.flip(x, ...)
  check.tensor_argument("flip", 1, x)
  if (...) == nil then
    fail("flip: argument 2: expected a dimension, got nil")
  end
  local list = {}
  for d in pairs(dimensions("flip", x, ...)) do
    list[#list + 1] = x.ndim > 0 and d or nil
  end
  return operations._flip(x, table.unpack(list))
end

--- y with its indices along d moved up by `shift`; those that leave come in again
local function rolled(y, shift, d)
  local n = y:size(d)
  local cut = n > 0 and (-shift) % n or 0
  if cut == 0 then
    return y
  end
  local front, back = operations.narrow(y, d, 1, cut), operations.narrow(y, d, cut + 1, n - cut)
  return operations.cat(d, back, front)
end

--- Returns x with its indices along dimensions moved up by shifts; those that leave at one end
--- come in at the other.
--- shapes  x [...] -> same, a copy; without dimensions x is rolled as one row
--- domain  any dtype; shifts of either sign, a number, or a table of as many as dimensions
---     print(wrun.arange(5):roll(2)) -- 3, 4, 0, 1, 2
---     print(wrun.arange(6):reshape(2, 3):roll({ 1, -1 }, { 1, 2 }))
---@param shifts integer|integer[]
---@param d integer|integer[]?
function M.roll(x, shifts, d)
  check.tensor_argument("roll", 1, x)
  shifts = type(shifts) == "table" and check.list(shifts) or { shifts }
  local dims = type(d) == "table" and check.list(d) or { d }
  for i = 1, math.max(#shifts, 1) do
    if math.type(shifts[i]) ~= "integer" then
      fail("roll: argument 2: expected a whole number, got %s", check.describe(shifts[i]))
    end
  end
  if #shifts ~= (d == nil and 1 or #dims) then
    fail("roll: expected a shift for each dimension, got %d and %d", #shifts, #dims)
  elseif d == nil and x.ndim == 1 then
    dims = { 1 }
  elseif d == nil then
    local row = rolled(operations.reshape(x, -1), shifts[1], 1)
    return operations.clone(operations.reshape(row, x.shape))
  end
  local y = x
  for i, each in ipairs(dims) do
    each = check.dimension("roll", 3, each, x.ndim)
    y = x.ndim > 0 and rolled(y, shifts[i], each) or y
  end
  return rawequal(y, x) and operations.clone(x) or y
end

--- Returns x turned by count quarters of a circle, from the first to the second of two dimensions.
--- shapes  x [m, n] -> [n, m] for an odd count, a copy
--- domain  any dtype; count 1 and dimensions { 1, 2 } by default
---     print(wrun.arange(6):reshape(2, 3):rot90())
---@param count integer?  1
---@param dims integer[]?  { 1, 2 }
function M.rot90(x, count, dims)
  check.tensor_argument("rot90", 1, x)
  count = check.argument("rot90", 2, count, check.rule(1, "a whole number", math.tointeger))
  if x.ndim < 2 then
    fail("rot90: argument 1: expected two dimensions or more, got %s", check.shape_text(x))
  end
  dims = check.argument("rot90", 3, dims, check.table({ 1, 2 }))
  local a = check.dimension("rot90", 3, dims[1], x.ndim)
  local b = check.dimension("rot90", 3, dims[2], x.ndim)
  if a == b then
    fail("rot90: argument 3: expected two different dimensions, got %d twice", a)
  end
  count = count % 4
  if count == 2 then
    return M.flip(x, a, b)
  elseif count == 0 then
    return operations.clone(x)
  end
  return operations.contiguous(operations.transpose(M.flip(x, count == 1 and b or a), a, b))
end

--- x beside itself along each dimension; counts has as many numbers as x dimensions or more
local function tiled(f, x, counts)
  local apart, repeated, sizes = {}, {}, {}
  local lead = #counts - x.ndim
  for i, count in ipairs(counts) do
    local size = i > lead and x:size(i - lead) or 1
    apart[2 * i - 1], apart[2 * i] = 1, size
    repeated[2 * i - 1], repeated[2 * i] = count, size
    sizes[i] = count * size
  end
  check.sizes(f, repeated)
  local y = operations.expand(operations.reshape(x, apart), repeated)
  return operations.reshape(operations.clone(y), sizes)
end

local function counts_of(f, x, first, ...)
  check.tensor_argument(f, 1, x)
  local counts = {}
  for i, count in ipairs(type(first) == "table" and check.list(first) or { first, ... }) do
    if math.type(count) ~= "integer" or count < 0 then
      fail("%s: expected counts of 0 or more, got %s", f, check.describe(count))
    end
    counts[i] = count
  end
  return counts
end

--- Returns x beside itself, count times along each dimension.
--- shapes  x [a, b], 2, 3 -> [2 * a, 3 * b], a copy; more counts than dimensions add some in front
--- domain  any dtype; counts one by one or in a table. Where there are fewer than dimensions, the
---   first dimensions are not repeated; `wrun["repeat"]`, whose name is a word of Lua, refuses that
---     print(wrun.arange(3):tile(2, 2))
---@param ... integer|integer[]
function M.tile(x, ...)
  local counts = counts_of("tile", x, ...)
  while #counts < x.ndim do
    table.insert(counts, 1, 1)
  end
  return tiled("tile", x, counts)
end

--- Returns x beside itself, count times along each dimension: x["repeat"](x, 2, 3), since `repeat`
--- is a word of Lua.
--- shapes  x [a, b], 2, 3 -> [2 * a, 3 * b], a copy; more counts than dimensions add some in front
--- domain  any dtype; counts one by one or in a table
--- raises  `repeat: expected counts of 0 or more`; `repeat: expected a count for each of the`
---     print(wrun["repeat"](wrun.arange(3), 2, 2))
---@param x wrun.Tensor
---@param ... integer|integer[]
M["repeat"] = function(x, ...)
  local counts = counts_of("repeat", x, ...)
  if #counts < x.ndim then
    fail("repeat: expected a count for each of the %d dimensions, got %d; use tile", x.ndim,
      #counts)
  end
  return tiled("repeat", x, counts)
end

--- the indices 1..n, each as often as its count says
local function repeated_indices(counts, n)
  local shown = check.is_tensor(counts) and counts.dtype == "int64" and counts.ndim <= 1
  if not shown or (counts:numel() ~= n and counts:numel() ~= 1) then
    fail("repeat_interleave: argument 2: expected a whole number or an int64 tensor of %d counts, "
      .. "got %s", n, check.describe(counts))
  end
  counts = operations.expand(operations.reshape(counts, -1), n)
  local is_wrong = counts:lt(0)
  if is_wrong:any():item() then
    local i = is_wrong:byte():argmax():item()
    fail("repeat_interleave: argument 2: expected counts of 0 or more, got %d at index %d",
      counts[i]:item(), i)
  end
  -- in float64, which does not wrap
  check.sizes("repeat_interleave", { counts:double():sum():item() })
  local ends = counts:cumsum(1)
  local total = n > 0 and ends[n]:item() or 0
  return unrecorded.searchsorted(ends, operations.arange(total), true)
end

--- each index along d so often
local function repeated(x, count, d)
  local single, expanded, shape = x.shape, x.shape, x.shape
  table.insert(single, d + 1, 1)
  table.insert(expanded, d + 1, count)
  check.sizes("repeat_interleave", { 1.0 * shape[d] * count })
  shape[d] = shape[d] * count
  return operations.reshape(operations.expand(operations.reshape(x, single), expanded), shape)
end

--- Returns the indices along dimension d, each repeated as often as counts say.
--- shapes  x [a, b], 2, 1 -> [2 * a, b]; counts [a] -> [sum of counts, b]; without d x is a row
--- domain  any dtype; counts a whole number or an int64 tensor, 0 or more
--- raises  `repeat_interleave: argument 2: expected a whole number or an int64 tensor`
---     print(wrun.tensor({ 5, 6, 7 }):repeat_interleave(2))
---     print(wrun.tensor({ 5, 6, 7 }):repeat_interleave(wrun.tensor({ 2, 0, 1 })))
---@param counts integer|wrun.Tensor
---@param d integer?
function M.repeat_interleave(x, counts, d)
  check.tensor_argument("repeat_interleave", 1, x)
  if d == nil or x.ndim == 0 then
    x = operations.reshape(x, -1)
  end
  d = check.dimension("repeat_interleave", 3, d or 1, x.ndim)
  if math.type(counts) == "integer" then
    if counts >= 0 then
      return repeated(x, counts, d)
    end
    counts = operations.tensor(counts)
  end
  return operations.index_select(x, d, repeated_indices(counts, x:size(d)))
end

return M
