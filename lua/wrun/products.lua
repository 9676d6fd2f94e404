--- Products of matrices and vectors, under their PyTorch names.

local core = require "wrun.core"
local check = require "wrun.check"
local operations = require "wrun.operations"
local shape = require "wrun.shape"

local fail = core.fail

local M = {}

--- Returns the matrix product; vectors count as a row before and a column after, and further
--- dimensions are batches.
--- shapes  a [..., m, k], b [..., k, n] -> [..., m, n], the batches broadcast; for a [k] or b [k]
---   the result is without m or n
--- domain  any dtypes but bool; the result has their common one
--- raises  `matmul: argument 2: expected N rows to match`; `expected batch dimensions that`
--- cost    2 m k n operations
---
---     local a, b = wrun.rand(2, 3), wrun.rand(3, 4)
---     print(a:matmul(b).shape[2])
---@type fun(a: Tensor, b: Tensor): Tensor
M.matmul = operations.matmul

--- Returns x weight^T + bias: what nn.Linear computes.
--- shapes  x [..., in], weight [out, in], bias [out] -> [..., out]
--- domain  float32 or float64, the same for all
--- raises  `linear: argument 1: expected [..., in]`; `linear: argument 3: expected a bias [out]`;
---   `linear: expected float tensors of one type`
---
---     print(wrun.linear(wrun.ones(2, 3), wrun.ones(4, 3), wrun.ones(4)))
---@type fun(x: Tensor, weight: Tensor, bias?: Tensor): Tensor
M.linear = operations.linear

-- matmul for one combination of dimensions
local function product(name, dims_a, dims_b)
  return function(a, b)
    check.tensor_argument(name, 1, a)
    if not core.is_tensor(b) or a.ndim ~= dims_a or b.ndim ~= dims_b then
      fail("%s: expected %d and %d dimensions, got %s and %s", name, dims_a, dims_b,
        core.describe(a), core.describe(b))
    end
    return operations.matmul(a, b)
  end
end

--- Returns the product of two matrices.
--- shapes  a [m, k], b [k, n] -> [m, n]
--- domain  as `matmul`
--- raises  `mm: expected 2 and 2 dimensions`; as `matmul`
---
---     print(wrun.eye(2):mm(wrun.ones(2, 3)))
---@type fun(a: Tensor, b: Tensor): Tensor
M.mm = product("mm", 2, 2)

--- Returns the product of a matrix and a vector.
--- shapes  a [m, k], b [k] -> [m]
--- domain  as `matmul`
--- raises  `mv: expected 2 and 1 dimensions`; as `matmul`
---
---     print(wrun.eye(2):mv(wrun.ones(2)))
---@type fun(a: Tensor, b: Tensor): Tensor
M.mv = product("mv", 2, 1)

--- Returns the sum of the products of two vectors' elements.
--- shapes  a [n], b [n] -> []
--- domain  as `matmul`
--- raises  `dot: expected 1 and 1 dimensions`; as `matmul`
---
---     print(wrun.tensor({ 1, 2, 3 }):dot(wrun.tensor({ 4, 5, 6 })))
---@type fun(a: Tensor, b: Tensor): Tensor
M.dot = product("dot", 1, 1)

--- Returns the products of two batches of matrices.
--- shapes  a [batch, m, k], b [batch, k, n] -> [batch, m, n]
--- domain  as `matmul`
--- raises  `bmm: expected 3 and 3 dimensions`; as `matmul`
---
---     print(wrun.rand(5, 2, 3):bmm(wrun.rand(5, 3, 4)).shape[3])
---@type fun(a: Tensor, b: Tensor): Tensor
M.bmm = product("bmm", 3, 3)

--- Returns all products of an element of a and an element of b.
--- shapes  a [n], b [m] -> [n, m]
--- domain  any dtypes
--- raises  `outer: argument N: expected a tensor`
---
---     print(wrun.arange(1, 4):outer(wrun.arange(1, 4)))
---@param a Tensor
---@param b Tensor
---@return Tensor
function M.outer(a, b)
  check.tensor_argument("outer", 1, a)
  check.tensor_argument("outer", 2, b)
  return shape.unsqueeze(a, 2) * shape.unsqueeze(b, 1)
end

return M
