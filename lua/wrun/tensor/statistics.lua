--- Statistics of tensors: spread, size, and whether two are equal or near.

local check = require "wrun.check"
local Function = require "wrun.autograd_function"
local operations = require "wrun.operations"
local scale = require "wrun.tensor.internal.scale"
local unrecorded = require "wrun.unrecorded"
local view = require "wrun.tensor.view"

local fail = check.fail

local M = {}

local variance_options = {
  unbiased = check.optional(check.boolean()), correction = check.optional(check.number()),
}

--- what is taken off the number of elements: option correction, or 1 or 0 as unbiased says
local function correction_of(options)
  local o = options and check.options("var", options, variance_options) or {}
  if o.correction and o.unbiased ~= nil then
    fail("var: option unbiased: expected only one of correction and unbiased")
  end
  return o.correction or (o.unbiased == false and 0 or 1)
end

--- f(x, dims, keepdim, ...), the root of a sum of squares. Those of a float32 are summed in double;
--- those of a float64 may have to be scaled.
local function root_of_squares(x, dims, keepdim, f, ...)
  local y = f(x, dims, keepdim, ...)
  if y.dtype == "float32" or x:numel() == 0 or scale.are_ordinary(y) then
    return y
  end
  local factor = scale.of(x, dims)
  y = f(x * factor, dims, keepdim, ...)
  return y / operations.reshape(factor, y.shape)
end

--- Returns the variance: the sum of the squares of the distances from the mean, divided by the
--- number of elements less the option correction.
--- shapes  x [...] -> []; without dimensions dims, or with size 1 there where keepdim is set
--- domain  float32 or float64. correction is 1 unless given; unbiased = false means 0. NaN for no
---   more elements than that, or infinity.
--- raises  `var: argument 1: expected a float`; `var: argument 2: expected a dimension`
---     local x = wrun.tensor { 1.0, 2.0, 6.0 }
---     print(x:var(), x:var(1, false, { correction = 0 }))    -- tensor(7.)  tensor(4.6667)
---@param options { correction: number, unbiased: boolean }?
function M.var(x, dims, keepdim, options)
  return operations.var(x, dims, keepdim, correction_of(options))
end

--- Returns the standard deviation: the root of the variance.
--- domain  as `var`; the gradient is 0 where it is 0
--- as      var
---     print(wrun.tensor({ 1.0, 2.0, 6.0 }):std())    -- tensor(2.6458)
function M.std(x, dims, keepdim, options)
  return (root_of_squares(x, dims, keepdim, operations.std, correction_of(options)))
end

--- Returns the variance and the mean.
--- shapes  x [...] -> variance [], mean []; otherwise as `var`
--- as      var
---     print(wrun.tensor({ 1.0, 2.0, 6.0 }):var_mean())    -- tensor(7.)  tensor(3.)
function M.var_mean(x, dims, keepdim, options)
  return M.var(x, dims, keepdim, options), operations.mean(x, dims, keepdim)
end

--- Returns the standard deviation and the mean.
--- shapes  x [...] -> deviation [], mean []; otherwise as `std`
--- domain  as `std`
--- raises  as `var`
--- as      var_mean
---     print(wrun.tensor({ 1.0, 2.0, 6.0 }):std_mean())    -- tensor(2.6458)  tensor(3.)
function M.std_mean(x, dims, keepdim, options)
  return M.std(x, dims, keepdim, options), operations.mean(x, dims, keepdim)
end

--- (sum |x|^p)^(1/p) over dims, which stay with size 1, for elements within the dtype's powers
local function power_norm_in_range(x, p, dims)
  local sum = operations.sum(operations.pow(operations.abs(x), p), dims, true)
  return operations.pow(sum, 1 / p)
end

--- the element that counts most along dims, in units of which powers stay within the dtype
local function leading(x, p, dims)
  local unit = (p > 0 and operations.amax or operations.amin)(operations.abs(x), dims, true)
  return operations.where(unit:eq(0):logical_or(unit:isinf()), 1, unit)
end

--- The p-norm over dims, which stay with size 1. Its gradient, sign(x) (|x| / y)^(p - 1), is 0 where
--- x or y is 0; where y is infinite, the infinite elements alone count, and alike.
local power_norm
power_norm = Function {
  name = "LinalgVectorNorm",
  forward = function(context, x, p, dims)
    context:save_for_backward(x)
    context.p, context.dims = p, dims
    local unit = leading(x, p, dims)
    return power_norm_in_range(x / unit, p, dims) * unit
  end,
  backward = function(context, g)
    local x, p, dims = context:saved_tensors(), context.p, context.dims
    x = x / leading(x:detach(), p, dims)
    local y = power_norm(x, p, dims)
    local size, is_beyond = operations.abs(x:detach()), y:detach():isinf()
    local is_zero = size:eq(0):logical_or(y:detach():eq(0))
    local is_flat = is_zero:logical_or(is_beyond):logical_or(size:isinf())
    local ratio = operations.where(is_flat, 1, operations.abs(x))
      / y:masked_fill(y:detach():eq(0):logical_or(is_beyond), 1)
    local slope = operations.where(is_flat, 0, ratio ^ (p - 1))
    if is_beyond:any():item() then
      local share = size:isinf():to(x.dtype):sum(dims, true) ^ ((1 - p) / p)
      local rest = operations.where(is_zero, 0, p < 1 and math.huge or 0)
      slope = operations.where(is_beyond, operations.where(size:isinf(), share, rest), slope)
    end
    return g * operations.sign(x) * slope
  end,
}

