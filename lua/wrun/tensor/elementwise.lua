--- Elementwise functions: the rows of runtime/kernels/ops.def, and what is made of them.

local check = require "wrun.check"
local core = require "wrun.core"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

for name, f in pairs(core.elementwise) do
  M[name] = not name:find("^_") and f or nil
end

--- Returns x with all its bits turned; of a bool, whether it is false. `~x` does it too.
--- shapes  x [...] -> same
--- domain  bool and integers
--- raises  `bitwise_not: argument 1: expected a tensor of integers or bool`
---     print(wrun.tensor({ 0, 5, -1 }):bitwise_not(), ~wrun.tensor { true, false })
---@return wrun.Tensor
function M.bitwise_not(x)
  check.tensor_argument("bitwise_not", 1, x)
  return x.dtype == "bool" and operations.logical_not(x) or operations.bitwise_xor(x, -1)
end

function M.bitwise_not_(x)
  check.tensor_argument("bitwise_not_", 1, x)
  return x.dtype == "bool" and operations.logical_not_(x) or operations.bitwise_xor_(x, -1)
end

--- Returns x, but at least low.
--- shapes  x and low broadcast
--- domain  any dtypes; NaN stays NaN
--- raises  `clamp: argument 2: expected a bound here`; `expected a tensor or a number`
---     print(wrun.tensor({ -1.0, 2.0 }):clamp_min(0))
---@param low wrun.Tensor|number
---@return wrun.Tensor
function M.clamp_min(x, low)
  return operations.clamp(x, low, nil)
end

--- Returns x, but at most high.
--- shapes  x and high broadcast
--- raises  `clamp: argument 2: expected a bound here`; `clamp: argument 3: expected a tensor or a
---   number`
--- as      clamp_min
---     print(wrun.tensor({ -1.0, 2.0 }):clamp_max(0))
---@param high wrun.Tensor|number
function M.clamp_max(x, high)
  return operations.clamp(x, nil, high)
end

function M.clamp_min_(x, low)
  return operations.clamp_(x, low, nil)
end

function M.clamp_max_(x, high)
  return operations.clamp_(x, nil, high)
end

local LARGEST = { float32 = 0x1.fffffep127, float64 = 0x1.fffffffffffffp1023 }
local NUMBER = check.optional(check.number())

local function replaced(f, x, nan, posinf, neginf)
  check.tensor_argument(f, 1, x)
  nan = check.argument(f, 2, nan, NUMBER)
  posinf, neginf = check.argument(f, 3, posinf, NUMBER), check.argument(f, 4, neginf, NUMBER)
  local most = LARGEST[x.dtype]
  if most == nil then
    return operations.clone(x)
  end
  local y = operations._bounded(x, nan or 0, most)
  y = posinf and operations.where(operations.eq(x, math.huge), posinf, y) or y
  return neginf and operations.where(operations.eq(x, -math.huge), neginf, y) or y
end

--- Returns x with numbers for NaN (0) and the infinities (the largest and least of the dtype).
--- shapes  x [...] -> same
--- domain  any dtype; the gradient is 0 where x was replaced
---     print(wrun.tensor({ 0 / 0, 1 / 0, 2 }):nan_to_num(-1, 99))
function M.nan_to_num(x, nan, posinf, neginf)
  return replaced("nan_to_num", x, nan, posinf, neginf)
end

function M.nan_to_num_(x, nan, posinf, neginf)
  return operations.copy_(x, replaced("nan_to_num_", x, nan, posinf, neginf))
end

local VALUE = { value = check.number(1) }

-- f with its argument a multiplied by options.value
local function scaled(name)
  local f = operations[name]
  return function(x, a, b, options)
    if options ~= nil then
      local value = check.options(name, options, VALUE).value
      check.tensor_argument(name, 2, a)
      if math.tointeger(value) then
        value = math.tointeger(value)
      end
      a = a * value
    end
    return f(x, a, b)
  end
end

