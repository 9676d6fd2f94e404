--- Scans: sums, products and extremes that run along a dimension, and differences.

local check = require "wrun.check"
local gather_values = require "wrun.tensor.internal.gather_values"
local gradients = require "wrun.tensor.internal.gradients"
local join = require "wrun.tensor.join"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"
local with_dtype = require "wrun.tensor.internal.with_dtype"

local fail = check.fail

local M = {}

local shifted = gradients.shifted

--- what all later steps of y = linear_recurrence(a, b) owe to b: s[i] = g[i] + a[i+1] s[i+1]
local function owed(g, a, d, reverse)
  return shifted(a, d, not reverse, 0):linear_recurrence(g, d, { reverse = not reverse })
end

--- x and y = x:logcumsumexp(d), where from the first +inf on log 1 stands for it and -inf for all
--- other x: y is the log of how many there were
local function without_infinity(x, y, d, is_infinite)
  local counted = x:detach():eq(math.huge)
  local count = counted:long():cumsum(d):to(x.dtype)
  x = x:masked_fill(is_infinite, -math.huge):masked_fill(counted, 0)
  return x, operations.where(is_infinite, count:log(), y)
end

--- dx[i] = exp(x[i] - y[i]) s[i], s[i] = g[i] + exp(y[i] - y[i+1]) s[i+1]: no exponent is positive
local function logcumsumexp_gradient(g, y, x, d)
  local is_infinite = y:detach():eq(math.huge)
  local is_apart = y:detach():eq(-math.huge) -- its differences would be NaN
  local before = shifted(y, d, false, -math.huge)
  if is_infinite:any():item() then
    x, y = without_infinity(x, y, d, is_infinite)
    local starts = is_infinite:logical_and(before:detach():lt(math.huge))
    before = shifted(y, d, false, -math.huge):masked_fill(starts, -math.huge)
  end
  local share = (x - y):masked_fill(is_apart, -math.huge):exp()
  local decay = (before - y):masked_fill(is_apart, -math.huge):exp()
  return share * owed(g, decay, d)
end