--- Returns the p-norm (sum |x|^p)^(1/p): for math.huge the largest magnitude, for -math.huge the
--- smallest, for 0 the number of elements that are not 0.
--- shapes  x [...] -> []; without dimensions dims, or with size 1 there where keepdim is set
--- domain  float32 or float64; p any number. The gradient is 0 where the norm is 0, and shared
---   among equal extremes.
--- raises  `norm: argument 1: expected at least one element` for p < 0 or infinite; as `sum`
---     local x = wrun.tensor { 3.0, -4.0 }
---     print(x:norm(), x:norm(1), x:norm(math.huge))    -- tensor(5.)  tensor(7.)  tensor(4.)
function M.norm(x, p, dims, keepdim)
  check.tensor_argument("norm", 1, x)
  p = check.argument("norm", 2, p, check.number(2))
  check.float_argument("norm", 1, x)
  if p == 2 then
    return (root_of_squares(x, dims, keepdim, operations._norm))
  elseif p == 1 then
    return operations.sum(operations.abs(x), dims, keepdim)
  elseif p == 0 then
    local ones = operations.where(operations.ne(x, 0), 1, operations.trunc(x)) -- with a gradient of 0
    return operations.sum(ones, dims, keepdim)
  end
  local needs_one = p < 0 or p == math.huge
  if needs_one and x:numel() == 0 and operations.sum(x, dims, keepdim):numel() > 0 then
    fail("norm: argument 1: expected at least one element for the %s-norm, got %s", p,
      check.shape_text(x))
  elseif p == math.huge then
    return operations.amax(operations.abs(x), dims, keepdim)
  elseif p == -math.huge then
    return operations.amin(operations.abs(x), dims, keepdim)
  elseif x:numel() == 0 then
    return operations.sum(x, dims, keepdim)
  end
  local norm = power_norm(x, p, dims)
  return operations.reshape(norm, unrecorded.sum(x:detach(), dims, keepdim).shape)
end

--- Returns the p-norm of a - b.
--- shapes  a and b broadcast -> []
--- domain  float32 or float64; p as for `norm`
--- raises  as `sub` and `norm`
---     print(wrun.dist(wrun.tensor { 1.0, 2.0 }, wrun.tensor { 4.0, 6.0 }))    -- tensor(5.)
function M.dist(a, b, p)
  check.tensor_argument("dist", 1, a)
  check.tensor_argument("dist", 2, b)
  return (M.norm(a - b, p))
end

--- Returns the p-norm of the difference of each row of a and each row of b.
--- shapes  a [..., m, k], b [..., n, k] -> [..., m, n]; the dimensions before broadcast
--- domain  float32 or float64; p as for `norm`, from 0. Always by differences, never by products.
--- raises  as `sub`
--- cost    time and memory O(m n k)
---     local a, b = wrun.tensor { { 0.0, 0.0 }, { 3.0, 0.0 } }, wrun.tensor { { 0.0, 4.0 } }
---     print(wrun.cdist(a, b))    -- tensor([[4.], [5.]])
function M.cdist(a, b, p)
  check.tensor_argument("cdist", 1, a)
  check.tensor_argument("cdist", 2, b)
  p = check.argument("cdist", 3, p, check.number(2, 0))
  if a.ndim < 2 then
    fail("cdist: argument 1: expected at least 2 dimensions, got %s", check.describe(a))
  elseif b.ndim < 2 or b:size(-1) ~= a:size(-1) then
    fail("cdist: argument 2: expected rows of %d, got %s", a:size(-1), check.describe(b))
  end
  local difference = view.unsqueeze(a, -2) - view.unsqueeze(b, -3)
  if a:size(-1) == 0 then
    return operations.sum(difference, -1)
  end
  return M.norm(difference, p, -1)
end

local covariance_options = {
  correction = check.integer(1), fweights = check.optional(check.tensor()),
  aweights = check.optional(check.tensor()),
}

--- x as variables in rows, of floats
local function variables(name, x)
  check.tensor_argument(name, 1, x)
  if x.ndim > 2 then
    fail("%s: argument 1: expected at most 2 dimensions, got %s", name, check.shape_text(x))
  elseif not check.is_float(x) then
    x = operations.to(x, "float32")
  end
  return x.ndim == 2 and x or operations.reshape(x, 1, -1)
