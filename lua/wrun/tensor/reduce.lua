--- Reductions: sums, means, products, extremes.

local check = require "wrun.check"
local gradients = require "wrun.tensor.internal.gradients"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"
local with_dtype = require "wrun.tensor.internal.with_dtype"

local M = {}

local restore_dimensions, zeros_like = gradients.restore_dimensions, gradients.zeros_like

local function spread(g, _, x, dim, keepdim)
  return restore_dimensions(g, x, dim, keepdim):expand(x.shape)
end

local function mean_gradient(g, y, x, dim, keepdim)
  return spread(g / (x:numel() // math.max(1, g:numel())), y, x, dim, keepdim)
end

--- the gradient of a product without division: that of the last running product of the dimensions
--- dim, joined into one at the end
local function prod_gradient_by_runs(g, x, dim)
  local is_reduced, first, last, sizes = {}, {}, {}, {}
  for _, d in ipairs(type(dim) == "table" and check.list(dim) or { dim }) do
    is_reduced[d < 0 and d + x.ndim + 1 or d] = true
  end
  for d, size in ipairs(x.shape) do
    local list = (dim == nil or is_reduced[d]) and last or first
    list[#list + 1] = d
    sizes[#sizes + 1] = list == first and size or nil
  end
  local order = table.move(last, 1, #last, #first + 1, first)
  sizes[#sizes + 1] = -1
  local line = x:permute(order):reshape(sizes)
  local n = line:size(-1)
  local upstream = operations.cat(-1, zeros_like(line:narrow(-1, 1, n - 1), g),
    g:reshape(line:narrow(-1, n, 1).shape))
  local dx = gradients.cumprod_gradient(upstream, line:cumprod(-1), line, -1)
  local back = {}
  for at, d in ipairs(order) do
    back[d] = at
  end
  return dx:reshape(x:permute(order).shape):permute(back)
end

-- of a smaller one, or a larger than its reciprocal, y / x may not be the other factors
local LEAST_PRODUCT = { float32 = 2.0 ^ -100, float64 = 2.0 ^ -960 }

local function prod_gradient(g, y, x, dim, keepdim)
  if x:numel() == 0 then
    return zeros_like(x, g)
  end
  local size, least = y:detach():abs(), LEAST_PRODUCT[x.dtype]
  local is_ordinary = size:gt(least):logical_and(size:lt(1 / least))
  if is_ordinary:all():item() then
    return restore_dimensions(g * y, x, dim, keepdim) / x
  end
  return prod_gradient_by_runs(g, x, x.ndim > 0 and dim or nil)
end

--- which elements of x are the extreme y, with NaN equal to NaN; dimensions of y are as x's or 1
local function is_extreme(x, y)
  local ties = x:eq(y)
  if y:isnan():any():item() then
    ties = ties:logical_or(x:isnan():logical_and(y:isnan()))
  end
  return ties
end

--- amax and amin: shared among equals
local function shared_gradient(g, y, x, dim, keepdim)
  y = restore_dimensions(y, x, dim, keepdim):detach()
  local ties = is_extreme(x:detach(), y):to(g.dtype)
  return restore_dimensions(g, x, dim, keepdim) * (ties / ties:sum(dim, true))
end

--- max and min: to the index found along a dimension, shared among equals over the whole
local function extreme_gradient(find)
  return function(g, y, x, dim, keepdim)
    if dim == nil then
      return shared_gradient(g, y, x, dim, keepdim)
    elseif x.ndim == 0 then
      return g
    end
    local _, indices = unrecorded[find](x:detach(), dim, true)
    return zeros_like(x, g):scatter_add_(dim, indices, restore_dimensions(g, x, dim, keepdim))
  end
end

--- 2 (x - mean) / (n - correction)
local function var_gradient(g, _, x, dim, keepdim, correction)
  local freedom = math.max(0, x:numel() // math.max(1, g:numel()) - correction)
  return restore_dimensions(g, x, dim, keepdim) * (2 / freedom) * (x - x:mean(dim, true))
end

--- x / y, and 0 where the root y of squares is 0
local function over_root(x, y)
  local is_zero = y:eq(0)
  return operations.where(is_zero, 0, x / operations.where(is_zero, 1, y))
end

-- of a larger deviation, distances may be beyond the dtype
local MOST_DEVIATION = { float32 = 2.0 ^ 126, float64 = 2.0 ^ 1022 }

--- (x - mean) / y / (n - correction)
local function std_gradient(g, y, x, dim, keepdim, correction)
  local freedom = math.max(0, x:numel() // math.max(1, g:numel()) - correction)
  if y:numel() > 0 and unrecorded.amax(y:detach()):item() > MOST_DEVIATION[x.dtype] then
    x, y = x / 4, y / 4
  end
  local distance = x - x:mean(dim, true)
  return restore_dimensions(g, x, dim, keepdim) / freedom
    * over_root(distance, restore_dimensions(y, x, dim, keepdim))
end

--- x over its norm y where that may be infinite: infinite elements alone count, and alike; where
--- there are none, in units in which the norm is within the dtype
local function over_infinite_norm(x, y, dim)
  local is_infinite = x:detach():isinf()
  local count = is_infinite:to(x.dtype):sum(dim, true)
  local unit = operations.where(y:detach():isinf(), 2.0 ^ -70, 1):to(x.dtype)
  local rest = x:masked_fill(is_infinite, 0) * unit
  local shares = operations.where(is_infinite, x:detach():sign() / count:sqrt(), 0)
  return operations.where(count:gt(0):logical_and(y:detach():isinf()), shares,
    over_root(rest, operations._norm(rest, dim, true)))
end

local function norm_gradient(g, y, x, dim, keepdim)
  y = restore_dimensions(y, x, dim, keepdim)
  local is_beyond = y:detach():isinf():any():item()
  local ratio = (is_beyond and over_infinite_norm or over_root)(x, y, dim)
  return restore_dimensions(g, x, dim, keepdim) * ratio
end

--- the same in one array
local function plain_norm_gradient(g, _, values)
  local y, x, dim, keepdim = table.unpack(values, 1, 4)
  local root = restore_dimensions(y, x, dim, keepdim)
  if root:isinf():any():item() then
    return { norm_gradient(g, y, x, dim, keepdim) }
  end
  root = operations.where(root:eq(0), 1, root) -- of zeros
  return { (x / root):mul_(restore_dimensions(g, x, dim, keepdim)) }
end

operations.define("reduce", {
  sum = {
    gradients = { spread },
    kernels = { "_sum_gradient" },
    shapes = true,
    sample = function(randn) return randn(2, 3, 4), { 1, 3 } end,
  },
  mean = {
    gradients = { mean_gradient },
    kernels = { "_mean_gradient" },
    shapes = true,
    sample = function(randn) return randn(2, 3, 4), 2, true end,
  },
  prod = {
    gradients = { prod_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 2 end,
  },
  max = {
    gradients = { extreme_gradient("max") },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 1 end,
  },
  min = {
    gradients = { extreme_gradient("min") },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), -1 end,
  },
  amax = {
    gradients = { shared_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(2, 3, 2), { 1, 3 } end,
  },
  amin = {
    gradients = { shared_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 2, true end,
  },
  var = {
    gradients = { var_gradient },
    saves = { 1 },
    sample = function(randn) return randn(2, 3, 4), { 1, 3 }, false, 1 end,
  },
  std = {
    gradients = { std_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(2, 3, 4), { 1, 3 }, false, 1 end,
  },
  _norm = {
    label = "LinalgVectorNormBackward0",
    gradients = { norm_gradient },
    together = plain_norm_gradient,
    saves = { 1, "y" },
    sample = function(randn) return randn(2, 3, 4), { 1, 3 } end,
  },
})

--- Returns the sum over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions dims, or with size 1 there where keepdim is set
--- domain  floats keep their dtype, others give int64; 0 for no elements
--- raises  `sum: argument 2: expected a dimension`; `sum: option dtype: expected`
---     local x = wrun.ones(2, 3)
---     print(x:sum(), x:sum(1), x:sum({ 1, 2 }, true))
---@param options { dtype: string }?  of x before it is reduced, and of the result
function M.sum(x, dims, keepdim, options)
  return with_dtype("sum", operations.sum, options, x, dims, keepdim)
end

--- Returns the mean over everything, or over one or some dimensions.
--- domain  float32 or float64; NaN for no elements
--- raises  `mean: argument 1: expected a float`; `mean: argument 2: expected a dimension`;
---   `mean: option dtype: expected`
--- as      sum
---     print(wrun.tensor({ { 1.0, 2.0 }, { 3.0, 4.0 } }):mean(1))
function M.mean(x, dims, keepdim, options)
  return with_dtype("mean", operations.mean, options, x, dims, keepdim)
end

--- Returns the product over everything, or over one or some dimensions.
--- domain  floats keep their dtype, others give int64; 1 for no elements. The gradient holds
---   where factors are 0, too
--- as      sum
---     print(wrun.arange(1, 6):prod())
function M.prod(x, dims, keepdim, options)
  return with_dtype("prod", operations.prod, options, x, dims, keepdim)
end

--- Returns the largest element, and along a dimension also its index.
--- shapes  x [...] -> []; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all; the first of equals. Over everything, equals share
---   the gradient
--- raises  `max: argument 1: expected at least one element`; `max: argument 2: expected`
---     local values, indices = wrun.tensor({ { 1, 5 }, { 4, 2 } }):max(2)
---     print(values, indices)
---@param d integer|wrun.Tensor?  all dimensions; of a tensor `maximum`
---@return wrun.Tensor
---@return wrun.Tensor? indices
function M.max(x, d, keepdim)
  if check.is_tensor(d) then
    return operations.maximum(x, d)
  end
  return operations.max(x, d, keepdim)
end

--- Returns the smallest element, and along a dimension also its index.
--- domain  any dtype; NaN is smaller than all; the first of equals. Over everything, equals share
---   the gradient
--- as      max
---     local values, indices = wrun.tensor({ { 1, 5 }, { 4, 2 } }):min(2)
---     print(values, indices)
---@param d integer|wrun.Tensor?  all dimensions; of a tensor `minimum`
function M.min(x, d, keepdim)
  if check.is_tensor(d) then
    return operations.minimum(x, d)
  end
  return operations.min(x, d, keepdim)
end

--- Returns the index of the largest element, counted through the whole tensor or along d.
--- shapes  x [...] -> [] int64; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all; the first of equals
--- raises  `argmax: argument 1: expected at least one element`;
---   `argmax: argument 2: expected a dimension`
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):argmax(2))
---@type fun(x: wrun.Tensor, d?: integer, keepdim?: boolean): wrun.Tensor
M.argmax = operations.argmax

--- Returns the index of the smallest element, counted through the whole tensor or along d.
--- domain  any dtype; NaN is smaller than all; the first of equals
--- as      argmax
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):argmin(2))
M.argmin = operations.argmin

--- Returns whether any element is not 0.
--- shapes  x [...] -> [] bool; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is not 0; false for no elements. Lua takes any tensor for true: write
---   `if x:any():item() then`
---     print(wrun.tensor({ { 0, 1 }, { 0, 0 } }):any(2))
---@type fun(x: wrun.Tensor, d?: integer|integer[], keepdim?: boolean): wrun.Tensor
M.any = operations.any

--- Returns whether all elements are not 0.
--- domain  any dtype; NaN is not 0; true for no elements. Lua takes any tensor for true: write
---   `if x:all():item() then`, and `if a:equal(b) then` to compare two
--- as      any
---     print(wrun.tensor({ { 0, 1 }, { 1, 1 } }):all(2))
M.all = operations.all

--- Returns the largest element over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all. Equals share the gradient.
--- raises  `amax: argument 1: expected at least one element`;
---   `amax: argument 2: expected a dimension`
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):amax({ 1, 2 }))    -- tensor(5)
---@type fun(x: wrun.Tensor, d?: integer|integer[], keepdim?: boolean): wrun.Tensor
M.amax = operations.amax

--- Returns the smallest element over everything, or over one or some dimensions.
--- domain  any dtype; NaN is smaller than all. Equals share the gradient.
--- as      amax
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):amin(1))    -- tensor([1, 2])
M.amin = operations.amin

--- Returns the smallest and the largest element, over everything or over some dimensions.
--- shapes  x [...] -> smallest [], largest []; without dimensions dims, or with size 1 there where
---   keepdim is set
--- domain  any dtype; both are NaN where there is one. Equals share the gradient.
--- raises  as `amin`
---     print(wrun.tensor({ 3, 1, 2 }):aminmax())    -- tensor(1)  tensor(3)
function M.aminmax(x, dims, keepdim)
  return operations.amin(x, dims, keepdim), operations.amax(x, dims, keepdim)
end

--- Returns how many elements are not 0.
--- shapes  x [...] -> [] int64; without dimensions dims
--- domain  any dtype; NaN is not 0
--- raises  as `sum`
---     print(wrun.tensor({ { 0, 5 }, { 4, 2 } }):count_nonzero(1))    -- tensor([1, 2])
function M.count_nonzero(x, dims)
  check.tensor_argument("count_nonzero", 1, x)
  return operations.sum(operations.ne(x, 0), dims)
end

--- x with 0 for NaN
local function without_nan(name, x)
  check.tensor_argument(name, 1, x)
  return operations.to(operations.where(operations.isnan(x), 0, x), x.dtype)
end

--- Returns the sum of all that is not NaN, over everything or over some dimensions.
--- domain  any dtype; 0 where there is nothing but NaN
--- raises  `nansum: option dtype: expected`; as `sum`
--- as      sum
---     print(wrun.tensor({ 1.0, 0 / 0, 3 }):nansum())    -- tensor(4.)
function M.nansum(x, dims, keepdim, options)
  check.tensor_argument("nansum", 1, x)
  local y = with_dtype("nansum", operations.sum, options, x, dims, keepdim)
  if not operations.isnan(y):any():item() then
    return y
  end
  return (with_dtype("nansum", operations.sum, options, without_nan("nansum", x), dims, keepdim))
end

--- Returns the mean of all that is not NaN, over everything or over some dimensions.
--- shapes  as `mean`
--- domain  float32 or float64; NaN where there is nothing but NaN
--- raises  as `nansum`
--- as      sum
---     print(wrun.tensor({ 1.0, 0 / 0, 3 }):nanmean())    -- tensor(2.)
function M.nanmean(x, dims, keepdim, options)
  check.tensor_argument("nanmean", 1, x)
  check.float_argument("nanmean", 1, x)
  local is_number = operations.logical_not(operations.isnan(x))
  local y = M.nansum(x, dims, keepdim, options) / operations.sum(is_number, dims, keepdim)
  if operations.isinf(y):any():item() then -- the sum may be beyond the dtype, and the mean within
    local shares = x / operations.sum(is_number, dims, true)
    y = operations.where(operations.isinf(y), M.nansum(shares, dims, keepdim, options), y)
  end
  return y
end

--- Returns log sum exp(x) over everything or over one or some dimensions, without overflow.
--- domain  any dtype, integers as float32; -inf where all elements are, or there are none. The
---   gradient is `softmax`: elements of +inf share it alike
--- raises  as `sum`
--- as      sum
---     print(wrun.tensor({ 1000.0, 1000.0 }):logsumexp(1))    -- tensor(1000.6932)
function M.logsumexp(x, dims, keepdim)
  check.tensor_argument("logsumexp", 1, x)
  if not check.is_float(x) then
    x = operations.to(x, "float32")
  end
  if x:numel() == 0 then
    return operations.log(operations.sum(x, dims, keepdim))
  end
  local most = operations.amax(operations.detach(x), dims, true)
  local is_finite = operations.isfinite(most)
  if not operations.item(operations.all(is_finite)) then
    local is_infinite = operations.eq(most, math.huge)
    if operations.item(operations.any(is_infinite)) then
      local rest = M.logsumexp(operations.where(is_infinite, 0, x), dims, keepdim)
      return operations.where(operations.reshape(is_infinite, rest.shape),
        operations.amax(x, dims, keepdim), rest)
    end
    most = operations.where(is_finite, most, 0)
  end
  local sum = operations.sum((x - most):exp_(), dims, keepdim)
  local is_zero = operations.eq(sum, 0) -- all are -inf: the gradient is 0
  local log = operations.log(operations.where(is_zero, 1, sum))
  return operations.where(is_zero, -math.huge, log + operations.reshape(most, sum.shape))
end

return M
