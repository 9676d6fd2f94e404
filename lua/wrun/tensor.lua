--- The functions of tensors, all of them, and the methods they make.
--
-- The operations, what the files of the topics make of them, and the rest here. Returns the table
-- of functions; those whose first argument is a tensor are its methods too.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local check = require "wrun.check"
local constructors = require "wrun.constructors"
local format = require "wrun.format"
local operations = require "wrun.operations"
local scans = require "wrun.scans"
local shape = require "wrun.shape"
local statistics = require "wrun.statistics"

local fail = core.fail

local M = {}

for _, part in ipairs { constructors, operations, scans, shape, statistics } do
  for name, f in pairs(part) do
    M[name] = f
  end
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
  check.tensor_argument("requires_grad_", 1, x)
  x.requires_grad = on == nil or on
  return x
end

-------------------------------------------------------------------------------
-- Products under their PyTorch names

local function product(name, dims_a, dims_b)
  return function(a, b)
    check.tensor_argument(name, 1, a)
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
  check.tensor_argument("outer", 1, a)
  check.tensor_argument("outer", 2, b)
  return M.unsqueeze(a, 2) * M.unsqueeze(b, 1)
end

M.backward = autograd.backward

-------------------------------------------------------------------------------
-- Methods: all of them but the functions that take no tensor first

for name, f in pairs(M) do
  if not constructors[name] and name ~= "stack" then
    core.methods[name] = f
  end
end
core.Tensor.__tostring = format.tensor

return M
