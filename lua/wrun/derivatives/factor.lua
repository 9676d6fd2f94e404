--- Derivatives of decompositions and solvers.
--
-- Where singular values or eigenvalues are equal, vectors have no derivative: the gradient of what
-- depends on them is not finite there, that of values alone is.

local core = require "wrun.core"
local packed = require "wrun.tensor.packed"

--- calls the operation `name`, recording it by its row here
local function recorded(name, ...)
  return require("wrun.autograd").structural[name](...)
end

local function transpose(x)
  return x:transpose(-1, -2)
end

--- matrices with d on the diagonal and x elsewhere
local function with_diagonal(d, x)
  local places = core.arange(x:size(-1))
  return core.methods.where(places:unsqueeze(2):eq(places), d:unsqueeze(-1), x)
end

--- a / b, but 0 where both are 0: what does not depend on a vector asks nothing of it
local function ratio(a, b)
  local both = a:detach():eq(0):logical_and(b:detach():eq(0))
  return a / core.methods.where(both, 1, b)
end

--- b[j] - b[i] for all i and j, 1 where they are the same
local function gaps(b)
  return with_diagonal(core.ones(1, { dtype = b.dtype }), b:unsqueeze(-2) - b:unsqueeze(-1))
end

local function skew(x)
  return x - transpose(x)
end

local function svd_gradient(g, y, x, full)
  local u, s, v = packed.svd(y, x, full)
  local gu, gs, gv = packed.svd(g, x, full)
  local m, n, k = x:size(-2), x:size(-1), s:size(-1)
  if full then
    u, gu = u:narrow(-1, 1, k), gu:narrow(-1, 1, k)
    v, gv = v:narrow(-2, 1, k), gv:narrow(-2, 1, k)
  end
  local rows, columns, apart = s:unsqueeze(-1), s:unsqueeze(-2), gaps(s * s)
  local left, right = transpose(u):matmul(gu), gv:matmul(transpose(v))
  local inner = ratio(skew(left), apart) * columns - rows * ratio(skew(right), apart)
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
    core.fail("qr: backward: the derivative needs q, which the mode r leaves out; use reduced")
  elseif mode == "complete" and m > n then
    core.fail("qr: backward: the mode complete has no derivative for %s, which has more rows than "
      .. "columns; use reduced", core.shape_text(x))
  end
  local q, r = packed.qr(y, x, mode)
  local gq, gr = packed.qr(g, x, mode)
  local rest
  if m < n then -- r = [r1 r2], and q r1 is the square part of x
    local r2, gr2 = r:narrow(-1, m + 1, n - m), gr:narrow(-1, m + 1, n - m)
    gq = gq + q:matmul(r2):matmul(transpose(gr2))
    rest = q:matmul(gr2)
    r, gr = r:narrow(-1, 1, m), gr:narrow(-1, 1, m)
  end
  local inner = gr:matmul(transpose(r)) - transpose(q):matmul(gq)
  inner = inner:triu() + transpose(inner:triu(1))
  local dx = transpose(recorded("_solve_triangular", r, transpose(gq + q:matmul(inner)), true))
  return rest and core.methods.cat({ dx, rest }, -1) or dx
end

--- by (l + l^T) / 2 between the inverses of the factor, l the lower part of y^T g
local function cholesky_gradient(g, y, _, upper)
  if upper then
    g, y = transpose(g), transpose(y)
  end
  local inner = transpose(y):matmul(g):tril()
  inner = (inner + transpose(inner:tril(-1))) / 2
  local function divide(b)
    return transpose(recorded("_solve_triangular", transpose(y), b, true))
  end
  return divide(divide(inner))
end

local function eigh_gradient(g, y, x)
  local w, v = packed.eigh(y, x)
  local gw, gv = packed.eigh(g, x)
  local inner = ratio(skew(transpose(v):matmul(gv)), gaps(w)) / 2
  return v:matmul(with_diagonal(gw, inner)):matmul(transpose(v))
end

--- the inverses of x transposed, each times its number of g; errors speak of `name`
local function scaled_inverse(g, x, name)
  local right = with_diagonal(g:unsqueeze(-1), core.zeros(x.shape, { dtype = x.dtype }))
  return recorded("_solve", transpose(x), right, name)
end

--- g times the cofactors: by the inverse, or by singular values where the determinant is 0
local function det_gradient(g, y, x)
  if not y:detach():eq(0):any():item() then
    return scaled_inverse(g * y, x, "det")
  end
  local u, s, v = packed.svd(recorded("_svd", x, true, "det"), x, true)
  local others = with_diagonal(core.ones(1, { dtype = s.dtype }), s:unsqueeze(-2)):prod(-1)
  local sign = g * recorded("det", u) * recorded("det", v)
  return (u * (sign:unsqueeze(-1) * others):unsqueeze(-2)):matmul(v)
end

--- from the gradient g of the pseudo-inverse p of x
local function pinv_gradient(g, p, x)
  local pt, gt = transpose(p), transpose(g)
  local first = gt - x:matmul(p):matmul(gt)
  local second = gt - gt:matmul(p):matmul(x)
  return first:matmul(p):matmul(pt) + pt:matmul(p):matmul(second) - pt:matmul(g):matmul(pt)
end

--- a positive definite start: the specs add its transpose
local function near_identity(randn)
  return randn(3, 3) / 4 + 2 * core.eye(3, { dtype = "float64" })
end

return {
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
        local u, _, v = packed.svd(recorded("_svd", x, false), x, false)
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
        local _, v = packed.eigh(recorded("_eigh", x, upper), x)
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
      local db = recorded("_solve", transpose(a), g)
      return { -db:matmul(transpose(x)), db }
    end,
    saves = { 1, "y" },
    sample = function(randn) return near_identity(randn), randn(3, 2) end,
  },
  _solve_triangular = {
    backward = function(g, _, values)
      local x, a, upper, unit = values[1], values[2], values[4], values[5]
      local db = recorded("_solve_triangular", transpose(a), g, not upper, unit)
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
      local p = recorded("_pinv", a, 0, rcond)
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
}
