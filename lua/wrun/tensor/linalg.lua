--- Products of matrices and vectors, under their PyTorch names, and what is made of them.

local broadcast = require "wrun.tensor.internal.broadcast"
local check = require "wrun.check"
local gradients = require "wrun.tensor.internal.gradients"
local operations = require "wrun.operations"
local publish = require "wrun.publish"
local view = require "wrun.tensor.view"

local fail = check.fail

local M = {}

-- Gradients ------------------------------------------------------------------

--- matrices for matmul's gradient: vectors as a row (left) or a column (right)
local function as_matrices(g, a, b)
  if a.ndim == 1 and b.ndim == 1 then
    return g:reshape(1, 1), a:unsqueeze(1), b:unsqueeze(2)
  elseif a.ndim == 1 then
    return g:unsqueeze(-2), a:unsqueeze(1), b
  elseif b.ndim == 1 then
    return g:unsqueeze(-1), a, b:unsqueeze(2)
  end
  return g, a, b
end

--- rows of x[..., n] as one matrix
local function flat(x)
  if x.ndim <= 2 then
    return x.ndim == 2 and x or x:unsqueeze(1)
  end
  return x:flatten(1, -2)
end

operations.define("linalg", {
  matmul = {
    label = "MmBackward0",
    gradients = {
      function(g, _, a, b)
        local rows, _, right = as_matrices(g, a, b)
        local da = rows:matmul(right:transpose(-1, -2))
        return a.ndim == 1 and da:squeeze(-2) or da
      end,
      function(g, _, a, b)
        local rows, left = as_matrices(g, a, b)
        local db = left:transpose(-1, -2):matmul(rows)
        return b.ndim == 1 and db:squeeze(-1) or db
      end,
    },
    saves = { 1, 2 },
    sample = function(randn) return randn(2, 3, 4), randn(4, 5) end,
  },
  linear = {
    label = "AddmmBackward0",
    gradients = {
      function(g, _, _, w) return g:matmul(w) end,
      function(g, _, x) return flat(g):t():matmul(flat(x)) end,
      gradients.to_same,
    },
    kernels = { "_linear_input_gradient", "_linear_weight_gradient" },
    saves = { 1, 2 },
    sample = function(randn) return randn(3, 4), randn(2, 4), randn(2) end,
  },
})

--- Returns the matrix product; vectors count as a row before and a column after, and further
--- dimensions are batches.
--- shapes  a [..., m, k], b [..., k, n] -> [..., m, n], the batches broadcast; for a [k] or b [k]
---   the result is without m or n
--- domain  any dtypes but bool; the result has their common one
--- raises  `matmul: argument 2: expected N rows to match`; `expected batch dimensions that`
--- cost    2 m k n operations
---     local a, b = wrun.rand(2, 3), wrun.rand(3, 4)
---     print(a:matmul(b).shape[2])
---@type fun(a: wrun.Tensor, b: wrun.Tensor): wrun.Tensor
M.matmul = operations.matmul

--- Returns x weight^T + bias: what nn.Linear computes.
--- shapes  x [..., in], weight [out, in], bias [out] -> [..., out]
--- domain  float32 or float64, the same for all
--- raises  `linear: argument 1: expected [..., in]`; `linear: argument 3: expected a bias [out]`;
---   `linear: expected float tensors of one type`
---     print(wrun.linear(wrun.ones(2, 3), wrun.ones(4, 3), wrun.ones(4)))
---@type fun(x: wrun.Tensor, weight: wrun.Tensor, bias?: wrun.Tensor): wrun.Tensor
M.linear = operations.linear

local function check_dimensions(name, first, a, b, dims_a, dims_b)
  check.tensor_argument(name, first, a)
  if not check.is_tensor(b) or a.ndim ~= dims_a or b.ndim ~= dims_b then
    fail("%s: expected %d and %d dimensions, got %s and %s", name, dims_a, dims_b,
      check.describe(a), check.describe(b))
  end
end

-- matmul for one combination of dimensions
local function product(name, dims_a, dims_b)
  return function(a, b)
    check_dimensions(name, 1, a, b, dims_a, dims_b)
    return operations.matmul(a, b)
  end
end

--- Returns the product of two matrices.
--- shapes  a [m, k], b [k, n] -> [m, n]
--- raises  as `matmul`
--- as      matmul
---     print(wrun.eye(2):mm(wrun.ones(2, 3)))
M.mm = product("mm", 2, 2)

--- Returns the product of a matrix and a vector.
--- shapes  a [m, k], b [k] -> [m]
--- raises  as `matmul`
--- as      matmul
---     print(wrun.eye(2):mv(wrun.ones(2)))
M.mv = product("mv", 2, 1)

--- Returns the sum of the products of two vectors' elements.
--- shapes  a [n], b [n] -> []
--- raises  as `matmul`
--- as      matmul
---     print(wrun.tensor({ 1, 2, 3 }):dot(wrun.tensor({ 4, 5, 6 })))
M.dot = product("dot", 1, 1)