--- Returns x + value * a * b.
--- shapes  x, a and b broadcast
--- domain  any dtypes, the result has the common one; option value 1. value * a comes first, and is
---   to be within the dtype
---     print(wrun.ones(2):addcmul(wrun.ones(2), wrun.tensor({ 2.0, 3.0 }), { value = 0.5 }))
---@type fun(x: wrun.Tensor, a: wrun.Tensor, b: wrun.Tensor|number, options?: { value: number }): wrun.Tensor
M.addcmul = scaled("addcmul")

M.addcmul_ = scaled("addcmul_")

--- Returns x + value * a / b.
--- domain  float32 and float64, other dtypes are computed as float32; option value 1. value * a
---   comes first
--- as      addcmul
---     print(wrun.ones(2):addcdiv(wrun.ones(2), wrun.tensor({ 2.0, 4.0 }), { value = 2 }))
M.addcdiv = scaled("addcdiv")

M.addcdiv_ = scaled("addcdiv_")

--- Returns derivative number n of digamma at x; the number may also stand first.
--- shapes  x [...] -> same
--- domain  n a whole number from 0 (digamma) to 170; float32 and float64, others as float32
---     print(wrun.polygamma(1, wrun.tensor({ 1.0 }))) -- pi^2 / 6
function M.polygamma(x, n)
  if type(x) == "number" and check.is_tensor(n) then
    return operations.polygamma(n, x)
  end
  return operations.polygamma(x, n)
end

local APPROXIMATE = check.choice("none", { "none", "tanh" })

--- Returns x times the normal distribution function at x, or its approximation by tanh.
--- shapes  x [...] -> same
--- domain  approximate "none" or "tanh"; float32 and float64, others as float32
--- source  [Hendrycks2016]
---     print(wrun.gelu(wrun.tensor({ -1.0, 1.0 })), wrun.gelu(wrun.tensor({ 1.0 }), "tanh"))
function M.gelu(x, approximate)
  if check.argument("gelu", 2, approximate, APPROXIMATE) == "tanh" then
    return operations.gelu_tanh(x)
  end
  return operations.gelu_erf(x)
end

--- Returns log(1 + e^(beta x)) / beta, and x itself where beta x is above the threshold. Without
--- beta and threshold it is log(1 + e^x) everywhere.
--- shapes  x [...] -> same
--- domain  beta > 0 (1), threshold (20); float32 and float64, others as float32
---     print(wrun.softplus(wrun.tensor({ -1.0, 0.0, 30.0 }), 2))
---@param beta number?
function M.softplus(x, beta, threshold)
  if beta == nil and threshold == nil then
    return operations.softplus(x)
  end
  check.tensor_argument("softplus", 1, x)
  beta = beta or 1
  local is_valid = type(beta) == "number" and beta > 0
  if not is_valid then
    fail("softplus: argument 2: expected a number > 0, got %s", check.describe(beta))
  end
  threshold = check.argument("softplus", 3, threshold, check.number(20))
  local scaled_x = x * beta
  return operations.where(operations.gt(scaled_x, threshold), x,
    operations.softplus(scaled_x) / beta)
end

--- Returns a where the condition is true, else b; without a and b the indices where it is, a
--- tensor for each dimension.
--- shapes  all three broadcast -> their joint shape; condition [m, n] alone -> [count], [count]
--- domain  condition bool (alone: any dtype); the result has the common dtype of a and b
--- raises  `where: argument 1: expected a bool tensor`; `expected a shape that broadcasts with`
---     local x = wrun.tensor { -1.0, 2.0 }
---     print(wrun.where(x:gt(0), x, x * 0.1), (wrun.where(x:gt(0))))
---@param ... wrun.Tensor|number  a and b, or nothing
---@return wrun.Tensor ...
function M.where(condition, ...)
  if select("#", ...) > 0 then
    return operations.where(condition, ...)
  end
  check.tensor_argument("where", 1, condition)
  local seen = condition.ndim == 0 and unrecorded.reshape(condition, 1) or condition
  local indices, columns = unrecorded.nonzero(seen), {}
  for d = 1, seen.ndim do
    columns[d] = unrecorded.select(indices, 2, d)
  end
  return table.unpack(columns)
end

return M
