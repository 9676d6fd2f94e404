--- Functions that networks are made of: the softmax and activations.

local check = require "wrun.check"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"
local with_dtype = require "wrun.tensor.internal.with_dtype"

local fail = check.fail

local M = {}

local LARGE = { float32 = 1e37, float64 = 1e307 }

-- the gradient of argument i of _sum_of
local function sum_of_gradient(i)
  return function(g, _, a, b, c, row, is_mean)
    g = is_mean and g / a:numel() or g
    return operations.gradients_of(row)[i](g, nil, a, b, c)
  end
end

-- g as a parameter of channels [n, 1] broadcasts to it
local function by_channels(g, shape)
  return g:reshape(g:numel() // math.max(1, shape[4] * shape[5]), shape[5], shape[4])
end

local function weighted(g, weight, shape)
  g = weight ~= nil and by_channels(g, shape) * weight:reshape(-1, 1) or g
  return g:reshape(shape[1], shape[2], shape[3])
end

-- x [a, b, c] of _standardize without the parameters, and what a distance is multiplied by
local function standardized(x, center, shape, eps)
  x = x:reshape(shape[1], shape[2], shape[3])
  if check.is_tensor(center) then
    return x - center:reshape(-1, 1), 1
  end
  -- y does not depend on the unit, in which no distance is beyond the dtype
  local unit = x:detach():abs():gt(LARGE[x.dtype]):any():item() and 0.25 or 1
  x = x * unit
  local deviation = center and x:std({ 1, 3 }, true, { correction = 0 })
    or x:norm(2, { 1, 3 }, true) / math.sqrt(shape[1] * shape[3])
  x = center and x - x:mean({ 1, 3 }, true) or x
  local scale = deviation:hypot(math.sqrt(eps) * unit):reciprocal()
  return x * scale, scale * unit
end

-- the gradients of x, weight, bias and center of _standardize, as tensor operations
local STANDARDIZE = {
  function(g, _, x, weight, _, center, shape, eps)
    g = weighted(g, weight, shape)
    local z, scale = standardized(x, center, shape, eps)
    if not check.is_tensor(center) then
      g = (center and g - g:mean({ 1, 3 }, true) or g) - z * (g * z):mean({ 1, 3 }, true)
    end
    return (g * scale):reshape(x.shape)
  end,
  function(g, _, x, weight, _, center, shape, eps)
    local z = standardized(x, center, shape, eps)
    return by_channels(g * z:reshape(x.shape), shape):sum({ 1, 3 }):reshape(weight.shape)
  end,
  function(g, _, _, _, bias, _, shape)
    return by_channels(g, shape):sum({ 1, 3 }):reshape(bias.shape)
  end,
  function(g, _, _, weight, _, center, shape)
    return -weighted(g, weight, shape):sum({ 1, 3 }):reshape(center.shape)
  end,
}

operations.define("neural", {
  -- of x, seen as [a, b, c] with mean 0 and variance 1 for each b over all a and c, times weight
  -- plus bias; shape is { a, b, c, width, channels }, and moments are kept,
  -- as standardize.h says
  _standardize = {
    gradients = STANDARDIZE,
    together = function(g, edges, values)
      local x, weight, bias, center, shape, eps, moments = table.unpack(values, 2, 8)
      local dx, dweight, dbias = unrecorded._standardize_gradients(g, x, weight, bias, center,
        shape, eps, moments, edges[1])
      local dcenter = edges[4] and STANDARDIZE[4](g, nil, x, weight, bias, center, shape)
      return { dx, dweight, dbias, dcenter }
    end,
    saves = { 1, 2, 3, 4, 7 },
    sample = function(randn)
      return randn(3, 4, 5), randn(4), randn(4), true, { 1, 6, 10, 5, 4 }, 1e-5
    end,
  },
  softmax = {
    gradients = { function(g, y, _, dim) return y * (g - (g * y):sum(dim, true)) end },
    kernels = { "_softmax_gradient" },
    saves = { "y" },
    sample = function(randn) return randn(3, 4), 2 end,
  },
  log_softmax = {
    label = "LogSoftmaxBackward0",
    gradients = { function(g, y, _, dim) return g - y:exp() * g:sum(dim, true) end },
    kernels = { "_log_softmax_gradient" },
    saves = { "y" },
    sample = function(randn) return randn(3, 4), -1 end,
  },
  _cross_entropy = {
    label = "NllLossBackward0",
    gradients = {
      function(g, _, x, t, smoothing)
        local p, all = x:log_softmax(2):exp(), 1
        if check.is_float(t) then
          all = t:sum(2, true)
        else
          local is_own = operations.arange(1, x:size(2) + 1):eq(t:unsqueeze(2))
          t = is_own:to(x.dtype) * (1 - smoothing) + smoothing / x:size(2)
        end
        return (p * all - t) * g:unsqueeze(2)
      end,
    },
    kernels = { "_cross_entropy_gradient" },
    saves = { 1, 2 },
    sample = function(randn) return randn(3, 4), operations.tensor({ 1, 4, 2 }), 0.25 end,
  },
  -- of what a row of ops.def gives of a, b and c, which is not kept; or the mean
  _sum_of = {
    gradients = { sum_of_gradient(1), sum_of_gradient(2), sum_of_gradient(3) },
    kernels = { "_sum_of_gradient_1", "_sum_of_gradient_2", "_sum_of_gradient_3" },
    saves = { 1, 2, 3 },
    sample = function(randn) return randn(3, 4), randn(3, 4), 0.75, "_huber", true end,
  },
})

--- Returns exp(x) / sum exp(x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  float32 or float64; NaN along d where any is NaN or all are -inf; elements of +inf share
---   1 alike
--- raises  `softmax: argument 2: expected a dimension`; `softmax: argument 1: expected a float`
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):softmax(1))
---@param options { dtype: string }?  of x before, and of the result
function M.softmax(x, d, options)
  return with_dtype("softmax", operations.softmax, options, x, d)
