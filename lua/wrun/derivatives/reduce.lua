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

--- the product of all elements of dimension d but each in turn, by products from both ends
local function products_of_others(x, d)
  local n = x:size(d)
  local before, after = { x:narrow(d, 1, 1) * 0 + 1 }, {}
  for i = 2, n do
    before[i] = before[i - 1] * x:narrow(d, i - 1, 1)
  end
  after[n] = before[1]
  for i = n - 1, 1, -1 do
    after[i] = after[i + 1] * x:narrow(d, i + 1, 1)
  end
  for i = 1, n do
    before[i] = before[i] * after[i]
  end
  return core.methods.cat(before, d)
end

local function prod_gradient(g, y, x, dim, keepdim)
  if x:numel() == 0 then
    return zeros_like(x, g)
  elseif not x:detach():eq(0):any():item() then
    return restore_dimensions(g * y, x, dim, keepdim) / x
  elseif dim == nil or x.ndim == 0 then
    return g * products_of_others(x:reshape(-1), 1):reshape(x.shape)
  end
  return restore_dimensions(g, x, dim, keepdim) * products_of_others(x, dim)
end

--- max and min: to the chosen place along a dimension, shared among equals over the whole
local function extreme_gradient(find)
  return function(g, y, x, dim, keepdim)
    if dim == nil then
      x, y = x:detach(), y:detach()
      local chosen = (y:isnan():item() and x:isnan() or x:eq(y)):to(g.dtype)
      return g * (chosen / chosen:sum())
    elseif x.ndim == 0 then
      return g
    end
    local _, places = core[find](x:detach(), dim, true)
    return zeros_like(x, g):scatter_add(dim, places, restore_dimensions(g, x, dim, keepdim))
  end
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
