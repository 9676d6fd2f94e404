--- Counting: which elements there are, how often, and in which bins they fall.

local as_tensor = require "wrun.tensor.internal.as_tensor"
local check = require "wrun.check"
local join = require "wrun.tensor.join"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"
local view = require "wrun.tensor.view"

local fail = check.fail

local M = {}

local INT64 = { dtype = "int64" }

-- Different elements ---------------------------------------------------------

--- for each row (or element) of x[n, ...], whether it begins a run: differs from the one before
local function begins_run(x)
  local n = x:size(1)
  local rest = math.max(n - 1, 0)
  local later = operations.narrow(x, 1, math.min(2, n + 1), rest)
  local is_new = operations.ne(later, operations.narrow(x, 1, 1, rest))
  is_new = x.ndim > 1 and operations.any(is_new, 2) or is_new
  return join.cat({ operations.ones(math.min(n, 1), { dtype = "bool" }), is_new })
end

--- how long the runs are of n elements in a row
local function lengths_of(starts, n)
  local count = starts:numel()
  local ends = operations.narrow(starts, 1, math.min(2, count + 1), math.max(count - 1, 0))
  return join.cat({ ends, operations.full({ math.min(count, 1) }, n + 1, INT64) }) - starts
end

--- x as what is to be told apart: its elements [n], or its parts along d as rows [n, width]
local function lines_of(x, d)
  if d == nil then
    return operations.reshape(x, -1)
  end
  local n = x:size(d)
  return operations.reshape(operations.transpose(x, 1, d), n, n > 0 and x:numel() // n or 0)
end

--- the indices of lines in ascending order, rows by their first difference
local function order_of(lines)
  if lines.ndim == 1 then
    return select(2, unrecorded.sort("unique", lines, 1))
  end
  local order = operations.arange(1, lines:size(1) + 1)
  for column = lines:size(2), 1, -1 do
    local keys = operations.index_select(operations.select(lines, 2, column), 1, order)
    order = operations.index_select(order, 1, (select(2, unrecorded.sort("unique", keys, 1))))
  end
  return order
end

local consecutive_options = {
  return_inverse = check.boolean(false), return_counts = check.boolean(false),
  dim = check.optional(check.integer()),
}

local unique_options = { sorted = check.boolean(true) }
for name, rule in pairs(consecutive_options) do
  unique_options[name] = rule
end

--- the different elements of bytes, by how often each of them all occurs
local function different_bytes(x, options)
  local row, all = operations.reshape(x, -1), 256
  local bins = unrecorded.histc(operations.to(row, "float64"), all, 0, all)
  local counts = operations.to(bins, "int64")
  local values = operations.reshape(operations.nonzero(counts), -1)
  local results = { operations.to(values - 1, x.dtype) }
  if options.return_inverse then
    local numbers = operations.cumsum(operations.ne(counts, 0), 1)
    results[2] = operations.reshape(operations.index_select(numbers, 1,
      operations.to(row, "int64") + 1), x.shape)
  end
  if options.return_counts then
    results[#results + 1] = operations.index_select(counts, 1, values)
  end
  return table.unpack(results)
end

local BYTES = { bool = true, uint8 = true }

--- the different elements of x, in the order of `order_lines(lines)` where it is given
local function different(name, x, options, order_lines)
  check.tensor_argument(name, 1, x)
  local d = options.dim
  if d ~= nil then
    d = check.dimension(name, "dim", d, x.ndim)
    x = x.ndim == 0 and view.unsqueeze(x, 1) or x
  end
  x = operations.detach(x)
  local lines = lines_of(x, d)
  local order = order_lines and order_lines(lines)
  local ordered = order and operations.index_select(lines, 1, order) or lines
  local n, is_new = lines:size(1), begins_run(ordered)
  if not d and not options.return_inverse and not options.return_counts then
    return unrecorded._pick(ordered, is_new)
  end
  local starts = operations.reshape(operations.nonzero(is_new), -1)
  local indices = order and operations.index_select(order, 1, starts) or starts
  local results = { operations.index_select(d and x or lines, d or 1, indices) }
  if options.return_inverse then
    local number = operations.cumsum(is_new, 1)
    local inverse = order and operations.zeros(n, INT64):index_add_(1, order, number) or number
    results[2] = d and inverse or operations.reshape(inverse, x.shape)
  end
  if options.return_counts then
    results[#results + 1] = lengths_of(starts, n)
  end
  return table.unpack(results)
end

--- Returns the different elements of x in ascending order, or with option dim its different parts
--- along that dimension; then, where asked for, which of them each element is, and how often each
--- occurs.
--- shapes  x [...] -> [k], inverse [...], counts [k]; x [m, n], dim = 1 -> [k, n], [m], [k]
--- domain  any dtype; always sorted, whatever option sorted says; every NaN is different. inverse
---   and counts are int64, inverse counts from 1. No gradient.
---     local x = wrun.tensor { 3, 1, 3, 2 }
---     local values, inverse = x:unique { return_inverse = true }
---     print(values, inverse)    -- tensor([1, 2, 3])  tensor([3, 1, 3, 2])
---     assert(values:index_select(1, inverse):equal(x))
---@param options { return_inverse: boolean, return_counts: boolean, dim: integer }?
---@return wrun.Tensor ...
function M.unique(x, options)
  options = check.options("unique", options, unique_options)
  if check.is_tensor(x) and BYTES[x.dtype] and options.dim == nil then
    return different_bytes(x, options)
  end
  return different("unique", x, options, order_of)
end

--- Returns x without the elements that equal the one before, or with option dim without such parts
--- along that dimension; then, where asked for, which of the rest each element is, and how many
--- equals followed each other.
--- domain  as `unique`, in the order of x
--- as      unique
---     local x = wrun.tensor { 1, 1, 2, 2, 2, 1 }
---     local values, counts = x:unique_consecutive { return_counts = true }
---     print(values, counts)    -- tensor([1, 2, 1])  tensor([2, 3, 1])
function M.unique_consecutive(x, options)
  return different("unique_consecutive", x,
    check.options("unique_consecutive", options, consecutive_options))
end

local isin_options = { invert = check.boolean(false), assume_unique = check.boolean(false) }

--- Returns for each element whether it is among the others, or with option invert whether not.
--- shapes  elements [...] -> same, bool; others of any shape, or a number
--- domain  any dtypes; NaN is nowhere
--- raises  `isin: argument N: expected a tensor`
---     print(wrun.isin(wrun.tensor { 1, 2, 3 }, wrun.tensor { 3, 1 }))    -- True, False, True
function M.isin(elements, others, options)
  local o = check.options("isin", options, isin_options)
  local dtype = check.is_tensor(elements) and elements.dtype
    or check.is_tensor(others) and others.dtype or "float64"
  elements = operations.detach(as_tensor("isin", 1, elements, dtype))
  others = operations.reshape(operations.detach(as_tensor("isin", 2, others, dtype)), -1)
  if others:numel() == 0 then
    return operations.full(elements.shape, o.invert, { dtype = "bool" })
  end
  others = unrecorded.sort("isin", others, 1)
  local flat = operations.reshape(elements, -1)
  local index = unrecorded.searchsorted(others, flat):clamp(1, others:numel())
  local nearest = operations.reshape(operations.index_select(others, 1, index), elements.shape)
  local compare = o.invert and operations.ne or operations.eq
  return compare(elements, nearest)
end

-- Bins -----------------------------------------------------------------------

--- Returns how often each of the numbers 1, 2, 3 ... occurs in x, or the sum of the weights of its
--- occurrences. PyTorch counts from 0: its bincount of x is wrun's of x + 1.
--- shapes  x [n], weights [n] -> [the largest of x, at least minlength]
--- domain  x integers, from 1; counts are int64, sums of float32 weights float32 and of all
---   others float64
---     print(wrun.tensor({ 2, 4, 2 }):bincount())                                  -- 0, 2, 0, 1
---     print(wrun.tensor({ 1, 2, 1 }):bincount(wrun.tensor { 0.5, 1.0, 2.0 }))     -- 2.5, 1
---@param weights wrun.Tensor?
function M.bincount(x, weights, minlength)
  check.tensor_argument("bincount", 1, x)
  minlength = check.argument("bincount", 3, minlength, check.integer(0, 0))
  if x.ndim ~= 1 or not x.dtype:find("int", 1, true) then
    fail("bincount: argument 1: expected an integer tensor of 1 dimension, got %s",
      check.describe(x))
  end
  local n, most = x:numel(), 0
  if n > 0 then
    local least = unrecorded.amin(x):item()
    most = unrecorded.amax(x):item()
    if least < 1 then
      fail("bincount: argument 1: expected integers >= 1, got %d%s", least,
        least == 0 and "; numbers that count from 0 need +1" or "")
    end
  end
  local dtype = "int64"
  if weights ~= nil then
    check.tensor_argument("bincount", 2, weights)
    if weights.ndim ~= 1 or weights:numel() ~= n then
      fail("bincount: argument 2: expected weights of shape [%d], got %s", n,
        check.shape_text(weights))
    end
    weights = weights.dtype == "float32" and weights or operations.to(weights, "float64")
    dtype = weights.dtype
  end
  local count = math.max(most, minlength)
  check.sizes("bincount", { count })
  local zeros = operations.zeros(count, { dtype = dtype })
  return operations.index_add_(zeros, 1, operations.to(x, "int64"), weights or 1)
end

--- low and high, or the extremes of x where they are equal, and `margin` to both sides of one value
local function range_of(name, x, low, high, margin)
  if low == high and x:numel() > 0 then
    low, high = unrecorded.amin(x):item(), unrecorded.amax(x):item()
  end
  if low == high then
    low, high = low - margin, high + margin
  end
  local width = high - low
  if width ~= width or width == math.huge then
    fail("%s: argument 1: expected a finite range, got %s to %s", name, check.describe(low),
      check.describe(high))
  end
  return low, high
end

local function check_float(name, x)
  check.tensor_argument(name, 1, x)
  check.float_argument(name, 1, x)
end

--- how many (or the sum of the weights) of the elements where `inside` are in each bin; the index
--- of the others is that of some bin
local function count_bins(bins, index, inside, weights)
  weights = weights and operations.where(inside, weights, 0) or operations.to(inside, "int64")
  return operations.zeros(bins, { dtype = weights.dtype }):index_add_(1, index, weights)
end

--- Returns how many elements of x fall in each of `bins` bins of one width between min and max.
--- shapes  x [...] -> [bins], in x's dtype
--- domain  float32 or float64. Where min = max the extremes of x stand for them. What is outside,
---   or NaN, is left out; max itself is in the last bin. No gradient.
---     print(wrun.tensor({ 1.0, 2.0, 1.5, 9.0 }):histc(4, 0, 4))    -- tensor([0., 2., 1., 0.])
function M.histc(x, bins, min, max)
  check_float("histc", x)
  bins = check.argument("histc", 2, bins, check.integer(100, 1))
  check.sizes("histc", { bins })
  min = check.argument("histc", 3, min, check.number(0))
  max = check.argument("histc", 4, max, check.number(0, min))
  return unrecorded.histc(x, bins, range_of("histc", x, min, max, 1))
end

local histogram_options = {
  range = check.optional(check.rule(nil, "two numbers", function(value)
    local ok = type(value) == "table" and #value == 2 and tonumber(value[1]) and tonumber(value[2])
    return ok and value or nil
  end)),
  weight = check.optional(check.tensor()), density = check.boolean(false),
}

local function edges_of(x, bins, range)
  if check.is_tensor(bins) then
    if bins.ndim ~= 1 or bins:numel() < 2 or bins.dtype ~= x.dtype then
      fail("histogram: argument 2: expected a %s tensor of 2 or more edges, got %s", x.dtype,
        check.describe(bins))
    elseif range then
      fail("histogram: option range: expected none where the edges are given")
    end
    return operations.detach(bins)
  end
  bins = check.argument("histogram", 2, bins, check.integer(nil, 1))
  check.sizes("histogram", { bins })
  local low, high = table.unpack(range or { 0, 0 })
  if low > high then
    fail("histogram: option range: expected two numbers in order, got %s and %s", low, high)
  end
  low, high = range_of("histogram", x, low, high, 0.5)
  return operations.linspace(low, high, bins + 1, { dtype = x.dtype })
end

--- Returns how many elements of x fall in each bin, and the edges of the bins. A bin holds its
--- lower edge, the last one its upper edge too.
--- shapes  x [...], k -> histogram [k], edges [k + 1]; x [...], edges [k + 1] -> [k], [k + 1]
--- domain  float32 or float64; bins of one width between the numbers of option range (or the
---   extremes of x), or given by ascending edges. Option weight, of x's shape and type, is
---   summed instead of 1; with density = true the histogram times the widths sums to 1. No
---   gradient.
---     local x = wrun.tensor { 1.0, 2.0, 1.5, 9.0 }
---     local counts, edges = x:histogram(2, { range = { 0, 4 } })
---     print(counts, edges)    -- tensor([2., 1.])  tensor([0., 2., 4.])
---@param bins integer|wrun.Tensor
---@param options { range: number[], weight: wrun.Tensor, density: boolean }?
function M.histogram(x, bins, options)
  check_float("histogram", x)
  local o = check.options("histogram", options, histogram_options)
  local weight = o.weight
  if weight and (weight.dtype ~= x.dtype or not check.same_shape(weight, x)) then
    fail("histogram: option weight: expected %s, got %s", check.describe(x), check.describe(weight))
  end
  x = operations.reshape(operations.detach(x), -1)
  local edges = edges_of(x, bins, o.range)
  local count = edges:numel() - 1
  local inside = operations.ge(x, edges:select(1, 1)):logical_and(x:le(edges:select(1, -1)))
  local index = (unrecorded.searchsorted(edges, x, true) - 1):clamp(1, count)
  local weights = weight and operations.reshape(operations.detach(weight), -1)
  local histogram = operations.to(count_bins(count, index, inside, weights), x.dtype)
  if o.density then
    local widths = edges:narrow(1, 2, count) - edges:narrow(1, 1, count)
    histogram = histogram / histogram:sum() / widths
  end
  return histogram, edges
end

return M
