--- Order: sorted tensors, the largest and smallest few, medians, modes and quantiles.
--- NaN counts as larger than every number, and of equal elements the first index comes first, in
--- descending order too. Gradients flow to the indices that were gather_values.

local as_tensor = require "wrun.tensor.internal.as_tensor"
local check = require "wrun.check"
local gather_values = require "wrun.tensor.internal.gather_values"
local join = require "wrun.tensor.join"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"
local view = require "wrun.tensor.view"

local fail = check.fail

local M = {}

--- d, or the last dimension, counted from 1
local function dimension_of(name, index, x, d)
  check.tensor_argument(name, 1, x)
  return check.dimension(name, index, d == nil and -1 or d, x.ndim)
end

local function count_along(x, d)
  return x.ndim == 0 and 1 or x:size(d)
end

local function need_elements(name, x, d)
  local n = count_along(x, d)
  if n == 0 then
    fail("%s: argument 1: expected at least one element to choose from, got %s", name,
      check.shape_text(x))
  end
  return n
end

-- Sorting --------------------------------------------------------------------

--- Returns the elements of x in ascending order along dimension d, and where each of them stood.
--- shapes  x [...] -> values [...], indices [...]: int64, from 1
--- domain  any dtype; NaN is the largest. Always stable: equals keep their order.
--- cost    time O(n) for each line of n
---     local values, indices = wrun.tensor({ 3, 1, 2, 1 }):sort()
---     print(values, indices)    -- tensor([1, 1, 2, 3])  tensor([2, 4, 3, 1])
function M.sort(x, d, descending)
  d = dimension_of("sort", 2, x, d)
  descending = check.flag("sort", 3, descending)
  return gather_values(x, d, unrecorded.sort("sort", x, d, descending))
end

--- Returns the elements of x in ascending order along its first dimension.
--- shapes  x [...] -> same
--- domain  any dtype; NaN is the largest
---     print(wrun.tensor({ { 3, 1 }, { 2, 5 } }):msort())    -- tensor([[2, 1], [3, 5]])
function M.msort(x)
  local d = dimension_of("msort", 2, x, 1)
  return (gather_values(x, d, unrecorded.sort("msort", x, d)))
end

--- Returns the indices of x's elements in ascending order along dimension d: x:gather(d, indices)
--- is sorted.
--- shapes  x [...] -> same, int64, from 1
--- domain  any dtype; stable, NaN is the largest
--- as      sort
---     print(wrun.tensor({ 30, 10, 20 }):argsort())              -- tensor([2, 3, 1])
---     print(wrun.tensor({ 30, 10, 20 }):argsort(1, true))       -- tensor([1, 3, 2])
function M.argsort(x, d, descending)
  d = dimension_of("argsort", 2, x, d)
  descending = check.flag("argsort", 3, descending)
  return (select(2, unrecorded.sort("argsort", x, d, descending)))
end

--- Returns the k largest elements along dimension d (the smallest, where `largest` is false), and
--- their indices.
--- shapes  x [m, n], k, 2 -> values [m, k], indices [m, k]: int64, from 1
--- domain  any dtype; k from 0 to the size (a number without dimensions is its own). In
---   order, whatever `sorted` says; of equals the first.
--- raises  `topk: argument 2: expected an integer from 0 to`
--- cost    time O(n) for each line of n
---     local scores = wrun.tensor { 0.1, 0.7, 0.4, 0.9 }
---     print(scores:topk(2))    -- tensor([0.9000, 0.7000])  tensor([4, 2])
---@param sorted boolean?  true
function M.topk(x, k, d, largest, sorted)
  d = dimension_of("topk", 3, x, d)
  k = check.argument("topk", 2, k, check.integer(nil, 0, count_along(x, d)))
  k = x.ndim == 0 and 1 or k
  largest = check.flag("topk", 4, largest, true)
  check.flag("topk", 5, sorted)
  return gather_values(x, d, unrecorded.sort("topk", x, d, largest, k))
end

-- One of each line -----------------------------------------------------------

--- values and indices of one element of each line along d, without d unless keepdim says so
local function single(x, d, keepdim, values, indices)
  values, indices = gather_values(x, d, values, indices)
  if x.ndim == 0 or keepdim then
    return values, indices
  end
  return view.squeeze(values, d), view.squeeze(indices, d)
end