end

--- Returns x - log sum exp(x) along dimension d, without overflow.
--- raises  `log_softmax: argument 2: expected a dimension`; `argument 1: expected a float`
--- as      softmax
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):log_softmax(1))
function M.log_softmax(x, d, options)
  return with_dtype("log_softmax", operations.log_softmax, options, x, d)
end

--- Returns exp(-x) / sum exp(-x) along dimension d, without overflow.
--- raises  as `softmax`
--- as      softmax
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):softmin(1))
function M.softmin(x, d, options)
  check.tensor_argument("softmin", 1, x)
  return (M.softmax(-x, d, options))
end

--- Returns x where positive, else x times the weight of its channel, dimension 2.
--- shapes  x [n, c, ...], weight [c] or [1] -> as x
--- domain  float32 and float64
---     print(wrun.prelu(wrun.tensor({ { -1.0, -1.0 } }), wrun.tensor({ 0.25, 0.5 })))
function M.prelu(x, weight)
  check.tensor_argument("prelu", 1, x)
  check.tensor_argument("prelu", 2, weight)
  local channels = x.ndim >= 2 and x:size(2) or 1
  if weight:numel() ~= 1 and (weight.ndim ~= 1 or weight:size(1) ~= channels) then
    fail("prelu: argument 2: expected a weight [%d] or [1], got %s", channels,
      check.shape_text(weight))
  end
  local shape = {}
  for d = 1, x.ndim do
    shape[d] = d == 2 and weight:numel() or 1
  end
  return operations.leaky_relu(x, operations.reshape(weight, shape))
end

--- Returns the first half of x along dimension d times the sigmoid of the other half.
--- shapes  x [..., 2 n, ...] -> [..., n, ...]
--- domain  float32 and float64
--- source  [Dauphin2017]
---     print(wrun.tensor({ 1.0, 2.0, 0.0, 9.0 }):glu()) -- tensor([0.5000, 1.9998])
function M.glu(x, d)
  check.tensor_argument("glu", 1, x)
  d = check.dimension("glu", 2, d or -1, x.ndim)
  local half = x:size(d) // 2
  if x:size(d) % 2 ~= 0 then
    fail("glu: argument 1: expected an even size of dimension %d, got %s", d, check.shape_text(x))
  end
  local gate = operations.narrow(x, d, half + 1, half)
  return operations.narrow(x, d, 1, half) * operations.sigmoid(gate)
end

return M