--- Returns the products of two batches of matrices.
--- shapes  a [batch, m, k], b [batch, k, n] -> [batch, m, n]
--- raises  as `matmul`
--- as      matmul
---     print(wrun.rand(5, 2, 3):bmm(wrun.rand(5, 3, 4)).shape[3])
M.bmm = product("bmm", 3, 3)

--- Returns all products of an element of a and an element of b.
--- shapes  a [n], b [m] -> [n, m]
---     print(wrun.arange(1, 4):outer(wrun.arange(1, 4)))
function M.outer(a, b)
  check.tensor_argument("outer", 1, a)
  check.tensor_argument("outer", 2, b)
  return view.unsqueeze(a, 2) * view.unsqueeze(b, 1)
end

-- Products added to something ------------------------------------------------

local SCALES = { beta = check.number(1), alpha = check.number(1) }

-- beta x + alpha y; with beta 0 nothing of x is left, NaN neither, but a gradient of zeros
local function sum(name, x, y, options)
  local o = check.options(name, options, SCALES)
  check.tensor_argument(name, 1, x)
  local joint = broadcast { x.shape, y.shape }
  if not joint or not check.same_shape(joint, y) then
    fail("%s: argument 1: expected what broadcasts to %s, got %s", name, check.shape_text(y),
      check.shape_text(x))
  end
  y = o.alpha == 1 and y or y * o.alpha
  if o.beta == 0 then
    return operations.where(operations.tensor(true), y, x)
  end
  return (o.beta == 1 and x or x * o.beta) + y
end

local function sum_with_product(name, dims_a, dims_b)
  return function(x, a, b, options)
    check_dimensions(name, 2, a, b, dims_a, dims_b)
    return sum(name, x, operations.matmul(a, b), options)
  end
end

--- Returns beta x + alpha a b for matrices a and b.
--- shapes  x broadcasts to [m, n], a [m, k], b [k, n] -> [m, n]
--- domain  any dtypes; with beta = 0 x is not read
---     local one = wrun.eye(2)
---     print(wrun.addmm(wrun.ones(2), one, one, { beta = 3, alpha = 2 }))  -- 5 3, 3 5
---@type fun(x: wrun.Tensor, a: wrun.Tensor, b: wrun.Tensor, options?: { beta: number, alpha: number }): wrun.Tensor
M.addmm = sum_with_product("addmm", 2, 2)

--- Returns beta x + alpha a b for a matrix a and a vector b.
--- shapes  x broadcasts to [m], a [m, k], b [k] -> [m]
--- as      addmm
---     print(wrun.addmv(wrun.ones(2), wrun.eye(2), wrun.tensor({ 1.0, 2 })))  -- tensor([2., 3.])
M.addmv = sum_with_product("addmv", 2, 1)

--- Returns beta x + alpha a b for batches of matrices a and b.
--- shapes  x broadcasts to [n, m, l], a [n, m, k], b [n, k, l] -> [n, m, l]
--- as      addmm
---     print(wrun.baddbmm(wrun.ones(1), wrun.ones(2, 1, 3), wrun.ones(2, 3, 1)):flatten())  -- 4, 4
M.baddbmm = sum_with_product("baddbmm", 3, 3)

--- Returns beta x + alpha times the outer product of the vectors a and b.
--- shapes  x broadcasts to [n, m], a [n], b [m] -> [n, m]
--- domain  as `addmm`
---     print(wrun.addr(wrun.ones(2, 2), wrun.tensor({ 1.0, 2 }), wrun.tensor({ 1.0, 10 })))
---@param options { beta: number, alpha: number }?
function M.addr(x, a, b, options)
  check_dimensions("addr", 2, a, b, 1, 1)
  return sum("addr", x, M.outer(a, b), options)
end

-- Chains ---------------------------------------------------------------------

-- [i][j]: after which matrix to split the chain i..j so that multiplying is cheapest; matrix i is
-- rows[i] by rows[i + 1]
local function best_splits(rows)
  local n, cost, split = #rows - 1, {}, {}
  for i = 1, n do
    cost[i], split[i] = { [i] = 0 }, {}
  end
  for length = 2, n do
    for i = 1, n - length + 1 do
      local j = i + length - 1
      cost[i][j] = math.huge
      for k = i, j - 1 do
        local c = cost[i][k] + cost[k + 1][j] + 1.0 * rows[i] * rows[k + 1] * rows[j + 1]
        if c < cost[i][j] then
          cost[i][j], split[i][j] = c, k
        end
      end
    end
  end
  return split
end