--- Returns the k-th smallest element along dimension d, and its index.
--- shapes  x [m, n], k, 2 -> value [m], index [m]: int64, from 1
--- domain  any dtype; k from 1 to the size; of equals each has its turn, the first index first
--- raises  `kthvalue: argument 2: expected an integer from 1 to`
---     print(wrun.tensor({ 40, 10, 30, 20 }):kthvalue(2))    -- tensor(20)  tensor(4)
function M.kthvalue(x, k, d, keepdim)
  d = dimension_of("kthvalue", 3, x, d)
  k = check.argument("kthvalue", 2, k, check.integer(nil, 1, need_elements("kthvalue", x, d)))
  keepdim = check.flag("kthvalue", 4, keepdim)
  return single(x, d, keepdim, unrecorded.sort("kthvalue", x, d, false, k, true))
end

--- how many elements of each line along d are numbers, d kept
local function count_numbers(x, d)
  return operations.sum(operations.logical_not(operations.isnan(x)), d, true)
end

local function has_nan(x)
  return check.is_float(x) and operations.any(operations.isnan(x)):item()
end

--- the median along d and its index, d kept; where there is NaN, index_of(numbers, size) says which
--- of the sorted elements it is, from how many of them are numbers
local function middle(name, x, d, index_of)
  local n = need_elements(name, x, d)
  if not has_nan(x) then
    return unrecorded.sort(name, x, d, false, (n + 1) // 2, true)
  end
  local values, indices = unrecorded.sort(name, x, d)
  local at = index_of(count_numbers(values, d), n)
  return operations.gather(values, d, at), operations.gather(indices, d, at)
end

--- the median of all of x; its gradient is shared among equals
local function median_of_all(name, x, index_of)
  local is_float = check.is_float(x)
  if x:numel() == 0 and is_float then
    return operations.sum(x) + 0 / 0
  end
  local flat = operations.reshape(x, -1)
  local value = operations.reshape((middle(name, flat, 1, index_of)), {})
  if not (x.requires_grad and is_float) then
    return value
  end
  local is_median = value:isnan():item() and flat:isnan() or flat:eq(value)
  return operations.max(operations.where(is_median, flat, -math.huge))
end

local function median(name, index_of)
  return function(x, d, keepdim)
    check.tensor_argument(name, 1, x)
    keepdim = check.flag(name, 3, keepdim)
    if d == nil then
      return median_of_all(name, x, index_of)
    end
    d = check.dimension(name, 2, d, x.ndim)
    return single(x, d, keepdim, middle(name, x, d, index_of))
  end
end

--- Returns the median of all elements, or of those along dimension d and its index: of an even
--- number the lower of the two in the middle.
--- shapes  x [...] -> []; x [m, n], 2 -> value [m], index [m]: int64, from 1
--- domain  any dtype; NaN (the first) where there is one, and for an empty float tensor. Over all
---   the gradient is shared among equals.
---     print(wrun.tensor({ 5.0, 1, 4, 2 }):median())     -- tensor(2.)
---     print(wrun.tensor({ 5.0, 1, 4, 2 }):median(1))    -- tensor(2.)  tensor(4)
---@type fun(x: wrun.Tensor, d?: integer, keepdim?: boolean): wrun.Tensor, wrun.Tensor?
M.median = median("median", function(numbers, n)
  return operations.where(operations.lt(numbers, n), numbers + 1, (n + 1) // 2)
end)

--- Returns the median of all numbers, or of those along dimension d and its index, NaN left out.
--- domain  any dtype; NaN where there is nothing else
--- as      median
---     print(wrun.tensor({ 5.0, 0 / 0, 4, 2 }):nanmedian())    -- tensor(4.)
M.nanmedian = median("nanmedian", function(numbers)
  return ((numbers + 1) / 2):floor():long():clamp(1)
end)

--- Returns the most frequent element along dimension d (of several the smallest), and the last of
--- its indices.
--- shapes  x [m, n], 2 -> value [m], index [m]: int64, from 1
--- domain  any dtype; NaN equals nothing, so no NaN is frequent
---     print(wrun.tensor({ 4, 2, 2, 4, 1 }):mode())    -- tensor(2)  tensor(3)
function M.mode(x, d, keepdim)
  d = dimension_of("mode", 2, x, d)
  keepdim = check.flag("mode", 3, keepdim)
  local n = need_elements("mode", x, d)
  if x.ndim == 0 then
    return view.squeeze((M.mode(view.unsqueeze(x, 1)))), operations.ones({ dtype = "int64" })
  end
  local values, indices = unrecorded.sort("mode", x, d)
  -- along each sorted line: where the run of equals starts that an element belongs to
  local at = operations.cumsum(operations.expand(operations.ones({ dtype = "int64" }), x.shape), d)
  local is_new = operations.ne(values:narrow(d, 2, n - 1), values:narrow(d, 1, n - 1))
  local starts = operations.where(is_new, at:narrow(d, 2, n - 1), 1)
  starts = unrecorded.cummax(join.cat({ at:narrow(d, 1, 1), starts }, d), d)
  local last = unrecorded.argmax(at - starts, d, true)
  values, indices = operations.gather(values, d, last), operations.gather(indices, d, last)
  return single(x, d, keepdim, values, indices)
end

-- Quantiles ------------------------------------------------------------------

local quantile_options = {
  interpolation = check.choice("linear", { "linear", "lower", "higher", "midpoint", "nearest" }),
}

--- the probabilities as a tensor of x's type
local function probabilities(name, q, x)
  if type(q) == "number" or type(q) == "table" then
    q = operations.tensor(q, { dtype = x.dtype })
  end
  if not check.is_tensor(q) or q.ndim > 1 or q.dtype ~= x.dtype then
    fail("%s: argument 2: expected a number, a table of numbers or a %s tensor of at most 1 "
      .. "dimension, got %s", name, x.dtype, check.describe(q))
  elseif not operations.all(operations.ge(q, 0):logical_and(operations.le(q, 1))):item() then
    local numbers = q:reshape(-1):tolist()
    for i, number in ipairs(numbers) do
      numbers[i] = check.describe(number)
    end
    fail("%s: argument 2: expected probabilities from 0 to 1, got %s", name,
      table.concat(numbers, ", "))
  end
  return q
end

--- the elements of sorted[..., n] at ranks[..., k] (from 0), or what lies between two of them
local function at_ranks(sorted, ranks, interpolation)
  local rounded = {
    lower = operations.floor, higher = operations.ceil, nearest = operations.round,
  }
  local function at(whole)
    return operations.gather(sorted, -1, operations.to(whole, "int64") + 1)
  end
  if rounded[interpolation] then
    return at(rounded[interpolation](ranks))
  end
  local floor = operations.floor(ranks)
  local below, above = at(floor), at(operations.ceil(ranks))
  local weight = interpolation == "midpoint" and operations.clone(ranks) * 0 + 0.5 or ranks - floor
  local difference = above - below
  local is_far = operations.logical_not(operations.isfinite(difference))
  difference = operations.where(is_far, 0, difference)
  local between = operations.where(operations.lt(weight, 0.5), below + weight * difference,
    above - difference * (1 - weight))
  local average = below * (1 - weight) + above * weight -- of infinities, or of opposite ends
  local far = operations.where(operations.eq(weight, 0), below, average)
  return operations.where(is_far, far, between)
end

--- x with dimension d last, and all its dimensions joined where d is nil; and the shape of a result
local function with_line_last(x, d, keepdim)
  local kept = {}
  for i, size in ipairs(x.shape) do
    if d ~= nil and i ~= d then
      kept[#kept + 1] = size
    elseif keepdim then
      kept[#kept + 1] = 1
    end
  end
  if d == nil or x.ndim == 0 then
    return operations.reshape(x, -1), kept
  end
  local order = {}
  for i = 1, x.ndim do
    order[#order + 1] = i ~= d and i or nil
  end
  order[#order + 1] = d
  return operations.permute(x, order), kept
end

local function quantile(name, ignores_nan)
  return function(x, q, d, keepdim, options)
    check.tensor_argument(name, 1, x)
    check.float_argument(name, 1, x)
    local interpolation = check.options(name, options, quantile_options).interpolation
    q = probabilities(name, q, x)
    d = d ~= nil and check.dimension(name, 3, d, x.ndim) or nil
    keepdim = check.flag(name, 4, keepdim)
    local lines, shape_of_one = with_line_last(x, d, keepdim)
    local n = need_elements(name, lines, -1)
    local sorted = M.sort(lines, -1)
    local numbers = count_numbers(sorted, -1):to(x.dtype)
    local ranks
    if ignores_nan then
      ranks = operations.reshape(q, -1) * (numbers - 1):clamp(0)
    else
      ranks = operations.where(numbers:lt(n), n - 1, operations.reshape(q, -1) * (n - 1))
    end
    local values = at_ranks(sorted, ranks, interpolation)
    if q.ndim == 0 then
      return operations.reshape(values, shape_of_one)
    end
    local order = { values.ndim }
    for i = 1, values.ndim - 1 do
      order[i + 1] = i
    end
    table.insert(shape_of_one, 1, q:numel())
    return operations.reshape(operations.permute(values, order), shape_of_one)
  end
end

--- Returns the value below which the share q of the elements of x lies, or one for each q.
--- shapes  x [...], q a number -> [], or without dimension d; a list of k -> [k, ...]
--- domain  float32 or float64, q from 0 to 1. Between two elements the option interpolation says
---   what holds: linear, lower, higher, midpoint or nearest (of two as near the even one).
---   NaN where the line has a NaN.
--- raises  `quantile: argument 2: expected a number`
---     local x = wrun.tensor { 1.0, 2, 3, 10 }
---     print(x:quantile(0.5))              -- tensor(2.5000)
---     print(x:quantile({ 0, 0.9, 1 }))    -- tensor([ 1.0000,  7.9000, 10.0000])
---@type fun(x: wrun.Tensor, q: number|table, d?: integer, keepdim?: boolean, options?: table): wrun.Tensor
M.quantile = quantile("quantile", false)

--- Returns quantiles of the numbers in x, NaN left out.
--- domain  as `quantile`; NaN where the line is nothing but NaN
--- as      quantile
---     print(wrun.tensor({ 1.0, 0 / 0, 3 }):nanquantile(0.5))    -- tensor(2.)
M.nanquantile = quantile("nanquantile", true)

-- Indices into ordered sequences ---------------------------------------------

local search_options = {
  right = check.boolean(false), side = check.optional(check.choice(nil, { "left", "right" })),
  sorter = check.optional(check.tensor()),
}

--- Returns for each value the index where it would be put into an ascending sequence: before its
--- equals there, or behind them with option right (or side = "right").
--- shapes  sequence [n], values [...] or a number -> same; [..., n], [..., m] -> [..., m]
--- domain  any dtypes; indices are int64 from 1 to n + 1. NaN is the largest. Option sorter: the
---   indices that sort the sequence, as `argsort` gives them.
--- cost    time O(log n) a value
---     local sequence = wrun.tensor { 10, 20, 20, 30 }
---     print(sequence:searchsorted(wrun.tensor { 5, 20, 99 }))                      -- 1, 2, 5
---     print(sequence:searchsorted(wrun.tensor { 5, 20, 99 }, { right = true }))    -- 1, 4, 5
function M.searchsorted(sequence, values, options)
  local o = check.options("searchsorted", options, search_options)
  check.tensor_argument("searchsorted", 1, sequence)
  values = as_tensor("searchsorted", 2, values, sequence.dtype)
  if o.right and o.side == "left" then
    fail("searchsorted: option side: expected right, as option right says, got left")
  elseif o.sorter then
    sequence = operations.gather(operations.detach(sequence), -1, o.sorter)
  end
  return unrecorded.searchsorted(sequence, values, o.right or o.side == "right")
end

local bucket_options = { right = check.boolean(false) }

--- Returns the number of the bucket each value is in: bucket i ends with boundaries[i], and the
--- last has no end. With option right a boundary itself belongs to the bucket it begins.
--- shapes  values [...] or a number, boundaries [n], ascending -> [...]
--- domain  any dtypes; buckets are int64 from 1 to n + 1. NaN is in the last.
---     print(wrun.tensor({ 0, 5, 7 }):bucketize(wrun.tensor { 1, 5 }))    -- tensor([1, 2, 3])
function M.bucketize(values, boundaries, options)
  local o = check.options("bucketize", options, bucket_options)
  check.tensor_argument("bucketize", 2, boundaries)
  if boundaries.ndim ~= 1 then
    fail("bucketize: argument 2: expected a tensor of 1 dimension, got %s",
      check.describe(boundaries))
  end
  values = as_tensor("bucketize", 1, values, boundaries.dtype)
  return unrecorded.searchsorted(boundaries, values, o.right)
end

return M
