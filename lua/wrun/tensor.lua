--- The functions of tensors: those of the core, the recorded ones, and compositions of them.
--
-- Returns the table of functions; those whose first argument is a tensor are its methods too.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local check = require "wrun.check"
local format = require "wrun.format"

local fail = core.fail

local M = {}

-- functions that make tensors from none
local CONSTRUCTORS = {
  "tensor", "empty", "zeros", "ones", "full", "eye", "arange", "linspace",
  "rand", "randn", "randint", "randperm",
}

-- functions of the core that record nothing
local PLAIN = {
  "size", "stride", "numel", "dim", "is_contiguous", "item", "tolist", "detach",
  "argmax", "argmin", "any", "all", "bernoulli", "multinomial",
  "uniform_", "normal_", "exponential_", "bernoulli_", "random_",
}

for _, names in ipairs { CONSTRUCTORS, PLAIN } do
  for _, name in ipairs(names) do
    M[name] = core[name]
  end
end
for _, operation in ipairs(core.operations()) do
  M[operation.name] = core[operation.name]
  M[operation.name .. "_"] = core[operation.name .. "_"]
end
for name, f in pairs(autograd.structural) do
  M[name] = f
end

-------------------------------------------------------------------------------
-- Shapes

local function check_tensor(f, t, place)
  if not core.is_tensor(t) then
    fail("%s: argument %d: expected a tensor, got %s", f, place or 1, core.describe(t))
  end
end

--- d (from 1, or from the end) as a number from 1 to n
local function dimension(f, d, n, place)
  if math.type(d) ~= "integer" or d == 0 or d > n or d < -n then
    fail("%s: argument %d: expected a dimension from 1 to %d or from -%d to -1, got %s", f,
      place or 2, n, n, core.describe(d))
  end
  return d < 0 and n + d + 1 or d
end

--- Returns the transpose of a matrix; a vector or a number is its own.
--- shapes  x [m, n] -> [n, m], a view
--- domain  any dtype
--- raises  `t: argument 1: expected at most 2 dimensions`
---@param x Tensor
---@return Tensor
function M.t(x)
  check_tensor("t", x)
  if x.ndim > 2 then
    fail("t: argument 1: expected at most 2 dimensions, got %s; use transpose", core.shape_text(x))
  end
  return x.ndim == 2 and M.transpose(x, 1, 2) or x
end