--- Returns the product of several matrices, multiplied in the order that is cheapest.
--- shapes  [a, b], [b, c], [c, d] -> [a, d]; the first may be a row [b], the last a column [c]
--- cost    the fewest multiplications, found in O(n^3) for n matrices
---     print(wrun.multi_dot({ wrun.ones(100, 2), wrun.ones(2, 100), wrun.ones(100) })[1])  -- 200
function M.multi_dot(list)
  local given = list
  list = type(given) == "table" and check.list(given) or {}
  if #list < 2 then
    fail("multi_dot: argument 1: expected a table of two or more tensors, got %s",
      check.describe(given))
  end
  local matrices, rows = {}, {}
  for i, x in ipairs(list) do
    local is_end = i == 1 or i == #list
    if not check.is_tensor(x) or not (x.ndim == 2 or (is_end and x.ndim == 1)) then
      fail("multi_dot: tensor %d: expected a matrix%s, got %s", i, is_end and " or a vector" or "",
        check.describe(x))
    end
    matrices[i] = x.ndim == 2 and x or x:unsqueeze(i == 1 and 1 or 2)
    if i > 1 and matrices[i]:size(1) ~= rows[i] then
      fail("multi_dot: tensor %d: expected %d rows to match %s, got %s", i, rows[i],
        check.shape_text(list[i - 1]), check.shape_text(x))
    end
    rows[i], rows[i + 1] = matrices[i]:size(1), matrices[i]:size(2)
  end
  local split = best_splits(rows)
  local function multiply(i, j)
    if i == j then
      return matrices[i]
    end
    return operations.matmul(multiply(i, split[i][j]), multiply(split[i][j] + 1, j))
  end
  local y = multiply(1, #list)
  y = list[#list].ndim == 1 and y:squeeze(-1) or y
  return list[1].ndim == 1 and y:squeeze(1) or y
end

-- Others ---------------------------------------------------------------------

--- Returns the Kronecker product: blocks of b, one times each element of a.
--- shapes  a [m, n], b [p, q] -> [m p, n q]; any ranks, the smaller filled up with ones in front
---     print(wrun.kron(wrun.eye(2), wrun.tensor({ { 1.0, 2 } })))  -- 1 2 0 0, 0 0 1 2
function M.kron(a, b)
  check.tensor_argument("kron", 1, a)
  check.tensor_argument("kron", 2, b)
  local n = math.max(a.ndim, b.ndim)
  local left, right, whole = {}, {}, {}
  for i = 1, n do
    local d, e = a.ndim - n + i, b.ndim - n + i
    local size_a, size_b = d > 0 and a:size(d) or 1, e > 0 and b:size(e) or 1
    left[2 * i - 1], left[2 * i] = size_a, 1
    right[2 * i - 1], right[2 * i] = 1, size_b
    whole[i] = size_a * size_b
  end
  return (a:reshape(left) * b:reshape(right)):reshape(whole)
end

local DIMENSION = { dim = check.integer(-1) }

--- Returns the inner products of the vectors that lie along a dimension.
--- shapes  a [..., k] and b [..., k] broadcast -> [...]
--- raises  as `mul` and `sum`
---     print(wrun.linalg.vecdot(wrun.ones(2, 3), wrun.ones(3)))  -- tensor([3., 3.])
function M.vecdot(a, b, options)
  check.tensor_argument("vecdot", 1, a)
  check.tensor_argument("vecdot", 2, b)
  return (a * b):sum(check.options("vecdot", options, DIMENSION).dim)
end

--- Returns the cross products of the vectors of 3 that lie along a dimension.
--- shapes  a [..., 3] and b [..., 3] broadcast -> [..., 3]
--- as      vecdot
---     print(wrun.cross(wrun.tensor({ 1, 0, 0 }), wrun.tensor({ 0, 1, 0 })))  -- tensor([0, 0, 1])
function M.cross(a, b, options)
  local dim = check.options("cross", options, DIMENSION).dim
  for i, x in ipairs { a or false, b or false } do
    check.tensor_argument("cross", i, x)
    if x.ndim == 0 or x:size(dim) ~= 3 then
      fail("cross: argument %d: expected 3 elements along dimension %d, got %s", i, dim,
        check.shape_text(x))
    end
  end
  local function turned(x, first)
    local order = operations.tensor { first, first % 3 + 1, (first + 1) % 3 + 1 }
    return operations.index_select(x, dim, order)
  end
  return turned(a, 2) * turned(b, 3) - turned(a, 3) * turned(b, 2)
end

--- Returns the sum of the diagonal of a matrix.
--- shapes  x [m, n] -> []
--- domain  any dtype; 0 for a matrix without elements
---     print(wrun.trace(wrun.tensor({ { 1, 2 }, { 3, 4 } })))  -- tensor(5)
function M.trace(x)
  check.tensor_argument("trace", 1, x)
  if x.ndim ~= 2 then
    fail("trace: argument 1: expected a matrix, got %s", check.describe(x))
  end
  return operations.diagonal(x):sum()
end

publish.without_methods(M, { "multi_dot" })

return M
