--- The functions of tensors: those of the core, the recorded ones, and compositions of them.
--
-- Returns the table of functions; those whose first argument is a tensor are its methods too.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local check = require "wrun.check"
local format = require "wrun.format"

local fail = core.fail

local M = {}

-- names of the core that are not functions of tensors
local private = {
  fail = true, operations = true, adam_step = true, sgd_step = true, check_classes = true,
}

for name, f in pairs(core) do
  if type(f) == "function" and not private[name] then
    M[name] = f
  end
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

--- The transpose of a matrix; a vector or a number is its own.
function M.t(x)
  check_tensor("t", x)
  if x.ndim > 2 then
    fail("t: argument 1: expected at most 2 dimensions, got %s; use transpose", core.shape_text(x))
  end
  return x.ndim == 2 and M.transpose(x, 1, 2) or x
end

--- A dimension of size 1 at place d of the result.
function M.unsqueeze(x, d)
  check_tensor("unsqueeze", x)
  local shape = x.shape
  table.insert(shape, dimension("unsqueeze", d, #shape + 1), 1)
  return M.view(x, shape)
end

--- Without its dimensions of size 1, or without dimension d if it is one.
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

--- Dimensions first to last (all of them) joined into one.
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

--- Expanded to the shape of y.
function M.expand_as(x, y)
  check_tensor("expand_as", y, 2)
  return M.expand(x, y.shape)
end

--- In the shape of y.
function M.view_as(x, y)
  check_tensor("view_as", y, 2)
  return M.view(x, y.shape)
end

--- In the shape of y, copied if need be.
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

--- Tensors one after the other along dimension d (1).
---@param list Tensor[]  of one shape but for dimension d
function M.cat(list, d)
  check_list("cat", list)
  d = dimension("cat", d or 1, math.max(list[1].ndim, 1))
  return autograd.structural.cat(d, table.unpack(list))
end

--- Tensors of one shape side by side along a new dimension d (1).
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

for _, name in ipairs { "zeros", "ones", "empty", "rand", "randn" } do
  local like = name .. "_like"
  M[like] = function(x, options)
    local with = options_like(like, x, options, 2)
    return M[name](x.shape, with)
  end
end

function M.full_like(x, value, options)
  local with = options_like("full_like", x, options, 3)
  return M.full(x.shape, value, with)
end

-------------------------------------------------------------------------------
-- In place

--- All elements become value.
function M.fill_(x, value)
  return M.copy_(x, value)
end

--- All elements become 0.
function M.zero_(x)
  return M.copy_(x, 0)
end

--- value where mask is true.
function M.masked_fill(x, mask, value)
  return M.where(mask, value, x)
end

function M.masked_fill_(x, mask, value)
  return M.copy_(x, M.where(mask, value, x))
end

function M.requires_grad_(x, on)
  check_tensor("requires_grad_", x)
  x.requires_grad = on == nil or on
  return x
end

-------------------------------------------------------------------------------
-- Statistics

--- how many elements a reduction over dim joins
local function reduced_count(x, dim)
  if dim == nil then
    return x:numel()
  end
  local count = 1
  for _, d in ipairs(type(dim) == "table" and dim or { dim }) do
    count = count * x:size(d)
  end
  return count
end

local variance_options = { unbiased = check.boolean(true) }

--- The variance: the mean square distance from the mean, times n / (n - 1) unless options.unbiased
--- is false.
---@param x Tensor  float
---@param dim? integer|integer[]  all dimensions
---@param keepdim? boolean
---@param options? { unbiased: boolean }
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

--- The standard deviation: the root of the variance.
function M.std(x, dim, keepdim, options)
  return M.sqrt(M.var(x, dim, keepdim, options))
end

--- The p-norm (2): (sum |x|^p)^(1/p) for p > 0; math.huge is the largest magnitude.
function M.norm(x, p, dim, keepdim)
  p = p or 2
  if type(p) ~= "number" or not (p > 0) then
    fail("norm: argument 2: expected a number > 0, got %s", core.describe(p))
  end
  if p == 2 then
    return M.sqrt(M.sum(M.square(x), dim, keepdim))
  elseif p == 1 then
    return M.sum(M.abs(x), dim, keepdim)
  elseif p == math.huge then
    local largest = M.max(M.abs(x), dim, keepdim)
    return largest
  end
  return M.pow(M.sum(M.pow(M.abs(x), p), dim, keepdim), 1 / p)
end

--- log sum exp(x) along dim, without overflow.
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

M.mm = product("mm", 2, 2)
M.mv = product("mv", 2, 1)
M.dot = product("dot", 1, 1)
M.bmm = product("bmm", 3, 3)

--- a[n], b[m] -> [n, m]
function M.outer(a, b)
  check_tensor("outer", a)
  check_tensor("outer", b, 2)
  return M.unsqueeze(a, 2) * M.unsqueeze(b, 1)
end

-------------------------------------------------------------------------------
-- Comparison of whole tensors

--- Have a and b the same shape and equal elements?
function M.equal(a, b)
  check_tensor("equal", a)
  check_tensor("equal", b, 2)
  return core.shape_text(a) == core.shape_text(b) and M.all(M.eq(a, b)):item()
end

local closeness_options = {
  rtol = check.number(1e-5, 0), atol = check.number(1e-8, 0), equal_nan = check.boolean(false),
}

--- Is |a - b| <= atol + rtol |b| everywhere? { rtol = 1e-5, atol = 1e-8, equal_nan = false }
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
-- Methods

-- functions whose first argument is no tensor
local functions_only = {
  tensor = true, zeros = true, ones = true, full = true, empty = true, eye = true, arange = true,
  linspace = true, rand = true, randn = true, randint = true, randperm = true, Generator = true,
  cat = true, stack = true, is_tensor = true, set_num_threads = true, get_num_threads = true,
  describe = true, shape_text = true,
}

for name, f in pairs(M) do
  if not functions_only[name] then
    core.methods[name] = f
  end
end
core.methods.cat = M.cat
core.Tensor.__tostring = format.tensor

return M
