--- The functions that make tensors from none; all others are methods of tensors too.
--- Sizes are integers, `zeros(2, 3)`, or one table, `zeros({ 2, 3 })`; options follow in a table of
--- their own: dtype ("float32", "float64", "int64", "int32", "uint8", "bool"), requires_grad (no).

local check = require "wrun.check"
local operations = require "wrun.operations"
local publish = require "wrun.publish"

local fail = check.fail

local M = {}

--- Returns a tensor of the values in nested tables, or a copy of a tensor.
--- shapes  { { a, b, c }, { d, e, f } } -> [2, 3]; a number -> []
--- domain  numbers or booleans; dtype float32 if any is a float, else int64 or bool, or what
---   the option dtype says
--- raises  `tensor: argument 1: expected every table at depth`; `expected numbers or booleans in`;
---   `expected either numbers or booleans`; `option NAME stands among the elements`
---     local x = wrun.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }, { dtype = "float64" })
---     print(x, x.shape[1], x.shape[2])
---@type fun(data: table|number|boolean|wrun.Tensor, options?: table): wrun.Tensor
M.tensor = operations.tensor

--- Returns a tensor whose elements are whatever the memory held.
--- as      zeros
---     print(#wrun.empty(2, 3, { dtype = "uint8" }))
M.empty = operations.empty

--- Returns a tensor of zeros.
--- shapes  sizes -> [sizes]
--- domain  any dtype, float32 by default
--- raises  `zeros: argument N: expected a size`; `zeros: a size is negative`;
---   `zeros: option dtype: expected`
---     print(wrun.zeros(2, 3), wrun.zeros({ 2 }, { dtype = "int64" }))
---@type fun(...: integer|table): wrun.Tensor
M.zeros = operations.zeros

--- Returns a tensor of ones.
--- as      zeros
---     print(wrun.ones(2, 3) * 5)
M.ones = operations.ones

--- Returns a tensor filled with value.
--- shapes  sizes -> [sizes]
--- domain  the dtype of the value (float32, int64 or bool) unless options say otherwise
--- raises  `full: argument 1: expected a table of sizes`; `full: argument 2: expected`
---     print(wrun.full({ 2, 2 }, 7))
---@type fun(sizes: integer[], value: number|boolean, options?: table): wrun.Tensor
M.full = operations.full

--- Returns a matrix with ones on its diagonal and zeros elsewhere.
--- shapes  n -> [n, n]; n, m -> [n, m]
--- domain  any dtype, float32 by default
--- raises  `eye: argument 1: expected a number of rows`
---     print(wrun.eye(3), wrun.eye(2, 3))
---@type fun(n: integer, m?: integer, options?: table): wrun.Tensor
M.eye = operations.eye

--- Returns start, start + step, ... below stop, or above it where the step is negative.
--- shapes  -> [ceil((stop - start) / step)]
--- domain  one number is stop, two are start and stop; start is 0 and step 1 by default. int64
---   where all are integers, else float32, unless options say otherwise; for an integer dtype
---   start and step lose their fractions. Unlike a loop of Lua's, and as in PyTorch, it does not
---   reach stop.
--- raises  `arange: argument 1: expected a number`; `arange: expected a step that leads from`
---     print(wrun.arange(5), wrun.arange(1, 6), wrun.arange(1, 0, -0.25))
---@type fun(start: number, stop?: number, step?: number, options?: table): wrun.Tensor
M.arange = operations.arange

--- Returns n numbers at equal distances from start to stop, both included.
--- shapes  -> [n]
--- domain  n >= 0; any dtype, float32 by default
--- raises  `linspace: argument N: expected a number`
---     print(wrun.linspace(0, 1, 5))
---@type fun(start: number, stop: number, n: integer, options?: table): wrun.Tensor
M.linspace = operations.linspace

local LOGSPACE = {
  base = check.number(10),
  dtype = check.float_dtype("float32"),
  requires_grad = check.boolean(false),
}

--- Returns n powers of a base whose exponents are at equal distances from start to stop.
--- shapes  -> [n]
--- domain  n >= 0; options base (10), dtype float32 (default) or float64, requires_grad
---     print(wrun.logspace(-3, 0, 4), wrun.logspace(0, 4, 5, { base = 2 }))
function M.logspace(start, stop, n, options)
  start = check.argument("logspace", 1, start, check.number())
  stop = check.argument("logspace", 2, stop, check.number())
  n = check.argument("logspace", 3, n, check.integer(nil, 0))
  check.sizes("logspace", { n })
  local o = check.options("logspace", options, LOGSPACE)
  local powers = operations.pow(o.base, operations.linspace(start, stop, n, { dtype = o.dtype }))
  powers.requires_grad = o.requires_grad
  return powers
end

--- Returns draws from U[0, 1).
--- shapes  sizes -> [sizes]
--- domain  float32 (default) or float64; options dtype, requires_grad, generator
--- raises  `rand: argument N: expected a size`; `rand: a size is negative`;
---   `rand: option dtype: expected float32 or float64`
--- source  the stream of PyTorch's CPU generator
---     wrun.manual_seed(777)
---     print(wrun.rand(2, 3))
---@type fun(...: integer|table): wrun.Tensor
M.rand = operations.rand

--- Returns draws from the normal distribution with mean 0 and standard deviation 1.
--- source  [BoxMuller1958] on the stream of PyTorch's CPU generator
--- as      rand
---     wrun.manual_seed(777)
---     print(wrun.randn(2, 3), wrun.randn(1000):std())
M.randn = operations.randn

--- Returns integers drawn from low to high - 1, all equally likely.
--- shapes  sizes -> [sizes]
--- domain  low is 0 where one bound is given; int64 unless options (dtype, generator) say otherwise
--- raises  `randint: expected bounds with low < high`; `randint: argument N: expected a table`
---     print(wrun.randint(1, 7, { 10 })) -- ten throws of a die
---@type fun(low: integer, high: integer, sizes: integer[], options?: table): wrun.Tensor
M.randint = operations.randint

--- Returns the integers from 1 to n in random order.
--- shapes  -> [n] int64
--- domain  n from 0 to 214748363; option generator
--- raises  `randperm: argument 1: expected`
---     local x, order = wrun.rand(4, 2), wrun.randperm(4)
---     print(x:index_select(1, order)) -- the rows of x in another order
---@type fun(n: integer, options?: table): wrun.Tensor
M.randperm = operations.randperm

--- the options (argument `index`), with the type of x unless they name another
local function options_like(f, x, options, index)
  check.tensor_argument(f, 1, x)
  if options ~= nil and type(options) ~= "table" then
    fail("%s: argument %d: expected a table of options, got %s", f, index, check.describe(options))
  end
  local with = { dtype = x.dtype }
  for name, value in pairs(options or {}) do
    with[name] = value
  end
  return with
end

-- name_like(x, options): name(x.shape, options), in x's dtype unless options say otherwise
local function like(name)
  local make, f = M[name], name .. "_like"
  return function(x, options)
    local with = options_like(f, x, options, 2)
    return make(x.shape, with)
  end
end

M.zeros_like = like("zeros")

M.ones_like = like("ones")

M.empty_like = like("empty")

M.rand_like = like("rand")

M.randn_like = like("randn")

--- Returns integers drawn from low to high - 1 in the shape of x.
--- domain  x's dtype unless options name another; low is 0 where one bound is given; option
---   generator
--- raises  as `randint`
---     print(wrun.randint_like(wrun.zeros(2, 3), 1, 7))
---@param low integer  or high, where that is the last number
---@param high integer?
function M.randint_like(x, low, high, options)
  if type(high) ~= "number" then
    low, high, options = 0, low, high
  end
  local with = options_like("randint_like", x, options, 4)
  return M.randint(low, high, x.shape, with)
end

--- Returns a tensor like x, filled with value.
--- domain  x's dtype unless options name another
--- raises  as `full`
---     print(wrun.full_like(wrun.ones(2, 2), 7))
---@param value number
---@param options { dtype: string, requires_grad: boolean }?
function M.full_like(x, value, options)
  local with = options_like("full_like", x, options, 3)
  return M.full(x.shape, value, with)
end

publish.without_methods(M, {
  "tensor", "empty", "zeros", "ones", "full", "eye", "arange", "linspace", "logspace", "rand",
  "randn", "randint", "randperm",
})

return M
