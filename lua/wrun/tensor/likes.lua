--- New tensors with the shape of another: `zeros_like(x)` and its kin.

local core = require "wrun.core"
local check = require "wrun.check"
local constructors = require "wrun.tensor.constructors"

local fail = core.fail

local M = {}

--- the options (argument `place`), with the type of x unless they name another
local function options_like(f, x, options, place)
  check.tensor_argument(f, 1, x)
  if options ~= nil and type(options) ~= "table" then
    fail("%s: argument %d: expected a table of options, got %s", f, place, core.describe(options))
  end
  local with = { dtype = x.dtype }
  for name, value in pairs(options or {}) do
    with[name] = value
  end
  return with
end

-- name_like(x, options): name(x.shape, options), in x's dtype unless options say otherwise
local function like(name)
  local make, f = constructors[name], name .. "_like"
  return function(x, options)
    local with = options_like(f, x, options, 2)
    return make(x.shape, with)
  end
end

--- Returns zeros in the shape of x.
--- shapes  x [...] -> same
--- domain  x's dtype unless options name another
--- raises  `zeros_like: argument 1: expected a tensor`
---
---     print(wrun.tensor({ { 1, 2 }, { 3, 4 } }):zeros_like())
---@type fun(x: Tensor, options?: table): Tensor
M.zeros_like = like("zeros")

--- Returns ones in the shape of x.
--- shapes  x [...] -> same
--- domain  x's dtype unless options name another
--- raises  `ones_like: argument 1: expected a tensor`
---
---     print(wrun.tensor({ 1, 2 }):ones_like({ dtype = "float64" }))
---@type fun(x: Tensor, options?: table): Tensor
M.ones_like = like("ones")

--- Returns a tensor in the shape of x whose elements are whatever the memory held.
--- shapes  x [...] -> same
--- domain  x's dtype unless options name another
--- raises  `empty_like: argument 1: expected a tensor`
---
---     print(#wrun.empty_like(wrun.ones(2, 3)))
---@type fun(x: Tensor, options?: table): Tensor
M.empty_like = like("empty")

--- Returns draws from U[0, 1) in the shape of x.
--- shapes  x [...] -> same
--- domain  x's dtype, a float one, unless options name another; option generator
--- raises  `rand_like: argument 1: expected a tensor`; as `rand`
---
---     print(wrun.rand_like(wrun.ones(2, 3)))
---@type fun(x: Tensor, options?: table): Tensor
M.rand_like = like("rand")

--- Returns normal draws with mean 0 and standard deviation 1 in the shape of x.
--- shapes  x [...] -> same
--- domain  x's dtype, a float one, unless options name another; option generator
--- raises  `randn_like: argument 1: expected a tensor`; as `randn`
---
---     local x = wrun.ones(2, 3)
---     print(x + 0.1 * x:randn_like()) -- x with noise
---@type fun(x: Tensor, options?: table): Tensor
M.randn_like = like("randn")

--- Returns integers drawn from low to high - 1 in the shape of x.
--- shapes  x [...] -> same
--- domain  x's dtype unless options name another; low is 0 where one bound is given; option
---   generator
--- raises  `randint_like: argument 1: expected a tensor`; as `randint`
---
---     print(wrun.randint_like(wrun.zeros(2, 3), 1, 7))
---@param x Tensor
---@param low integer  or high, where that is the last number
---@param high? integer
---@param options? table
---@return Tensor
function M.randint_like(x, low, high, options)
  if type(high) ~= "number" then
    low, high, options = 0, low, high
  end
  local with = options_like("randint_like", x, options, 4)
  return constructors.randint(low, high, x.shape, with)
end

--- Returns a tensor like x, filled with value.
--- shapes  x [...] -> same
--- domain  x's dtype unless options name another
--- raises  as `full`
---
---     print(wrun.full_like(wrun.ones(2, 2), 7))
---@param x Tensor
---@param value number
---@param options? { dtype: string, requires_grad: boolean }
---@return Tensor
function M.full_like(x, value, options)
  local with = options_like("full_like", x, options, 3)
  return constructors.full(x.shape, value, with)
end

return M
