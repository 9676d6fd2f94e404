--- Reductions: sums, means, products, extremes, and the softmax.

local check = require "wrun.check"
local core = require "wrun.core"
local operations = require "wrun.tensor.operations"
local typed = require "wrun.tensor.typed"

local M = {}

--- Returns the sum over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  floats keep their dtype, others give int64; 0 for no elements
--- raises  `sum: argument 2: expected a dimension`; `sum: option dtype: expected`
---
---     local x = wrun.ones(2, 3)
---     print(x:sum(), x:sum(1), x:sum({ 1, 2 }, true))
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@param options? { dtype: string }  of x before it is reduced, and of the result
---@return Tensor
function M.sum(x, d, keepdim, options)
  return typed.call("sum", operations.sum, options, x, d, keepdim)
end

--- Returns the mean over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  float32 or float64; NaN for no elements
--- raises  `mean: argument 1: expected a float`; `mean: argument 2: expected a dimension`;
---   `mean: option dtype: expected`
---
---     print(wrun.tensor({ { 1.0, 2.0 }, { 3.0, 4.0 } }):mean(1))
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@param options? { dtype: string }  of x before it is reduced, and of the result
---@return Tensor
function M.mean(x, d, keepdim, options)
  return typed.call("mean", operations.mean, options, x, d, keepdim)
end

--- Returns the product over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  floats keep their dtype, others give int64; 1 for no elements. The gradient holds
---   where factors are 0, too
--- raises  `prod: argument 2: expected a dimension`; `prod: option dtype: expected`
---
---     print(wrun.arange(1, 6):prod())
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@param options? { dtype: string }  of x before it is reduced, and of the result
---@return Tensor
function M.prod(x, d, keepdim, options)
  return typed.call("prod", operations.prod, options, x, d, keepdim)
end

--- Returns the largest element, and along a dimension also its position.
--- shapes  x [...] -> []; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all; the first of equals. Over everything, equals share
---   the gradient
--- raises  `max: argument 1: expected at least one element`; `max: argument 2: expected`
---
---     local values, positions = wrun.tensor({ { 1, 5 }, { 4, 2 } }):max(2)
---     print(values, positions)
---@param x Tensor
---@param d? integer|Tensor  all dimensions; of a tensor `maximum`
---@param keepdim? boolean  false
---@return Tensor
---@return Tensor? positions
function M.max(x, d, keepdim)
  if core.is_tensor(d) then
    return operations.maximum(x, d)
  end
  return operations.max(x, d, keepdim)
end

--- Returns the smallest element, and along a dimension also its position.
--- shapes  x [...] -> []; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is smaller than all; the first of equals. Over everything, equals share
---   the gradient
--- raises  `min: argument 1: expected at least one element`; `min: argument 2: expected`
---
---     local values, positions = wrun.tensor({ { 1, 5 }, { 4, 2 } }):min(2)
---     print(values, positions)
---@param x Tensor
---@param d? integer|Tensor  all dimensions; of a tensor `minimum`
---@param keepdim? boolean  false
---@return Tensor
---@return Tensor? positions
function M.min(x, d, keepdim)
  if core.is_tensor(d) then
    return operations.minimum(x, d)
  end
  return operations.min(x, d, keepdim)
end

--- Returns the position of the largest element, counted through the whole tensor or along d.
--- shapes  x [...] -> [] int64; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all; the first of equals
--- raises  `argmax: argument 1: expected at least one element`; `argmax: argument 2: expected`
---
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):argmax(2))
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor
M.argmax = operations.argmax

--- Returns the position of the smallest element, counted through the whole tensor or along d.
--- shapes  x [...] -> [] int64; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is smaller than all; the first of equals
--- raises  `argmin: argument 1: expected at least one element`; `argmin: argument 2: expected`
---
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):argmin(2))
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor
M.argmin = operations.argmin

--- Returns whether any element is not 0.
--- shapes  x [...] -> [] bool; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is not 0; false for no elements
--- raises  `any: argument 2: expected a dimension`
---
---     print(wrun.tensor({ { 0, 1 }, { 0, 0 } }):any(2))
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.any = operations.any

--- Returns whether all elements are not 0.
--- shapes  x [...] -> [] bool; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is not 0; true for no elements
--- raises  `all: argument 2: expected a dimension`
---
---     print(wrun.tensor({ { 0, 1 }, { 1, 1 } }):all(2))
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.all = operations.all

--- Returns the largest element over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all. Equals share the gradient.
--- raises  `amax: argument 1: expected at least one element`; `amax: argument 2: expected`
---
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):amax({ 1, 2 }))    -- tensor(5)
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.amax = operations.amax

--- Returns the smallest element over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is smaller than all. Equals share the gradient.
--- raises  `amin: argument 1: expected at least one element`; `amin: argument 2: expected`
---
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):amin(1))    -- tensor([1, 2])
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.amin = operations.amin

