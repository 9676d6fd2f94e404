--- Decompositions of matrices, and what is solved with them, by LAPACK.
--- wrun.linalg has them too. All take float32 or float64 matrices, or batches of them: the last
--- two dimensions are the matrix, those in front are carried along. A matrix that is not fit
--- raises, and the error says which one of a batch it is.

local broadcast = require "wrun.tensor.internal.broadcast"
local check = require "wrun.check"
local factors = require "wrun.tensor.internal.factors"
local operations = require "wrun.operations"
local step_function = require "wrun.tensor.internal.step_function"

local fail = check.fail

local M = {}

local function transpose(x)
  return x:transpose(-1, -2)
end

-- Gradients ------------------------------------------------------------------
-- Where singular values or eigenvalues are equal, vectors have no derivative: the
-- gradient of what depends on them is not finite there, that of values alone is.

--- matrices with d on the diagonal and x elsewhere
local function with_diagonal(d, x)
  local indices = operations.arange(x:size(-1))
  return operations.where(indices:unsqueeze(2):eq(indices), d:unsqueeze(-1), x)
end

--- a / b, but 0 where both are 0: what does not depend on a vector asks nothing of it
local function ratio(a, b)
  local both = a:detach():eq(0):logical_and(b:detach():eq(0))
  return a / operations.where(both, 1, b)
end

--- b[j] - b[i] for all i and j, 1 where they are the same
local function gaps(b)
  return with_diagonal(operations.ones(1, { dtype = b.dtype }), b:unsqueeze(-2) - b:unsqueeze(-1))
end

local function skew(x)
  return x - transpose(x)
end

local function svd_gradient(g, y, x, full)
  local u, s, v = factors.svd(y, x, full)
  local gu, gs, gv = factors.svd(g, x, full)
  local m, n, k = x:size(-2), x:size(-1), s:size(-1)
  if full then
    u, gu = u:narrow(-1, 1, k), gu:narrow(-1, 1, k)
    v, gv = v:narrow(-2, 1, k), gv:narrow(-2, 1, k)
  end
  local rows, columns, apart = s:unsqueeze(-1), s:unsqueeze(-2), gaps(s)
  local left, right = transpose(u):matmul(gu), gv:matmul(transpose(v))
  local inner = ratio(skew(left), apart) * ratio(columns, rows + columns)
    - ratio(rows, rows + columns) * ratio(skew(right), apart) -- over differences of squares
  local dx = u:matmul(with_diagonal(gs, inner)):matmul(v)
  if m > k then
    dx = dx + ratio(gu - u:matmul(left), columns):matmul(v)
  end
  if n > k then
    dx = dx + u:matmul(ratio(gv - right:matmul(v), rows))
  end
  return dx
end

local function qr_gradient(g, y, x, mode)
  local m, n = x:size(-2), x:size(-1)
  if mode == "r" then
    check.fail("qr: the derivative needs q, which the mode r leaves out; use reduced")
  elseif mode == "complete" and m > n then
    check.fail("qr: the mode complete has no derivative for %s, which has more rows than "
      .. "columns; use reduced", check.shape_text(x))
  end
  local q, r = factors.qr(y, x, mode)
  local gq, gr = factors.qr(g, x, mode)
  local rest
  if m < n then -- r = [r1 r2], and q r1 is the square part of x
    local r2, gr2 = r:narrow(-1, m + 1, n - m), gr:narrow(-1, m + 1, n - m)
    gq = gq + q:matmul(r2):matmul(transpose(gr2))
    rest = q:matmul(gr2)
    r, gr = r:narrow(-1, 1, m), gr:narrow(-1, 1, m)
  end
  local inner = gr:matmul(transpose(r)) - transpose(q):matmul(gq)
  inner = inner:triu() + transpose(inner:triu(1))
  local dx = transpose(operations._solve_triangular(r, transpose(gq + q:matmul(inner)), true))
  return rest and operations.cat(-1, dx, rest) or dx
end

