--- What is made of squares, powers and factors of matrices, on numbers whose squares, or inverses,
--- are beyond their dtype. The oracle is homogeneity: f(s x) = s^degree f(x), its gradient is
--- s^(degree - 1) times that at x, and so on.

local wrun = require "wrun"

local nn = wrun.nn
local F = nn.functional

-- Powers of two by which ordinary numbers are moved to the ends of a dtype.
local EXPONENTS = {
  float32 = { 126, 120, 90, 70, -70, -90, -110 }, float64 = { 1022, 700, -700, -900 },
}
-- Some steps of a sum, and of a power of two that a power is not exact for.
local RTOL = { float32 = 1e-5, float64 = 1e-13 }
-- What the digits of a subnormal intermediate result leave.
local SUBNORMAL, RTOL_SUBNORMAL = { float32 = -137, float64 = -1057 }, 2e-2

local function other(x)
  return x:detach():flip({ 1, 2 })
end

local function square(x)
  return x:narrow(2, 1, 4)
end

local function positive_definite(x)
  return (x / 4):matmul((x / x:detach():abs():amax()):t())
end

local function triangular(x, options)
  local diagonal = wrun.eye(4, { dtype = x.dtype }) * (x:detach():abs():amax() / 2)
  return wrun.solve_triangular(square(x) / 4 + diagonal, x, options)
end

-- name -> { degree, f }
local CASES = {
  cdist = { 1, function(x) return wrun.cdist(x, other(x)) end },
  SmoothL1Loss = { 1, function(x)
    return F.smooth_l1_loss(x, other(x), { beta = x:detach():abs():amax():item() })
  end },
  HuberLoss = { 2, function(x)
    return F.huber_loss(x, other(x), { delta = x:detach():abs():amax():item() })
  end },
  corrcoef = { 0, function(x) return x:corrcoef() end },
  cosine_similarity = { 0, function(x) return F.cosine_similarity(x, other(x), { eps = 0 }) end },
  condition = { 0, function(x) return wrun.linalg.cond(x) end },
  condition_1 = { 0, function(x) return wrun.linalg.cond(square(x), 1) end },
  condition_fro = { 0, function(x) return wrun.linalg.cond(square(x), "fro") end },
  cholesky = { 0.5, function(x) return wrun.cholesky(positive_definite(x)) end },
  cholesky_solve = { 0, function(x)
    return wrun.cholesky_solve(x, wrun.cholesky(positive_definite(x)))
  end },
  atan2 = { 0, function(x) return wrun.atan2(x, other(x)) end },
  cov = { 2, function(x) return x:cov() end },
  det = { 4, function(x) return square(x):det() end },
  det_of_2 = { 2, function(x) return (x / 4):narrow(1, 2, 2):narrow(2, 1, 2):det() end },
  eigvalsh = { 1, function(x) return wrun.eigvalsh(square(x)) end },
  eigh = { 0, function(x) return select(2, wrun.eigh(square(x))):abs() end },
  hypot = { 1, function(x) return wrun.hypot(x, other(x)) end },
  L1Loss = { 1, function(x) return F.l1_loss(x, other(x)) end },
  lerp = { 1, function(x) return wrun.lerp(x, other(x), 0.25) end },
  lstsq = { 0, function(x) return (wrun.lstsq(x:narrow(2, 1, 3), x:narrow(2, 5, 1))) end },
  matrix_power = { -1, function(x) return wrun.matrix_power(square(x), -1) end },
  MSELoss = { 2, function(x) return F.mse_loss(x, other(x)) end },
  nuclear = { 1, function(x) return wrun.linalg.matrix_norm(x, "nuc") end },
  prod = { 5, function(x) return x:prod(2) end },
  q = { 0, function(x) return (wrun.qr(x:t())) end },
  r = { 1, function(x) return (select(2, wrun.qr(x:t()))) end },
  r_of_wide = { 1, function(x) return (select(2, wrun.qr(x))) end },
  rank = { 0, function(x) return wrun.linalg.matrix_rank(x):to(x.dtype) end },
  sign_of_det = { 0, function(x) return (wrun.slogdet(square(x))) end },
  solve_lower = { 0, function(x) return triangular(x, { upper = false }) end },
  solve_upper = { 0, function(x) return triangular(x, { upper = true }) end },
  solve_unit = { 1, function(x)
    return wrun.solve(wrun.eye(4, { dtype = x.dtype }) * 2 + 1, x)
  end },
  svd = { 0, function(x)
    local u, _, v = wrun.svd(x, false)
    return u:abs():sum() + v:abs():sum()
  end },
  trapezoid = { 1, function(x) return wrun.trapezoid(x) end },
  dist = { 1, function(x) return wrun.dist(x, other(x)) end },
  frobenius = { 1, function(x) return wrun.linalg.matrix_norm(x, "fro") end },
  inverse = { -1, function(x) return square(x):inverse() end },
  mean = { 1, function(x) return x:mean() end },
  median = { 1, function(x) return (x:median(2)) end },
  nanmean = { 1, function(x) return x:nanmean(2) end },
  norm = { 1, function(x) return x:norm(2, 1) end },
  norm_of_columns = { 1, function(x) return x:norm(2, 2, true) end },
  normalize_3 = { 0, function(x) return F.normalize(x, { p = 3, eps = 0 }) end },
  normalize = { 0, function(x) return F.normalize(x, { eps = 0 }) end },
  pairwise_distance = { 1, function(x) return F.pairwise_distance(x, other(x), { eps = 0 }) end },
  pinv = { -1, function(x) return wrun.linalg.pinv(x) end },
  quantile = { 1, function(x) return x:quantile({ 0.3, 0.6 }) end },
  solve = { 0, function(x) return wrun.linalg.solve(square(x), x:narrow(2, 5, 1)) end },
  std = { 1, function(x) return x:std() end },
  std_of_rows = { 1, function(x) return x:std(2, false, { correction = 0 }) end },
  svdvals = { 1, function(x) return wrun.svdvals(x) end },
  var = { 2, function(x) return x:var(2) end },
  BatchNorm1d = { 0, function(x) return nn.BatchNorm1d(5, { eps = 0, dtype = x.dtype })(x) end },
  GroupNorm = { 0, function(x) return nn.GroupNorm(1, 5, { eps = 0, dtype = x.dtype })(x) end },
  LayerNorm = { 0, function(x) return nn.LayerNorm(5, { eps = 0, dtype = x.dtype })(x) end },
  RMSNorm = { 0, function(x) return nn.RMSNorm(5, { eps = 0, dtype = x.dtype })(x) end },
}
for _, p in ipairs { 0.5, 1, 1.5, 3, 8, -1, -2, math.huge, -math.huge } do
  CASES[p .. "-norm"] = { 1, function(x) return x:norm(p, 2) end }