--- Returns x with a dimension of size 1 at place d of the result.
--- shapes  x [a, b], d = 2 -> [a, 1, b], a view
--- domain  any dtype; d from 1 to ndim + 1, or from the end
--- raises  `unsqueeze: argument 2: expected a dimension`
---@param x Tensor
---@param d integer
---@return Tensor
function M.unsqueeze(x, d)
  check_tensor("unsqueeze", x)
  local shape = x.shape
  table.insert(shape, dimension("unsqueeze", d, #shape + 1), 1)
  return M.view(x, shape)
end

--- Returns x without its dimensions of size 1, or without dimension d if it is one.
--- shapes  x [a, 1, b] -> [a, b], a view
--- domain  any dtype
--- raises  `squeeze: argument 2: expected a dimension`
---@param x Tensor
---@param d? integer
---@return Tensor
function M.squeeze(x, d)
  check_tensor("squeeze", x)
  local kept = {}
  d = d and dimension("squeeze", d, math.max(x.ndim, 1))
  for i, size in ipairs(x.shape) do
    if size ~= 1 or (d and d ~= i) then
      kept[#kept + 1] = size
    end
  end
  return M.view(x, kept)
end

--- Returns x with the dimensions from first to last (all of them) joined into one.
--- shapes  x [a, b, c], 2 -> [a, b * c]; a view where the memory allows, else a copy
--- domain  any dtype
--- raises  `flatten: argument 2: expected a dimension`; `expected the first dimension before`
---@param x Tensor
---@param first? integer  1
---@param last? integer  -1
---@return Tensor
function M.flatten(x, first, last)
  check_tensor("flatten", x)
  if x.ndim == 0 then
    return M.reshape(x, 1)
  end
  first = dimension("flatten", first or 1, x.ndim)
  last = dimension("flatten", last or -1, x.ndim, 3)
  if first > last then
    fail("flatten: expected the first dimension before the last, got %d and %d", first, last)
  end
  local shape, joined = {}, 1
  for d, size in ipairs(x.shape) do
    if d < first or d > last then
      shape[#shape + 1] = size
    else
      joined = joined * size
      if d == last then
        shape[#shape + 1] = joined
      end
    end
  end
  return M.reshape(x, shape)
end

--- Returns x expanded to the shape of y.
--- shapes  x [1, n], y [m, n] -> [m, n], a view
--- domain  any dtype
--- raises  `expand: expected a shape that`
---@param x Tensor
---@param y Tensor
---@return Tensor
function M.expand_as(x, y)
  check_tensor("expand_as", y, 2)
  return M.expand(x, y.shape)
end

--- Returns the elements of x in the shape of y.
--- shapes  as many elements in both; a view
--- domain  any dtype
--- raises  as `view`
---@param x Tensor
---@param y Tensor
---@return Tensor
function M.view_as(x, y)
  check_tensor("view_as", y, 2)
  return M.view(x, y.shape)
end

--- Returns the elements of x in the shape of y, copied where a view cannot show them.
--- shapes  as many elements in both
--- domain  any dtype
--- raises  as `reshape`
---@param x Tensor
---@param y Tensor
---@return Tensor
function M.reshape_as(x, y)
  check_tensor("reshape_as", y, 2)
  return M.reshape(x, y.shape)
end

local function check_list(f, list)
  if type(list) ~= "table" or #list == 0 then
    fail("%s: argument 1: expected a table of one or more tensors, got %s", f, core.describe(list))
  end
  for i, x in ipairs(list) do
    if not core.is_tensor(x) then
      fail("%s: tensor %d: expected a tensor, got %s", f, i, core.describe(x))
    end
  end
end

--- Returns tensors one after the other along dimension d.
--- shapes  [a, n], [b, n] along 1 -> [a + b, n]
--- domain  any dtypes; the result has their common one
--- raises  `cat: tensor N: expected the shape`; `cat: argument 1: expected a table`
---@param list Tensor[]  of one shape but for dimension d
---@param d? integer  1
---@return Tensor
function M.cat(list, d)
  check_list("cat", list)
  d = dimension("cat", d or 1, math.max(list[1].ndim, 1))
  return autograd.structural.cat(d, table.unpack(list))
end

--- Returns tensors of one shape side by side along a new dimension d.
--- shapes  k tensors [m, n] along 1 -> [k, m, n]
--- domain  any dtypes; the result has their common one
--- raises  `stack: tensor N: expected the shape`; `stack: argument 1: expected a table`
---@param list Tensor[]
---@param d? integer  1
---@return Tensor
function M.stack(list, d)
  check_list("stack", list)
  d = dimension("stack", d or 1, list[1].ndim + 1)
  local parts = {}
  for i, x in ipairs(list) do
    if core.shape_text(x) ~= core.shape_text(list[1]) then
      fail("stack: tensor %d: expected the shape %s, got %s", i, core.shape_text(list[1]),
        core.shape_text(x))
    end
    parts[i] = M.unsqueeze(x, d)
  end
  return M.cat(parts, d)
end

-------------------------------------------------------------------------------
-- Types

-- x:float() and its kin are x:to("float32") and so on
local conversions = {
  float = "float32", double = "float64", long = "int64", byte = "uint8", bool = "bool",
}
for method, dtype in pairs(conversions) do
  M[method] = function(x)
    return M.to(x, dtype)
  end
end

-------------------------------------------------------------------------------
-- New tensors like another

--- the options (argument `place`), with the type of x unless they name another
local function options_like(f, x, options, place)
  check_tensor(f, x)
  if options ~= nil and type(options) ~= "table" then
    fail("%s: argument %d: expected a table of options, got %s", f, place, core.describe(options))
  end
  local with = { dtype = x.dtype }
  for name, value in pairs(options or {}) do
    with[name] = value
  end
  return with
end

-- zeros_like(x, options) and its kin: name(x.shape, options), in x's dtype unless options say else
for _, name in ipairs { "zeros", "ones", "empty", "rand", "randn" } do
  local like = name .. "_like"
  M[like] = function(x, options)
    local with = options_like(like, x, options, 2)
    return M[name](x.shape, with)
  end
end

--- Returns a tensor like x, filled with value.
--- shapes  x [...] -> same
--- domain  x's dtype unless options name another
--- raises  as `full`
---@param x Tensor
---@param value number
---@param options? { dtype: string, requires_grad: boolean }
---@return Tensor
function M.full_like(x, value, options)
  local with = options_like("full_like", x, options, 3)
  return M.full(x.shape, value, with)
end

-------------------------------------------------------------------------------
-- In place

--- Sets all elements to value.
--- shapes  any
--- domain  any dtype
--- raises  as `copy_`
---@param x Tensor
---@param value number
---@return Tensor x
function M.fill_(x, value)
  return M.copy_(x, value)
end

--- Sets all elements to 0.
--- shapes  any
--- domain  any dtype
--- raises  as `copy_`
---@param x Tensor
---@return Tensor x
function M.zero_(x)
  return M.copy_(x, 0)
end

--- Returns x with value where mask is true.
--- shapes  x and mask broadcast
--- domain  mask bool
--- raises  as `where`
---@param x Tensor
---@param mask Tensor
---@param value number|Tensor
---@return Tensor
function M.masked_fill(x, mask, value)
  return M.where(mask, value, x)
end

--- Sets x to value where mask is true.
--- shapes  mask broadcasts to x
--- domain  mask bool
--- raises  as `where` and `copy_`
---@param x Tensor
---@param mask Tensor
---@param value number|Tensor
---@return Tensor x
function M.masked_fill_(x, mask, value)
  return M.copy_(x, M.where(mask, value, x))
end

--- Sets whether operations on x are recorded, so that backward() finds its gradient.
--- shapes  any
--- domain  float32 or float64
--- raises  `requires_grad: only float32 and float64 tensors have gradients`
---@param x Tensor
---@param on? boolean  true
---@return Tensor x
function M.requires_grad_(x, on)
  check_tensor("requires_grad_", x)
  x.requires_grad = on == nil or on
  return x
end

-------------------------------------------------------------------------------
-- Statistics

--- how many elements a reduction over dim joins
local function reduced_count(x, dim)
  if dim == nil or x.ndim == 0 then
    return x:numel()
  end
  local count = 1
  for _, d in ipairs(type(dim) == "table" and dim or { dim }) do
    count = count * x:size(d)
  end
  return count
end

local variance_options = { unbiased = check.boolean(true) }

--- Returns the variance: the mean square distance from the mean, times n / (n - 1) unless
--- options.unbiased is false.
--- shapes  x [...] -> [], or without dimension dim
--- domain  float32 or float64; NaN for fewer than 2 elements
--- raises  as `mean`; `var: option unbiased: expected true or false`
---@param x Tensor
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@param options? { unbiased: boolean }
---@return Tensor
function M.var(x, dim, keepdim, options)
  check_tensor("var", x)
  local n = reduced_count(x, dim)
  local unbiased = options == nil or check.options("var", options, variance_options).unbiased
  local every = dim
  if every == nil then
    every = {}
    for d = 1, x.ndim do
      every[d] = d
    end
  end
  local squares = M.square(x - M.mean(x, every, true))
  return M.sum(squares, dim, keepdim) / math.max(0, unbiased and n - 1 or n)
end

--- Returns the standard deviation: the root of the variance.
--- shapes  as `var`
--- domain  as `var`
--- raises  as `var`
---@param x Tensor
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@param options? { unbiased: boolean }
---@return Tensor
function M.std(x, dim, keepdim, options)
  return M.sqrt(M.var(x, dim, keepdim, options))
end

--- Returns the p-norm (sum |x|^p)^(1/p); for math.huge the largest magnitude.
--- shapes  x [...] -> [], or without dimension dim
--- domain  float32 or float64; p > 0. The 2-norm's gradient is 0 where the norm is 0.
--- raises  `norm: argument 2: expected a number > 0`
---@param x Tensor
---@param p? number  2
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@return Tensor
function M.norm(x, p, dim, keepdim)
  p = p or 2
  local is_valid = type(p) == "number" and p > 0
  if not is_valid then
    fail("norm: argument 2: expected a number > 0, got %s", core.describe(p))
  end
  if p == 2 then
    local squared = M.sum(M.square(x), dim, keepdim)
    local is_zero = M.eq(squared, 0)
    return M.where(is_zero, 0, M.sqrt(M.where(is_zero, 1, squared)))
  elseif p == 1 then
    return M.sum(M.abs(x), dim, keepdim)
  elseif p == math.huge then
    local largest = M.max(M.abs(x), dim, keepdim)
    return largest
  end
  return M.pow(M.sum(M.pow(M.abs(x), p), dim, keepdim), 1 / p)
end

--- Returns log sum exp(x) along dim, without overflow.
--- shapes  x [m, n], 2 -> [m]
--- domain  float32 or float64; -inf where all elements are
--- raises  as `max`
---@param x Tensor
---@param dim integer
---@param keepdim? boolean
---@return Tensor
function M.logsumexp(x, dim, keepdim)
  check_tensor("logsumexp", x)
  local most = M.max(x:detach(), dim, true)
  most = M.where(M.isfinite(most), most, 0)
  local result = M.log(M.sum(M.exp(x - most), dim, true)) + most
  return keepdim and result or M.squeeze(result, dim)
end

-------------------------------------------------------------------------------
-- Products under their PyTorch names

local function product(name, dims_a, dims_b)
  return function(a, b)
    check_tensor(name, a)
    if not core.is_tensor(b) or a.ndim ~= dims_a or b.ndim ~= dims_b then
      fail("%s: expected %d and %d dimensions, got %s and %s", name, dims_a, dims_b,
        core.describe(a), core.describe(b))
    end
    return M.matmul(a, b)
  end
end

-- matmul for one combination of dimensions each: [m, k] [k, n], [m, k] [k], [k] [k], and batches
M.mm = product("mm", 2, 2)
M.mv = product("mv", 2, 1)
M.dot = product("dot", 1, 1)
M.bmm = product("bmm", 3, 3)

--- Returns all products of an element of a and an element of b.
--- shapes  a [n], b [m] -> [n, m]
--- domain  any dtypes
--- raises  `outer: argument N: expected a tensor`
---@param a Tensor
---@param b Tensor
---@return Tensor
function M.outer(a, b)
  check_tensor("outer", a)
  check_tensor("outer", b, 2)
  return M.unsqueeze(a, 2) * M.unsqueeze(b, 1)
end

-------------------------------------------------------------------------------
-- Comparison of whole tensors

--- Have a and b the same shape and equal elements?
--- shapes  any
--- domain  any dtypes; NaN equals nothing
--- raises  `equal: argument N: expected a tensor`
---@param a Tensor
---@param b Tensor
---@return boolean
function M.equal(a, b)
  check_tensor("equal", a)
  check_tensor("equal", b, 2)
  return core.shape_text(a) == core.shape_text(b) and M.all(M.eq(a, b)):item()
end

local closeness_options = {
  rtol = check.number(1e-5, 0), atol = check.number(1e-8, 0), equal_nan = check.boolean(false),
}

--- Is |a - b| <= atol + rtol |b| everywhere? Infinities are near themselves.
--- shapes  a and b broadcast
--- domain  numbers or floats; NaN is near nothing unless equal_nan
--- raises  `allclose: option NAME: expected`; as `sub`
---@param a Tensor
---@param b Tensor|number
---@param options? { rtol: number, atol: number, equal_nan: boolean }  1e-5, 1e-8, false
---@return boolean
function M.allclose(a, b, options)
  local o = check.options("allclose", options, closeness_options)
  local near = M.le(M.abs(M.sub(a, b)), M.abs(b) * o.rtol + o.atol)
  near = M.logical_or(near, M.eq(a, b))
  if o.equal_nan then
    near = M.logical_or(near, M.logical_and(M.isnan(a), M.isnan(b)))
  end
  return M.all(near):item()
end

M.backward = autograd.backward

-------------------------------------------------------------------------------
-- Methods: all of them but the functions that take no tensor first

local is_function_only = { stack = true }
for _, name in ipairs(CONSTRUCTORS) do
  is_function_only[name] = true
end

for name, f in pairs(M) do
  if not is_function_only[name] then
    core.methods[name] = f
  end
end
core.Tensor.__tostring = format.tensor

return M