--- by (l + l^T) / 2 between the inverses of the factor, l the lower part of y^T g
local function cholesky_gradient(g, y, _, upper)
  if upper then
    g, y = transpose(g), transpose(y)
  end
  local inner = transpose(y):matmul(g):tril()
  inner = (inner + transpose(inner:tril(-1))) / 2
  local function divide(b)
    return transpose(operations._solve_triangular(transpose(y), b, true))
  end
  return divide(divide(inner))
end

local function eigh_gradient(g, y, x)
  local w, v = factors.eigh(y, x)
  local gw, gv = factors.eigh(g, x)
  local inner = ratio(skew(transpose(v):matmul(gv)), gaps(w)) / 2
  return v:matmul(with_diagonal(gw, inner)):matmul(transpose(v))
end

--- the inverses of x transposed, each times its number of g; errors speak of `name`
local function scaled_inverse(g, x, name)
  local right = with_diagonal(g:unsqueeze(-1), operations.zeros(x.shape, { dtype = x.dtype }))
  return operations._solve(transpose(x), right, name)
end

--- Are no determinants so near 0, or infinity, that they say little of the cofactors?
local function are_ordinary(dets)
  local least = dets.dtype == "float32" and 2.0 ^ -100 or 2.0 ^ -960
  local size = dets:detach():abs()
  return not size:le(least):logical_or(size:ge(1 / least)):any():item()
end

--- g times the cofactors: by the inverse, or by singular values where the determinant is near 0
local function cofactors(g, y, x)
  if are_ordinary(y) then
    return scaled_inverse(g * y, x, "det")
  end
  local u, s, v = factors.svd(operations._svd(x, true, "det"), x, true)
  local others = with_diagonal(operations.ones(1, { dtype = s.dtype }), s:unsqueeze(-2)):prod(-1)
  local sign = g * operations.det(u) * operations.det(v)
  return (u * (sign:unsqueeze(-1) * others):unsqueeze(-2)):matmul(v)
end

