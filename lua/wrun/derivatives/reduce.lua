--- Derivatives of reductions: sums, products, extremes, and the softmax.

local common = require "wrun.derivatives.common"
local core = require "wrun.core"

local restore_dimensions, zeros_like = common.restore_dimensions, common.zeros_like

local function spread(g, _, x, dim, keepdim)
  return restore_dimensions(g, x, dim, keepdim):expand(x.shape)
end

local function mean_gradient(g, y, x, dim, keepdim)
  return spread(g / (x:numel() // math.max(1, g:numel())), y, x, dim, keepdim)
end

--- the gradient of a product of elements of which some are 0: that of the last running product of
--- the chosen dimensions, joined into one at the end
local function prod_gradient_at_zeros(g, x, dim)
  local chosen, first, last, sizes = {}, {}, {}, {}
  for _, d in ipairs(type(dim) == "table" and dim or { dim }) do
    chosen[d < 0 and d + x.ndim + 1 or d] = true
  end
  for d, size in ipairs(x.shape) do
    local list = (dim == nil or chosen[d]) and last or first
    list[#list + 1] = d
    sizes[#sizes + 1] = list == first and size or nil
  end
  local order = table.move(last, 1, #last, #first + 1, first)
  sizes[#sizes + 1] = -1
  local line = x:permute(order):reshape(sizes)
  local n = line:size(-1)
  local upstream = core.methods.cat({ zeros_like(line:narrow(-1, 1, n - 1), g),
    g:reshape(line:narrow(-1, n, 1).shape) }, -1)
  local dx = common.cumprod_gradient(upstream, line:cumprod(-1), line, -1)
  local back = {}
  for at, d in ipairs(order) do
    back[d] = at
  end
  return dx:reshape(x:permute(order).shape):permute(back)
end

local function prod_gradient(g, y, x, dim, keepdim)
  if x:numel() == 0 then
    return zeros_like(x, g)
  elseif x:detach():eq(0):any():item() then
    return prod_gradient_at_zeros(g, x, x.ndim > 0 and dim or nil)
  end
  return restore_dimensions(g * y, x, dim, keepdim) / x
end

--- which elements of x are the extreme y, with NaN equal to NaN; dimensions of y are as x's or 1
local function is_extreme(x, y)
  local chosen = x:eq(y)
  if y:isnan():any():item() then
    chosen = chosen:logical_or(x:isnan():logical_and(y:isnan()))
  end
  return chosen
end

--- amax and amin: shared among equals
local function shared_gradient(g, y, x, dim, keepdim)
  y = restore_dimensions(y, x, dim, keepdim):detach()
  local chosen = is_extreme(x:detach(), y):to(g.dtype)
  return restore_dimensions(g, x, dim, keepdim) * (chosen / chosen:sum(dim, true))
end

--- max and min: to the chosen place along a dimension, shared among equals over the whole
local function extreme_gradient(find)
  return function(g, y, x, dim, keepdim)
    if dim == nil then
      return shared_gradient(g, y, x, dim, keepdim)
    elseif x.ndim == 0 then
      return g
    end
    local _, places = core[find](x:detach(), dim, true)
    return zeros_like(x, g):scatter_add(dim, places, restore_dimensions(g, x, dim, keepdim))
  end
end

--- 2 (x - mean) / (n - correction)
local function var_gradient(g, _, x, dim, keepdim, correction)
  local freedom = math.max(0, x:numel() // math.max(1, g:numel()) - correction)
  return restore_dimensions(g, x, dim, keepdim) * (2 / freedom) * (x - x:mean(dim, true))
end

return {
  sum = {
    gradients = { spread },
    sample = function(randn) return randn(2, 3, 4), { 1, 3 } end,
  },
  mean = {
    gradients = { mean_gradient },
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
  softmax = {
    gradients = { function(g, y, _, dim) return y * (g - (g * y):sum(dim, true)) end },
    saves = { "y" },
    sample = function(randn) return randn(3, 4), 2 end,
  },
  log_softmax = {
    label = "LogSoftmaxBackward0",
    gradients = { function(g, y, _, dim) return g - y:exp() * g:sum(dim, true) end },
    saves = { "y" },
    sample = function(randn) return randn(3, 4), -1 end,
  },
}