end

local function weighted_gradient(y, x)
  if not y.requires_grad then
    return wrun.zeros_like(x)
  end
  local weights = wrun.arange(1, y:numel() + 1):to(y.dtype):reshape(y.shape) / y:numel()
  return wrun.autograd.grad(y, x, { grad_outputs = weights, create_graph = true })
end

-- { value, gradient, gradient of the gradient } at 2^exponent x
local function derivatives(f, x, exponent)
  x = x * 2.0 ^ exponent
  x:requires_grad_()
  local y = f(x)
  local dx = weighted_gradient(y, x)
  return { y:detach(), dx:detach(), weighted_gradient(dx, x):detach() }
end

-- Asserts that got is want times 2^exponent, where that is a normal number or infinite.
local function assert_scaled(want, got, exponent, dtype, rtol)
  want = want:double():reshape(-1)
  local half = -exponent // 2
  local back = got:double():reshape(-1) * 2.0 ^ half * 2.0 ^ (-exponent - half)
  local limits = dtype == "float32" and { -126, 128 } or { -1022, 1024 }
  local size = want:abs():log2() + exponent
  local counts = size:gt(limits[1]):logical_and(size:lt(limits[2] - 0.01))
  local is_near = wrun.allclose(back[counts], want[counts], { rtol = rtol, atol = rtol / 10 })
  assert(is_near, ("expected %s, got %s"):format(want[counts], back[counts]))
end

-- Not under valgrind, whose x87 has numbers of 64 bits: OpenBLAS's norms count on 80.
describe("what is made of squares #many", function()
  local function check(f, degree, x, exponent, orders, rtol)
    local want, got = derivatives(f, x, 0), derivatives(f, x, exponent)
    for order = 0, orders do
      local ok, why = pcall(assert_scaled, want[order + 1], got[order + 1],
        (degree - order) * exponent, x.dtype, rtol)
      assert(ok, ("order %d at 2^%d: %s"):format(order, exponent, why))
    end
  end

  for name, case in pairs(CASES) do
    for dtype, exponents in pairs(EXPONENTS) do
      local degree, f = table.unpack(case)
      local function numbers()
        return wrun.randn(4, 5, { dtype = dtype, generator = wrun.Generator({ seed = 9 }) })
          :clamp(-1.9, 1.9)
      end

      it(("is homogeneous to the ends of %s: %s"):format(dtype, name), function()
        for _, e in ipairs(exponents) do
          check(f, degree, numbers(), e, 2, RTOL[dtype])
        end
      end)

      it(("is so among the subnormal numbers of %s: %s"):format(dtype, name), function()
        local x = (numbers() * 16):round() / 16 -- of few digits, as those numbers have
        local orders = degree >= 1 and 1 or 0 -- the gradient of others is beyond the dtype
        check(f, degree, x, SUBNORMAL[dtype], orders, RTOL_SUBNORMAL)
      end)
    end
  end

  it("keeps rows of different magnitudes apart", function()
    local x = wrun.randn(3, 50, { dtype = "float64", generator = wrun.Generator({ seed = 9 }) })
    local scales = wrun.tensor({ { 0x1p900 }, { 1 }, { 0x1p-900 } }, { dtype = "float64" })
    local want = x:std(2, true)
    assert.is_true(wrun.equal(want, (x * scales):std(2, true) / scales))
    assert.is_true(wrun.allclose(x:norm(2, 2, true), (x * scales):norm(2, 2, true) / scales))
  end)

  it("is infinite only where the result is", function()
    local huge = wrun.tensor { 3e38, 3e38, 3e38 }
    assert.equal(math.huge, huge:norm():item())
    assert.equal(math.huge, (wrun.tensor { 1, math.huge }):norm():item())
    assert.equal(0, huge:std():item())
  end)

  it("gives the loss of two directions, however long", function()
    local a, b = wrun.tensor { { 3e30, 4e30 } }, wrun.tensor { { 4e25, 3e25 } }
    local loss = nn.CosineEmbeddingLoss()(a, b, wrun.tensor { 1 })
    assert.near(1 - 0.96, loss:item(), 1e-6)
  end)

  it("gives the loss of a normal law, however wide", function()
    local x, t, v = wrun.tensor { 1e25 }, wrun.tensor { 0.0 }, wrun.tensor { 1e30 }
    local loss = nn.GaussianNLLLoss()(x, t, v)
    assert.near((30 * math.log(10) + 1e20) / 2, loss:item(), 1e14)
    v = wrun.tensor { math.huge }:requires_grad_()
    assert.equal(math.huge, nn.GaussianNLLLoss()(x, t, v):item())
  end)
end)