operations.define("scan", {
  cumsum = {
    gradients = {
      function(g, _, _, d, reverse) return g:cumsum(d, { reverse = not reverse }) end,
    },
    sample = function(randn) return randn(2, 4), 2 end,
  },
  cumprod = {
    gradients = { gradients.cumprod_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 2 end,
  },
  logcumsumexp = {
    gradients = { logcumsumexp_gradient },
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
})

local cumsum_options = { dtype = check.optional(check.dtype()), reverse = check.boolean(false) }

--- Returns the sums of x up to each index along dimension d; of integers and bool they are int64.
--- shapes  x [...] -> same
--- domain  any dtype, converted first (and the result has it) where option dtype says so; float
---   sums are carried in double. With option reverse the sums run from the end.
--- raises  `cumsum: argument 2: expected a dimension`
---     local x = wrun.tensor { 1, 2, 3 }
---     print(x:cumsum(1))                        -- tensor([1, 3, 6])
---     print(x:cumsum(1, { reverse = true }))    -- tensor([6, 5, 3])
function M.cumsum(x, d, options)
  local o = options and check.options("cumsum", options, cumsum_options) or {}
  return with_dtype("cumsum", operations.cumsum, o.dtype and { dtype = o.dtype }, x, d,
    o.reverse)
end

--- Returns the products of x up to each index along dimension d; of integers and bool int64.
--- shapes  x [...] -> same
--- domain  any dtype, converted first where option dtype says so. The gradient holds at zeros too.
--- raises  `cumprod: argument 2: expected a dimension`; `cumprod: option dtype: expected`
---     print(wrun.tensor({ 1, 2, 3, 4 }):cumprod(1))    -- tensor([ 1,  2,  6, 24])
---@param options { dtype: string }?
function M.cumprod(x, d, options)
  return with_dtype("cumprod", operations.cumprod, options, x, d)
end

--- Returns log of the running sum of exp(x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  float32 or float64; -inf until something greater comes, whose gradient is 0. From +inf
---   on, elements of +inf share the gradient alike
--- raises  `logcumsumexp: argument 1: expected a float32`; `argument 2: expected a dimension`
---     local x = wrun.tensor { 1000.0, 1000.0 }
---     print(x:logcumsumexp(1) - 1000)    -- tensor([0.0000, 0.6932])
---@type fun(x: wrun.Tensor, d: integer): wrun.Tensor
M.logcumsumexp = operations.logcumsumexp

local function running_extreme(name)
  return function(x, d)
    local values, indices = unrecorded[name](x, d)
    return gather_values(x, d, values, indices)
  end
end

--- Returns the largest element up to each index along dimension d, and where it stands.
--- shapes  x [...] -> same, twice; the indices are int64 and count from 1
--- domain  any dtype; of equals the last wins, and the last NaN over all numbers
---     local values, indices = wrun.tensor({ 1, 3, 2, 3 }):cummax(1)
---     print(values, indices)    -- tensor([1, 3, 3, 3])  tensor([1, 2, 2, 4])
---@type fun(x: wrun.Tensor, d: integer): wrun.Tensor, wrun.Tensor
M.cummax = running_extreme("cummax")

--- Returns the smallest element up to each index along dimension d, and where it stands.
--- as      cummax
---     print((wrun.tensor({ 2, 3, 1 }):cummin(1)))    -- tensor([2, 2, 1])
M.cummin = running_extreme("cummin")

local recurrence_options = { reverse = check.boolean(false) }

--- Returns y with y[i] = a[i] y[i-1] + b[i] along dimension d, y before the first being 0: moving
--- averages, discounted returns, linear state spaces, in one walk and with gradients.
--- shapes  a and b [...] of one shape -> same
--- domain  float32 or float64, carried in double; with option reverse from the end
--- raises  `linear_recurrence: argument 2: expected the shape`; `argument 3: expected a dimension`
---     local rewards = wrun.tensor { 1.0, 0.0, 2.0 }
---     local returns = wrun.full({ 3 }, 0.5):linear_recurrence(rewards, 1, { reverse = true })
---     print(returns)    -- tensor([1.5000, 1.0000, 2.0000])
function M.linear_recurrence(a, b, d, options)
  local o = options and check.options("linear_recurrence", options, recurrence_options) or {}
  return operations.linear_recurrence(a, b, d, o.reverse)
end

local diff_options = {
  prepend = check.optional(check.tensor()), append = check.optional(check.tensor()),
}

--- Returns the differences of neighbours along dimension d, n times over.
--- shapes  x [m], n -> [m - n], at least [0]
--- domain  any dtype; of bool whether neighbours differ. Options prepend and append are tensors
---   that are put before and behind x.
--- raises  as `cat`
---     print(wrun.tensor({ 1, 4, 9, 16 }):diff())     -- tensor([3, 5, 7])
---     print(wrun.tensor({ 1, 4, 9, 16 }):diff(2))    -- tensor([2, 2])
function M.diff(x, n, d, options)
  check.tensor_argument("diff", 1, x)
  n = check.argument("diff", 2, n, check.integer(1, 0))
  d = check.dimension("diff", 3, d or -1, x.ndim)
  local o = check.options("diff", options, diff_options)
  if x.ndim == 0 then
    fail("diff: argument 1: expected a tensor with dimensions, got %s", check.describe(x))
  end
  if o.prepend or o.append then
    local list = { o.prepend or x, o.prepend and x or o.append }
    list[3] = o.prepend and o.append
    x = join.cat(list, d)
  end
  for _ = 1, math.min(n, x:size(d)) do
    local size = x:size(d)
    local rest = math.max(size - 1, 0)
    local later = operations.narrow(x, d, math.min(2, size + 1), rest)
    local earlier = operations.narrow(x, d, 1, rest)
    x = x.dtype == "bool" and operations.ne(later, earlier) or later - earlier
  end
  return x
end

--- the areas of the trapezoids between neighbours of y along d; x says where these stand, or how
--- far they are apart
local function trapezoids(name, y, x, d)
  check.tensor_argument(name, 1, y)
  d = check.dimension(name, 3, d or -1, y.ndim)
  if y.ndim == 0 then
    fail("%s: argument 1: expected a tensor with dimensions, got %s", name, check.describe(y))
  end
  local rest = math.max(y:size(d) - 1, 0)
  local first = math.min(2, y:size(d) + 1)
  local sums = operations.narrow(y, d, 1, rest) + operations.narrow(y, d, first, rest)
  if x == nil or type(x) == "number" then
    return sums * ((x or 1) / 2), d
  end
  check.tensor_argument(name, 2, x)
  if x.ndim == 1 and x:size(1) == y:size(d) then
    local sizes = {}
    for i = 1, y.ndim do
      sizes[i] = i == d and -1 or 1
    end
    return M.diff(operations.reshape(x, sizes), 1, d) * sums / 2, d
  elseif not check.same_shape(x, y) then
    fail("%s: argument 2: expected %d points or the shape %s, got %s", name, y:size(d),
      check.shape_text(y), check.shape_text(x))
  end
  return M.diff(x, 1, d) * sums / 2, d
end

--- Returns the integral of y along dimension d by the trapezoidal rule.
--- shapes  y [..., n] -> [...]; x [n] or y's shape, or one distance for all
--- domain  any dtype; 0 for fewer than 2 points
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):trapezoid())                                -- 4
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):trapezoid(wrun.tensor { 0.0, 1.0, 3.0 }))    -- 6.5
---@param x wrun.Tensor|number?  1: where the values stand, or how far they are apart
function M.trapezoid(y, x, d)
  local areas
  areas, d = trapezoids("trapezoid", y, x, d)
  return operations.sum(areas, d)
end

--- Returns the integrals of y along dimension d up to each point but the first.
--- shapes  y [..., n] -> [..., n - 1]; x as for `trapezoid`
--- as      trapezoid
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):cumulative_trapezoid())    -- 1.5, 4
function M.cumulative_trapezoid(y, x, d)
  local areas
  areas, d = trapezoids("cumulative_trapezoid", y, x, d)
  return operations.cumsum(areas, d)
end

return M