--- dx * unit ^ n, by powers that are within the dtype
local function times_power(dx, unit, n)
  local exponent = unit:log2():abs():amax():item()
  local most = math.max(1, 1000 // math.max(1, exponent))
  for done = 0, n - 1, most do
    dx = dx * unit ^ math.min(most, n - done)
  end
  return dx
end

--- Where determinants are not ordinary: in double, and in units of the largest element.
local function det_gradient(g, y, x)
  if are_ordinary(y) or not x:detach():isfinite():all():item() then
    return scaled_inverse(g * y, x, "det")
  elseif x.dtype == "float32" then
    local wide = operations.to(x, "float64")
    local dx = det_gradient(operations.to(g, "float64"), operations.det(wide), wide)
    return operations.to(dx, "float32")
  end
  local unit = x:detach():abs():amax({ -2, -1 }, true)
  unit = unit:masked_fill(unit:eq(0), 1)
  x = x / unit
  y = operations.det(x)
  local dx = cofactors(operations.ones(y.shape, { dtype = y.dtype }), y, x)
  return times_power(g:unsqueeze(-1):unsqueeze(-1) * dx, unit, x:size(-1) - 1)
end

--- from the gradient g of the pseudo-inverse p of x
local function pinv_gradient(g, p, x)
  local pt, gt = transpose(p), transpose(g)
  local first = gt - x:matmul(p):matmul(gt)
  local second = gt - gt:matmul(p):matmul(x)
  return first:matmul(p):matmul(pt) + pt:matmul(p:matmul(second)) - pt:matmul(g):matmul(pt)
end

--- a positive definite start: the specs add its transpose
local function near_identity(randn)
  return randn(3, 3) / 4 + 2 * operations.eye(3, { dtype = "float64" })
end

operations.define("linalg_factor", {
  _svd = {
    label = "LinalgSvdBackward0",
    gradients = { svd_gradient },
    saves = { "y" },
    sample = function(randn) return randn(2, 4, 3), false end,
  },
  _svdvals = {
    label = "LinalgSvdvalsBackward0",
    gradients = {
      function(g, _, x)
        local u, _, v = factors.svd(operations._svd(x, false), x, false)
        return (u * g:unsqueeze(-2)):matmul(v)
      end,
    },
    saves = { 1 },
    sample = function(randn) return randn(2, 3, 4) end,
  },
  _qr = {
    label = "LinalgQrBackward0",
    gradients = { qr_gradient },
    saves = { "y" },
    sample = function(randn) return randn(2, 4, 3), "reduced" end,
  },
  _eigh = {
    label = "LinalgEighBackward0",
    gradients = { eigh_gradient },
    saves = { "y" },
    sample = function(randn) return randn(2, 3, 3), false end,
  },
  _eigvalsh = {
    label = "LinalgEigvalshBackward0",
    gradients = {
      function(g, _, x, upper)
        local _, v = factors.eigh(operations._eigh(x, upper), x)
        return (v * g:unsqueeze(-2)):matmul(transpose(v))
      end,
    },
    saves = { 1 },
    sample = function(randn) return randn(3, 3), true end,
  },
  _cholesky = {
    gradients = { cholesky_gradient },
    saves = { "y" },
    sample = function(randn) return near_identity(randn), false end,
  },
  _solve = {
    backward = function(g, _, values)
      local x, a = values[1], values[2]
      local db = operations._solve(transpose(a), g)
      return { -db:matmul(transpose(x)), db }
    end,
    saves = { 1, "y" },
    sample = function(randn) return near_identity(randn), randn(3, 2) end,
  },
  _solve_triangular = {
    backward = function(g, _, values)
      local x, a, upper, unit = values[1], values[2], values[4], values[5]
      local db = operations._solve_triangular(transpose(a), g, not upper, unit)
      local da = -db:matmul(transpose(x))
      if upper then
        return { da:triu(unit and 1 or 0), db }
      end
      return { da:tril(unit and -1 or 0), db }
    end,
    saves = { 1, "y" },
    sample = function(randn) return near_identity(randn), randn(3, 2), true, false end,
  },
  _lstsq = {
    backward = function(g, _, values)
      local a, b, rcond = values[2], values[3], values[4]
      local p = operations._pinv(a, 0, rcond)
      return { pinv_gradient(g:matmul(transpose(b)), p, a), transpose(p):matmul(g) }
    end,
    saves = { 1, 2 },
    sample = function(randn) return randn(4, 3), randn(4, 2), 1e-12 end,
  },
  _pinv = {
    gradients = { pinv_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(4, 3), 0, 1e-12 end,
  },
  det = {
    label = "LinalgDetBackward0",
    gradients = { det_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(2, 3, 3) end,
  },
  _logabsdet = {
    label = "LinalgSlogdetBackward0",
    gradients = { function(g, _, x) return scaled_inverse(g, x, "slogdet") end },
    saves = { 1 },
    sample = function(randn) return randn(2, 3, 3) end,
  },
})

-- Decompositions -------------------------------------------------------------

local EPSILON = { float32 = 0x1p-23, float64 = 0x1p-52 }

local BOOLEAN = check.boolean(false)

--- Returns the singular value decomposition x = u diag(s) vh, singular values in falling order.
--- The signs of the vectors are LAPACK's choice. Gradients through u and vh need singular values
--- that differ; for those through s alone use `svdvals`.
--- shapes  x [..., m, n] -> u [..., m, k], s [..., min(m, n)], vh [..., l, n]; k = m and l = n if
---   full_matrices, else both are min(m, n)
--- domain  float32 or float64, finite
--- raises  `svd: argument 1: the matrix holds NaN or infinity`; `expected a matrix`
--- cost    O(m n min(m, n))
---     local x = wrun.tensor({ { 3.0, 0 }, { 0, -2 }, { 0, 0 } })
---     local u, s, vh = wrun.svd(x, false)
---     print(s, (u * s):matmul(vh))  -- tensor([3., 2.]), and x
function M.svd(x, full_matrices)
  local full = check.argument("svd", 2, full_matrices, check.boolean(true))
  return factors.svd(operations._svd(x, full, "svd"), x, full)
end

--- Returns the singular values, in falling order.
--- shapes  x [..., m, n] -> [..., min(m, n)]
--- domain  float32 or float64, finite; has a gradient also where singular values are equal
--- raises  `svdvals: argument 1: the matrix holds NaN or infinity`; `expected a matrix`
---     print(wrun.svdvals(nn.Linear(784, 256).weight)[1])  -- how far the layer can stretch
function M.svdvals(x)
  return operations._svdvals(x, "svdvals")
end

--- Returns an orthogonal q and an upper triangular r with x = q r.
--- shapes  x [..., m, n] -> q [..., m, k], r [..., k, n]; k = min(m, n), or m if mode is
---   "complete". With mode "r" q is empty.
--- domain  float32 or float64. No gradient for "r", nor for "complete" where m > n.
--- raises  `argument 1: expected a matrix`
---     local q, r = wrun.qr(wrun.randn(4, 3))
---     print(q:t():matmul(q), r)  -- ones on the diagonal; zeros below it
function M.qr(x, mode)
  mode = check.argument("qr", 2, mode, check.choice("reduced", { "reduced", "complete", "r" }))
  return factors.qr(operations._qr(x, mode), x, mode)
end

local TRIANGLE = check.choice("L", { "L", "U" })

--- Returns the eigenvalues of a symmetric matrix, in rising order, and its eigenvectors.
--- Only one triangle of x is read. The gradient is that of a symmetric x.
--- shapes  x [..., n, n] -> w [..., n], v [..., n, n] with the vectors as columns
--- domain  float32 or float64, finite
--- raises  `eigh: argument 1: the matrix holds NaN or infinity`; `expected a square matrix`
--- cost    O(n^3)
---     local w, v = wrun.eigh(wrun.tensor({ { 2.0, 1 }, { 1, 2 } }))
---     print(w, (v * w):matmul(v:t()))  -- tensor([1., 3.]), and the matrix
---@param uplo string?  "L": the lower triangle is read; "U": the upper one
function M.eigh(x, uplo)
  local upper = check.argument("eigh", 2, uplo, TRIANGLE) == "U"
  return factors.eigh(operations._eigh(x, upper, "eigh"), x)
end

--- Returns the eigenvalues of a symmetric matrix, in rising order.
--- shapes  x [..., n, n] -> [..., n]
--- domain  as `eigh`; has a gradient also where eigenvalues are equal
--- raises  as `eigh`
---     print(wrun.eigvalsh(wrun.tensor({ { 2.0, 1 }, { 1, 2 } })))  -- tensor([1., 3.])
function M.eigvalsh(x, uplo)
  local upper = check.argument("eigvalsh", 2, uplo, TRIANGLE) == "U"
  return operations._eigvalsh(x, upper, "eigvalsh")
end

local CHOLESKY = { upper = BOOLEAN }

--- Returns the lower triangular l with x = l l^T, or with upper = true its transpose.
--- shapes  x [..., n, n] -> same
--- domain  symmetric and positive definite; only one triangle of x is read
--- raises  `cholesky: argument 1: the matrix is not positive definite`
---     print(wrun.cholesky(wrun.tensor({ { 4.0, 2 }, { 2, 5 } })))  -- 2 0, 1 2
function M.cholesky(x, options)
  local o = check.options("cholesky", options, CHOLESKY)
  return operations._cholesky(x, o.upper)
end

-- Solving --------------------------------------------------------------------

local function with_common_batch(f, a, b)
  check.tensor_argument(f, 1, a)
  check.tensor_argument(f, 2, b)
  if a.ndim < 2 or b.ndim < 2 then
    return a, b -- which the core refuses
  end
  local function batch_of(x)
    return table.move(x.shape, 1, x.ndim - 2, 1, {})
  end
  local batch = broadcast { batch_of(a), batch_of(b) }
  if not batch then
    fail("%s: argument 2: expected batch dimensions that broadcast with %s, got %s", f,
      check.shape_text(a), check.shape_text(b))
  end
  local function expanded(x)
    local shape = table.move(batch, 1, #batch, 1, {})
    shape[#shape + 1], shape[#shape + 2] = x:size(-2), x:size(-1)
    return operations.expand(x, shape)
  end
  return expanded(a), expanded(b)
end

--- Is b a batch of vectors beside the matrices a?
local function is_vectors(a, b)
  if b.ndim == 1 or b.ndim ~= a.ndim - 1 then
    return b.ndim == 1
  end
  for d = 1, b.ndim do
    if b:size(d) ~= a:size(d) then
      return false
    end
  end
  return true
end

local SOLVE = { left = check.boolean(true) }

--- Returns the x with a x = b, or with left = false the x with x a = b.
--- shapes  a [..., n, n], b [..., n, k] -> [..., n, k]; b [..., n] beside the same batch, or [n],
---   is vectors. Batches broadcast.
--- domain  float32 or float64
--- raises  `solve: argument 1: the matrix is singular`; `argument 2: expected N rows to match`
---     local a, b = wrun.tensor({ { 2.0, 1 }, { 1, 3 } }), wrun.tensor({ 3.0, 5 })
---     print(wrun.solve(a, b))  -- tensor([0.8000, 1.4000])
function M.solve(a, b, options)
  local o = check.options("solve", options, SOLVE)
  check.tensor_argument("solve", 1, a)
  check.tensor_argument("solve", 2, b)
  if is_vectors(a, b) then
    local x = operations._solve(with_common_batch("solve", o.left and a or transpose(a),
      b:unsqueeze(-1)))
    return x:squeeze(-1)
  elseif o.left then
    return operations._solve(with_common_batch("solve", a, b))
  end
  return transpose(M.solve(transpose(a), transpose(b)))
end

local SOLVE_TRIANGULAR = {
  upper = check.boolean(), left = check.boolean(true), unitriangular = BOOLEAN,
}

--- Returns the x with a x = b for a triangular a, of which the other triangle is not read.
--- shapes  a [..., n, n], b [..., n, k] -> [..., n, k]; batches broadcast. With left = false
---   x a = b, b [..., k, n].
--- domain  float32 or float64; infinities or NaN where a is singular
--- raises  as `solve`
---     local a = wrun.tensor({ { 2.0, 99 }, { 1, 4 } })
---     print(wrun.solve_triangular(a, wrun.tensor({ { 2.0 }, { 9 } }), { upper = false }))
---@param options { upper: boolean, left: boolean, unitriangular: boolean }  left is true
function M.solve_triangular(a, b, options)
  local o = check.options("solve_triangular", options, SOLVE_TRIANGULAR)
  a, b = with_common_batch("solve_triangular", a, b)
  if o.left then
    return operations._solve_triangular(a, b, o.upper, o.unitriangular)
  end
  return transpose(operations._solve_triangular(transpose(a), transpose(b), not o.upper,
    o.unitriangular))
end

--- Returns the x with a x = b from the Cholesky factor of a.
--- shapes  b [..., n, k], factor [..., n, n] -> [..., n, k]
--- domain  float32 or float64
--- raises  as `solve_triangular`
---     local a, b = wrun.tensor({ { 4.0, 2 }, { 2, 5 } }), wrun.tensor({ { 2.0 }, { 9 } })
---     print(wrun.cholesky_solve(b, wrun.cholesky(a)), wrun.solve(a, b))  -- the same
function M.cholesky_solve(b, factor, options)
  local o = check.options("cholesky_solve", options, CHOLESKY)
  factor, b = with_common_batch("cholesky_solve", factor, b)
  local lower = o.upper and transpose(factor) or factor
  local half = operations._solve_triangular(lower, b, false, false, "cholesky_solve")
  return operations._solve_triangular(transpose(lower), half, true, false, "cholesky_solve")
end

--- Returns the inverse.
--- shapes  x [..., n, n] -> same
--- domain  float32 or float64. To multiply with it, `solve` is quicker and more exact.
--- raises  `inv: argument 1: the matrix is singular`; `expected a square matrix`
---     print(wrun.inv(wrun.tensor({ { 2.0, 0 }, { 0, 4 } })))  -- 0.5 and 0.25
function M.inv(x)
  check.tensor_argument("inv", 1, x)
  local n = x.ndim > 1 and x:size(-1) or 0
  local one = operations.eye(n, { dtype = x.dtype })
  local is_square = x.ndim > 1 and x:size(-2) == n
  return operations._solve(x, is_square and operations.expand(one, x.shape) or one, "inv")
end

M.inverse = M.inv

--- Returns the x of least |a x - b|, of those the one of least |x|; the sums of squares of a x - b
--- by column; and the ranks of a.
--- shapes  a [..., m, n], b [..., m, k] -> x [..., n, k], residuals [..., k] (empty unless m > n
---   and all have full rank), ranks [...]. b [..., m] beside the same batch is vectors.
--- domain  float32 or float64, a finite. What is below rcond of the largest counts as 0.
--- raises  `lstsq: argument 1: the matrix holds NaN or infinity`; `argument 2: expected N rows`
---     local a = wrun.tensor({ { 1.0, 0 }, { 1, 1 }, { 1, 2 } })
---     print(wrun.lstsq(a, wrun.tensor({ { 1.0 }, { 3 }, { 5 } })))  -- 1 + 2 t
---@param rcond number?  the type's epsilon times max(m, n)
function M.lstsq(a, b, rcond)
  check.tensor_argument("lstsq", 1, a)
  check.tensor_argument("lstsq", 2, b)
  local vectors = is_vectors(a, b)
  a, b = with_common_batch("lstsq", a, vectors and b:unsqueeze(-1) or b)
  local m, n = a.ndim > 1 and a:size(-2) or 0, a.ndim > 1 and a:size(-1) or 0
  local default = (EPSILON[a.dtype] or 0) * math.max(m, n)
  rcond = check.argument("lstsq", 3, rcond, check.number(default, 0))
  local x, ranks = operations._lstsq(a, b, rcond)
  local residuals = operations.zeros(0, { dtype = x.dtype })
  if m > n and ranks:eq(n):all():item() then
    residuals = operations.square(a:matmul(x) - b):sum(-2)
  end
  return vectors and x:squeeze(-1) or x, residuals, ranks
end

-- Determinants, ranks and inverses of what has none --------------------------

--- Returns the determinant.
--- shapes  x [..., n, n] -> [...]
--- domain  float32 or float64; 1 for a matrix without elements. Has a gradient where it is 0 too.
--- raises  `det: argument 1: expected a square matrix`
---     print(wrun.det(wrun.tensor({ { 1.0, 2 }, { 3, 4 } })))  -- tensor(-2.)
M.det = operations.det

local sign_of_det = step_function("SlogdetSign", function(_, sign) return sign end)

--- Returns the sign of the determinant, and the log of its magnitude, without overflow.
--- shapes  x [..., n, n] -> sign [...], logabsdet [...]
--- domain  float32 or float64; 0 and -inf for a singular matrix
--- raises  `slogdet: argument 1: expected a square matrix`
---     print(wrun.slogdet(wrun.eye(400) * 10))  -- 1 and 400 log 10 = 921.0340
function M.slogdet(x)
  local logarithm, sign = operations._logabsdet(x)
  return sign_of_det(x, sign), logarithm
end

--- Returns the log of the determinant.
--- shapes  x [..., n, n] -> [...]
--- domain  float32 or float64; NaN where the determinant is negative
--- raises  `slogdet: argument 1: expected a square matrix`
---     print(wrun.logdet(wrun.tensor({ { 2.0, 0 }, { 0, 4 } })))  -- log 8 = 2.0794
function M.logdet(x)
  local sign, logarithm = M.slogdet(x)
  return operations.where(operations.lt(sign, 0), 0 / 0, logarithm)
end

local TOLERANCES = {
  atol = check.optional(check.number(nil, 0)),
  rtol = check.optional(check.number(nil, 0)),
}

local RANK = { atol = TOLERANCES.atol, rtol = TOLERANCES.rtol, hermitian = BOOLEAN }

--- below atol, or below rtol of the largest, a singular value counts as 0
local function tolerances(f, x, options, rules)
  check.tensor_argument(f, 1, x)
  local o = check.options(f, options, rules)
  local longest = x.ndim > 1 and math.max(x:size(-2), x:size(-1)) or 0
  local relative = o.atol and o.atol > 0 and 0 or (EPSILON[x.dtype] or 0) * longest
  return o.atol or 0, o.rtol or relative, o.hermitian
end

--- Returns how many singular values are not 0.
--- shapes  x [..., m, n] -> [...] of int64
--- domain  float32 or float64, finite. A singular value counts as 0 up to max(atol, rtol times the
---   largest); hermitian = true takes magnitudes of eigenvalues.
--- raises  `matrix_rank: argument 1: the matrix holds NaN or infinity`
---     print(wrun.matrix_rank(wrun.ones(3, 3)))  -- tensor(1)
---@param options { atol: number, rtol: number, hermitian: boolean }?  0; epsilon times max(m, n),
---   but 0 if atol is given; false
function M.matrix_rank(x, options)
  local atol, rtol, hermitian = tolerances("matrix_rank", x, options, RANK)
  x = x:detach()
  local values = hermitian and operations._eigvalsh(x, false, "matrix_rank"):abs()
    or operations._svdvals(x, "matrix_rank")
  if values:size(-1) == 0 then
    return values:sum(-1):long()
  end
  local largest = operations.amax(values, -1, true)
  return values:gt(operations.maximum(largest * rtol, atol)):long():sum(-1)
end

--- Returns the pseudo-inverse p: x p x = x and p x p = p, with x p and p x symmetric.
--- shapes  x [..., m, n] -> [..., n, m]
--- domain  as `matrix_rank`. The gradient takes the rank to be constant.
--- raises  `pinv: argument 1: the matrix holds NaN or infinity`
---     print(wrun.pinv(wrun.tensor({ { 2.0, 0 }, { 0, 0 } })))  -- 0.5 and zeros
---@param options { atol: number, rtol: number }?  as `matrix_rank`
function M.pinv(x, options)
  local atol, rtol = tolerances("pinv", x, options, TOLERANCES)
  return operations._pinv(x, atol, rtol)
end

--- Returns the n-th power of a square matrix, by repeated squaring; of the inverse for n < 0.
--- shapes  x [..., m, m] -> same
--- domain  float32 or float64; the identity for n = 0
---     print(wrun.matrix_power(wrun.tensor({ { 1.0, 1 }, { 0, 1 } }), 10))  -- 1 10, 0 1
function M.matrix_power(x, n)
  check.tensor_argument("matrix_power", 1, x)
  n = check.argument("matrix_power", 2, n, check.integer())
  if x.ndim < 2 or x:size(-1) ~= x:size(-2) then
    fail("matrix_power: argument 1: expected a square matrix or a batch of such, got %s",
      check.describe(x))
  end
  local one = operations.expand(operations.eye(x:size(-1), { dtype = x.dtype }), x.shape)
  if n == 0 then
    return one * x ^ 0 -- whose gradient is zeros
  end
  local square = n < 0 and operations._solve(x, one, "matrix_power") or x
  n = math.abs(n) -- of the least integer 2^63, as the bits say without a sign
  local power
  while n ~= 0 do
    if n & 1 == 1 then
      power = power and power:matmul(square) or square
    end
    n = n >> 1
    square = n ~= 0 and square:matmul(square)
  end
  return power == x and x:clone() or power
end

return M
