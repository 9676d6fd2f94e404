--- Norms of matrices, and their condition.

local check = require "wrun.check"
local factor = require "wrun.tensor.linalg_factor"
local operations = require "wrun.operations"
local scale = require "wrun.tensor.internal.scale"
local statistics = require "wrun.tensor.statistics"

local fail = check.fail

local M = {}

local FLAG = check.boolean(false)

local function check_float(f, x)
  check.tensor_argument(f, 1, x)
  check.float_argument(f, 1, x)
end

--- Returns the p-norm, as `wrun.norm` does.
--- as      wrun.norm
---     print(wrun.linalg.vector_norm(wrun.tensor { 3.0, -4.0 }, 1))    -- tensor(7.)
---@param p number?  2
function M.vector_norm(x, p, dims, keepdim)
  return (statistics.norm(x, p, dims, keepdim))
end

local function with_matrices_last(f, x, dims)
  if x.ndim < 2 then
    fail("%s: argument 1: expected a matrix or a batch of matrices, got %s", f, check.describe(x))
  end
  local order, is_last = {}, {}
  for i, d in ipairs(dims) do
    local is_dimension = math.type(d) == "integer" and d ~= 0 and d <= x.ndim and d >= -x.ndim
    if not is_dimension or #dims ~= 2 or is_last[d % (x.ndim + 1)] then
      fail("%s: argument 3: expected two dimensions of %s, got %s", f, check.shape_text(x),
        check.describe(dims))
    end
    dims[i] = d < 0 and x.ndim + d + 1 or d
    is_last[dims[i]] = true
  end
  for d = 1, x.ndim do
    if not is_last[d] then
      order[#order + 1] = d
    end
  end
  order[#order + 1], order[#order + 2] = dims[1], dims[2]
  return operations.permute(x, order)
end

--- the largest of the last dimension, 0 where there is none
local function largest(x)
  return x:size(-1) == 0 and x:sum(-1) or x:amax(-1)
end

local function least(x)
  if x:size(-1) == 0 then
    fail("matrix_norm: argument 1: expected a matrix with elements for a negative order")
  end
  return x:amin(-1)
end

-- by order: what a batch of matrices is measured by
local MATRIX_NORMS = {
  fro = function(x) return statistics.norm(x, 2, { -2, -1 }) end,
  nuc = function(x) return factor.svdvals(x):sum(-1) end,
  [1] = function(x) return largest(x:abs():sum(-2)) end,
  [-1] = function(x) return least(x:abs():sum(-2)) end,
  [2] = function(x) return largest(factor.svdvals(x)) end,
  [-2] = function(x) return least(factor.svdvals(x)) end,
  [math.huge] = function(x) return largest(x:abs():sum(-1)) end,
  [-math.huge] = function(x) return least(x:abs():sum(-1)) end,
}

local MATRIX_ORDER = check.rule("fro", "fro, nuc, 1, 2, math.huge or the negative of a number",
  function(order)
    return MATRIX_NORMS[order] and order
  end)

--- Returns the norm of matrices.
--- "fro" is the root of the sum of squares, "nuc" the sum of the singular values, 2 the largest of
--- them, 1 the largest sum of magnitudes of a column, math.huge of a row; the negative orders are
--- the least.
--- shapes  x [..., m, n] -> [...]
--- domain  float32 or float64; finite for "nuc", 2 and -2. 0 for a matrix without elements.
--- raises  `argument 1: expected a matrix with elements for a negative order`; as `svdvals`
---     print(wrun.linalg.matrix_norm(wrun.eye(4), "nuc"))  -- tensor(4.)
---@param order string|number?  "fro"
---@param dims integer[]?  { -2, -1 }
function M.matrix_norm(x, order, dims, keepdim)
  check_float("matrix_norm", x)
  order = check.argument("matrix_norm", 2, order, MATRIX_ORDER)
  dims = check.argument("matrix_norm", 3, dims, check.table({ -2, -1 }))
  dims = check.list(dims)
  local y = MATRIX_NORMS[order](with_matrices_last("matrix_norm", x, dims))
  if check.argument("matrix_norm", 4, keepdim, FLAG) then
    local shape = x.shape
    shape[dims[1]], shape[dims[2]] = 1, 1
    return y:reshape(shape)
  end
  return y
end

--- Returns `vector_norm` of x flattened, or `matrix_norm` where order is given and x is a matrix or
--- dim names two dimensions.
--- shapes  x [...] -> [], or without the dimensions dim
--- domain  float32 or float64
--- raises  as `vector_norm` and `matrix_norm`
---     print(wrun.linalg.norm(wrun.ones(3, 3)), wrun.linalg.norm(wrun.ones(3, 3), 1))  -- 3 and 3
---@param order string|number?
---@param dim integer|integer[]?
function M.norm(x, order, dim, keepdim)
  check_float("norm", x)
  local is_matrix = type(dim) == "table" and #dim == 2 or (dim == nil and x.ndim == 2)
  if type(order) == "string" or (order ~= nil and is_matrix) then
    return (M.matrix_norm(x, order, dim, keepdim))
  end
  return (M.vector_norm(x, order, dim, keepdim))
end

--- Returns the condition number: the norm of a matrix times that of its inverse. For the orders 2
--- and -2 the ratio of the largest and the least singular value.
--- shapes  x [..., n, n] -> [...]; for 2 and -2 also [..., m, n]
--- domain  float32 or float64; infinity for a singular matrix, 0 for one without elements
--- raises  `argument 1: expected a square matrix`
---     print(wrun.linalg.cond(wrun.tensor({ { 2.0, 0 }, { 0, 0.5 } })))  -- tensor(4.)
---@param order string|number?  2
function M.cond(x, order)
  check_float("cond", x)
  order = check.argument("cond", 2, order == nil and 2 or order, MATRIX_ORDER)
  local by_values = order == 2 or order == -2
  if x.ndim < 2 or not (by_values or x:size(-1) == x:size(-2)) then
    fail("cond: argument 1: expected a %smatrix or a batch of such, got %s",
      by_values and "" or "square ", check.describe(x))
  elseif x:numel() == 0 then
    return x:sum({ -2, -1 })
  elseif by_values then
    local s = factor.svdvals(x)
    local first, last = s:narrow(-1, 1, 1), s:narrow(-1, s:size(-1), 1)
    return (order == 2 and first / last or last / first):squeeze(-1)
  end
  x = x * scale.of(x, { -2, -1 }) -- which the condition does not see, but the inverse's size
  local is_singular = factor.slogdet(x:detach()):eq(0)
  local one = operations.eye(x:size(-1), { dtype = x.dtype })
  local regular = operations.where(is_singular:unsqueeze(-1):unsqueeze(-1), one, x)
  local product = M.matrix_norm(x, order) * M.matrix_norm(factor.inv(regular), order)
  return operations.where(is_singular, math.huge, product)
end

return M