--- Returns the smallest and the largest element, over everything or over some dimensions.
--- shapes  x [...] -> [] twice; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; both are NaN where there is one. Equals share the gradient.
--- raises  as `amin`
---
---     print(wrun.tensor({ 3, 1, 2 }):aminmax())    -- tensor(1)  tensor(3)
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@return Tensor smallest
---@return Tensor largest
function M.aminmax(x, d, keepdim)
  return operations.amin(x, d, keepdim), operations.amax(x, d, keepdim)
end

--- Returns how many elements are not 0.
--- shapes  x [...] -> [] int64; without dimensions d
--- domain  any dtype; NaN is not 0
--- raises  `count_nonzero: argument 1: expected a tensor`; as `sum`
---
---     print(wrun.tensor({ { 0, 5 }, { 4, 2 } }):count_nonzero(1))    -- tensor([1, 2])
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@return Tensor
function M.count_nonzero(x, d)
  check.tensor_argument("count_nonzero", 1, x)
  return operations.sum(operations.ne(x, 0), d)
end

--- x with 0 for NaN
local function without_nan(name, x)
  check.tensor_argument(name, 1, x)
  return operations.to(operations.where(operations.isnan(x), 0, x), x.dtype)
end

--- Returns the sum of all that is not NaN, over everything or over some dimensions.
--- shapes  as `sum`
--- domain  any dtype; 0 where there is nothing but NaN
--- raises  `nansum: argument 1: expected a tensor`; `nansum: option dtype: expected`; as `sum`
---
---     print(wrun.tensor({ 1.0, 0 / 0, 3 }):nansum())    -- tensor(4.)
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@param options? { dtype: string }  of x before it is reduced, and of the result
---@return Tensor
function M.nansum(x, d, keepdim, options)
  return typed.call("nansum", operations.sum, options, without_nan("nansum", x), d, keepdim)
end

--- Returns the mean of all that is not NaN, over everything or over some dimensions.
--- shapes  as `mean`
--- domain  float32 or float64; NaN where there is nothing but NaN
--- raises  `nanmean: argument 1: expected a float`; as `nansum`
---
---     print(wrun.tensor({ 1.0, 0 / 0, 3 }):nanmean())    -- tensor(2.)
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@param options? { dtype: string }  of x before it is reduced, and of the result
---@return Tensor
function M.nanmean(x, d, keepdim, options)
  check.tensor_argument("nanmean", 1, x)
  if not x.dtype:find("float", 1, true) then
    core.fail("nanmean: argument 1: expected a float32 or float64 tensor, got %s", core.describe(x))
  end
  local is_number = operations.logical_not(operations.isnan(x))
  return M.nansum(x, d, keepdim, options) / operations.sum(is_number, d, keepdim)
end

--- Returns log sum exp(x) over everything or over one or some dimensions, without overflow.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype, integers as float32; -inf where all elements are, or there are none
--- raises  `logsumexp: argument 1: expected a tensor`; as `sum`
---
---     print(wrun.tensor({ 1000.0, 1000.0 }):logsumexp(1))    -- tensor(1000.6932)
---@param x Tensor
---@param d? integer|integer[]  all dimensions
---@param keepdim? boolean  false
---@return Tensor
function M.logsumexp(x, d, keepdim)
  check.tensor_argument("logsumexp", 1, x)
  if not x.dtype:find("float", 1, true) then
    x = operations.to(x, "float32")
  end
  if x:numel() == 0 then
    return operations.log(operations.sum(x, d, keepdim))
  end
  local most = operations.amax(operations.detach(x), d, true)
  most = operations.where(operations.isfinite(most), most, 0)
  local sum = operations.sum(operations.exp(x - most), d, keepdim)
  return operations.log(sum) + operations.reshape(most, sum.shape)
end

--- Returns exp(x) / sum exp(x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  float32 or float64; NaN along d where any is NaN or all are -inf
--- raises  `softmax: argument 2: expected a dimension`; `softmax: argument 1: expected a float`
---
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):softmax(1))
---@param x Tensor
---@param d integer
---@param options? { dtype: string }  of x before, and of the result
---@return Tensor
function M.softmax(x, d, options)
  return typed.call("softmax", operations.softmax, options, x, d)
end

--- Returns x - log sum exp(x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  float32 or float64; NaN along d where any is NaN or all are -inf
--- raises  `log_softmax: argument 2: expected a dimension`; `argument 1: expected a float`
---
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):log_softmax(1))
---@param x Tensor
---@param d integer
---@param options? { dtype: string }  of x before, and of the result
---@return Tensor
function M.log_softmax(x, d, options)
  return typed.call("log_softmax", operations.log_softmax, options, x, d)
end

--- Returns exp(-x) / sum exp(-x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  as `softmax`
--- raises  `softmin: argument 1: expected a tensor`; as `softmax`
---
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):softmin(1))
---@param x Tensor
---@param d integer
---@param options? { dtype: string }  of x before, and of the result
---@return Tensor
function M.softmin(x, d, options)
  check.tensor_argument("softmin", 1, x)
  return M.softmax(-x, d, options)
end

return M
