--- Statistics of tensors: spread, size, and whether two are equal or near.

local core = require "wrun.core"
local check = require "wrun.check"
local operations = require "wrun.operations"
local shape = require "wrun.shape"

local fail = core.fail

local M = {}

--- how many elements a reduction over dim joins
local function reduced_count(x, dim)
  if dim == nil or x.ndim == 0 then
    return x:numel()
  end
  local count = 1
  for _, d in ipairs(type(dim) == "table" and dim or { dim }) do
    count = count * x:size(d)
  end
  return count
end

local variance_options = { unbiased = check.boolean(true) }

--- Returns the variance: the mean square distance from the mean, times n / (n - 1) unless
--- options.unbiased is false.
--- shapes  x [...] -> [], or without dimension dim
--- domain  float32 or float64; NaN for fewer than 2 elements
--- raises  as `mean`; `var: option unbiased: expected true or false`
---@param x Tensor
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@param options? { unbiased: boolean }
---@return Tensor
function M.var(x, dim, keepdim, options)
  check.tensor_argument("var", 1, x)
  local n = reduced_count(x, dim)
  local unbiased = options == nil or check.options("var", options, variance_options).unbiased
  local every = dim
  if every == nil then
    every = {}
    for d = 1, x.ndim do
      every[d] = d
    end
  end
  local squares = operations.square(x - operations.mean(x, every, true))
  return operations.sum(squares, dim, keepdim) / math.max(0, unbiased and n - 1 or n)
end

--- Returns the standard deviation: the root of the variance.
--- shapes  as `var`
--- domain  as `var`
--- raises  as `var`
---@param x Tensor
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@param options? { unbiased: boolean }
---@return Tensor
function M.std(x, dim, keepdim, options)
  return operations.sqrt(M.var(x, dim, keepdim, options))
end

--- Returns the p-norm (sum |x|^p)^(1/p); for math.huge the largest magnitude.
--- shapes  x [...] -> [], or without dimension dim
--- domain  float32 or float64; p > 0. The 2-norm's gradient is 0 where the norm is 0.
--- raises  `norm: argument 2: expected a number > 0`
---@param x Tensor
---@param p? number  2
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@return Tensor
function M.norm(x, p, dim, keepdim)
  p = p or 2
  local is_valid = type(p) == "number" and p > 0
  if not is_valid then
    fail("norm: argument 2: expected a number > 0, got %s", core.describe(p))
  end
  if p == 2 then
    local squared = operations.sum(operations.square(x), dim, keepdim)
    local is_zero = operations.eq(squared, 0)
    return operations.where(is_zero, 0, operations.sqrt(operations.where(is_zero, 1, squared)))
  elseif p == 1 then
    return operations.sum(operations.abs(x), dim, keepdim)
  elseif p == math.huge then
    local largest = operations.max(operations.abs(x), dim, keepdim)
    return largest
  end
  return operations.pow(operations.sum(operations.pow(operations.abs(x), p), dim, keepdim), 1 / p)
end

--- Returns log sum exp(x) along dim, without overflow.
--- shapes  x [m, n], 2 -> [m]
--- domain  float32 or float64; -inf where all elements are
--- raises  as `max`
---@param x Tensor
---@param dim integer
---@param keepdim? boolean
---@return Tensor
function M.logsumexp(x, dim, keepdim)
  check.tensor_argument("logsumexp", 1, x)
  local most = operations.max(x:detach(), dim, true)
  most = operations.where(operations.isfinite(most), most, 0)
  local result = operations.log(operations.sum(operations.exp(x - most), dim, true)) + most
  return keepdim and result or shape.squeeze(result, dim)
end

--- Have a and b the same shape and equal elements?
--- shapes  any
--- domain  any dtypes; NaN equals nothing
--- raises  `equal: argument N: expected a tensor`
---@param a Tensor
---@param b Tensor
---@return boolean
function M.equal(a, b)
  check.tensor_argument("equal", 1, a)
  check.tensor_argument("equal", 2, b)
  return core.shape_text(a) == core.shape_text(b) and operations.all(operations.eq(a, b)):item()
end

local closeness_options = {
  rtol = check.number(1e-5, 0), atol = check.number(1e-8, 0), equal_nan = check.boolean(false),
}

local function closeness(f, a, b, options)
  local o = check.options(f, options, closeness_options)
  check.tensor_argument(f, 1, a)
  b = type(b) == "number" and core.tensor(b) or b
  check.tensor_argument(f, 2, b)
  local distance = (a - b):abs()
  local near = distance:le(b:abs() * o.rtol + o.atol):logical_and(distance:isfinite())
    :logical_or(a:eq(b))
  if o.equal_nan then
    near = near:logical_or(a:isnan():logical_and(b:isnan()))
  end
  return near
end

--- Returns where |a - b| <= atol + rtol |b|; infinities are near themselves.
--- shapes  a and b broadcast -> bool
--- domain  numbers or floats; NaN is near nothing unless equal_nan
--- raises  `isclose: option NAME: expected`; as `sub`
---
---     print(wrun.isclose(wrun.tensor({ 1.0, 2.0 }), 1, { rtol = 0.1 }))
---@param a Tensor
---@param b Tensor|number
---@param options? { rtol: number, atol: number, equal_nan: boolean }  1e-5, 1e-8, false
---@return Tensor
function M.isclose(a, b, options)
  return closeness("isclose", a, b, options)
end

--- Is |a - b| <= atol + rtol |b| everywhere? Infinities are near themselves.
--- shapes  a and b broadcast
--- domain  numbers or floats; NaN is near nothing unless equal_nan
--- raises  `allclose: option NAME: expected`; as `sub`
---@param a Tensor
---@param b Tensor|number
---@param options? { rtol: number, atol: number, equal_nan: boolean }  1e-5, 1e-8, false
---@return boolean
function M.allclose(a, b, options)
  return closeness("allclose", a, b, options):all():item()
end

return M
