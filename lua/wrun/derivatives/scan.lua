--- Derivatives of running sums and products, which are scans themselves.

local common = require "wrun.derivatives.common"

local shifted = common.shifted

--- what all later steps of y = linear_recurrence(a, b) owe to b: s[i] = g[i] + a[i+1] s[i+1]
local function owed(g, a, d, reverse)
  return shifted(a, d, not reverse, 0):linear_recurrence(g, d, { reverse = not reverse })
end

return {
  cumsum = {
    gradients = {
      function(g, _, _, d, reverse) return g:cumsum(d, { reverse = not reverse }) end,
    },
    sample = function(randn) return randn(2, 4), 2 end,
  },
  cumprod = {
    gradients = { common.cumprod_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 2 end,
  },
  -- dx[i] = exp(x[i] - y[i]) s[i], s[i] = g[i] + exp(y[i] - y[i+1]) s[i+1]: no exponent is positive
  logcumsumexp = {
    gradients = {
      function(g, y, x, d)
        local is_least = y:detach():eq(-math.huge) -- its differences would be NaN
        local share = (x - y):exp():masked_fill(is_least, 0)
        local decay = (shifted(y, d, false, 0) - y):exp():masked_fill(is_least, 0)
        return share * owed(g, decay, d)
      end,
    },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 1 end,
  },
  linear_recurrence = {
    gradients = {
      function(g, y, a, _, d, reverse)
        return owed(g, a, d, reverse) * shifted(y, d, reverse, 0)
      end,
      function(g, _, a, _, d, reverse) return owed(g, a, d, reverse) end,
    },
    saves = { 1, "y" },
    sample = function(randn) return randn(2, 4), randn(2, 4), 2 end,
  },
}