end

--- a list of weights of n observations in the type of x
local function weights_of(name, weights, n, x)
  if weights.ndim > 1 or weights:numel() ~= n then
    fail("cov: option %s: expected %d weights, got %s", name, n, check.describe(weights))
  elseif operations.any(operations.lt(weights, 0)):item() then
    fail("cov: option %s: expected weights >= 0", name)
  end
  return operations.to(operations.reshape(weights, -1), x.dtype)
end

--- Returns the covariances of variables, which are the rows of x and whose observations are its
--- columns.
--- shapes  x [k, n] -> [k, k]; x [n] -> []
--- domain  any dtype, integers as float32. Divided by n less the option correction; option fweights
---   [n] says how often each observation was made, aweights [n] how much it counts.
---     local x = wrun.tensor { { 1.0, 2.0, 3.0 }, { 6.0, 4.0, 2.0 } }
---     print(x:cov())    -- tensor([[1., -2.], [-2., 4.]])
function M.cov(x, options)
  local o = check.options("cov", options, covariance_options)
  x = variables("cov", x)
  local n = x:size(2)
  local frequencies = o.fweights and weights_of("fweights", o.fweights, n, x)
  local importances = o.aweights and weights_of("aweights", o.aweights, n, x)
  local weights = frequencies and importances and frequencies * importances
    or frequencies or importances
  local count, freedom = n, n - o.correction
  if weights then
    count = weights:sum():item()
    freedom = count - o.correction
    if importances and count > 0 then
      freedom = count - o.correction * (weights * importances):sum():item() / count
    end
  end
  local mean = weights and operations.sum(x * (weights / count), 2, true)
    or operations.mean(x, 2, true)
  local centred = x - mean
  local right = weights and centred * weights or centred
  return view.squeeze(operations.matmul(centred, right:t()) / math.max(0, freedom))
end

--- Returns the correlations of variables, which are the rows of x: covariances of variables of
--- variance 1.
--- shapes  x [k, n] -> [k, k]; x [n] -> []
--- domain  any dtype, integers as float32; from -1 to 1, NaN for a variable that does not vary
---     local x = wrun.tensor { { 1.0, 2.0, 3.0 }, { 6.0, 4.0, 2.0 } }
---     print(x:corrcoef())    -- tensor([[1., -1.], [-1., 1.]])
function M.corrcoef(x)
  x = variables("corrcoef", x)
  local c = M.cov(x:numel() > 0 and x * scale.of(x, 2) or x)
  if c.ndim == 0 then
    return c / c
  end
  local deviations = operations.sqrt(operations.diagonal(c))
  return operations.clamp(c / view.unsqueeze(deviations, 2) / deviations, -1, 1)
end

--- Have a and b the same shape and equal elements?
--- shapes  any
--- domain  any dtypes; NaN equals nothing
---     print(wrun.arange(3):equal(wrun.tensor({ 0, 1, 2 })))
function M.equal(a, b)
  check.tensor_argument("equal", 1, a)
  check.tensor_argument("equal", 2, b)
  return check.same_shape(a, b) and operations.all(operations.eq(a, b)):item()
end

local closeness_options = {
  rtol = check.number(1e-5, 0), atol = check.number(1e-8, 0), equal_nan = check.boolean(false),
}

local function closeness(a, b, options, f)
  local o = check.options(f, options, closeness_options)
  check.tensor_argument(f, 1, a)
  b = type(b) == "number" and operations.tensor(b) or b
  check.tensor_argument(f, 2, b)
  local tolerance = operations.addcmul(o.atol, b:abs(), o.rtol)
  local near = operations._is_near(a - b, tolerance, a:eq(b))
  if o.equal_nan then
    near = near:logical_or(a:isnan():logical_and(b:isnan()))
  end
  return near
end

--- Returns where |a - b| <= atol + rtol |b|; infinities are near themselves.
--- shapes  a and b broadcast -> bool
--- domain  numbers or floats; NaN is near nothing unless equal_nan
--- raises  as `sub`
---     print(wrun.isclose(wrun.tensor({ 1.0, 2.0 }), 1, { rtol = 0.1 }))
---@param b wrun.Tensor|number
---@param options { rtol: number, atol: number, equal_nan: boolean }?  1e-5, 1e-8, false
function M.isclose(a, b, options)
  return (closeness(a, b, options, "isclose"))
end

--- Is |a - b| <= atol + rtol |b| everywhere? Infinities are near themselves.
--- shapes  a and b broadcast
--- domain  numbers or floats; NaN is near nothing unless equal_nan
--- raises  as `sub`
---     print(wrun.ones(3):allclose(wrun.ones(3) + 1e-6))
---@param b wrun.Tensor|number
---@param options { rtol: number, atol: number, equal_nan: boolean }?  1e-5, 1e-8, false
function M.allclose(a, b, options)
  return closeness(a, b, options, "allclose"):all():item()
end

return M
