--- What is made of squares and powers, on numbers whose squares are beyond their dtype. The oracle is
--- homogeneity: f(s x) = s^degree f(x), its gradient is s^(degree - 1) times that at x, and so on.

local wrun = require "wrun"

local nn = wrun.nn
local F = nn.functional

-- Powers of two by which ordinary numbers are moved to the ends of a dtype.
local EXPONENTS = {
  float32 = { 126, 120, 90, 70, -70, -90, -110 }, float64 = { 1022, 700, -700, -900 },
}
-- Some steps of a sum, and of a power of two that a power is not exact for.
local RTOL = { float32 = 1e-5, float64 = 1e-13 }

local function other(x)
  return x:detach():flip({ 1, 2 })
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
  det = { 4, function(x) return x:narrow(2, 1, 4):det() end },
  dist = { 1, function(x) return wrun.dist(x, other(x)) end },
  frobenius = { 1, function(x) return wrun.linalg.matrix_norm(x, "fro") end },
  inverse = { -1, function(x) return x:narrow(2, 1, 4):inverse() end },
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
  solve = { 0, function(x) return wrun.linalg.solve(x:narrow(2, 1, 4), x:narrow(2, 5, 1)) end },
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
local function assert_scaled(want, got, exponent, dtype)
  want = want:double():reshape(-1)
  local half = -exponent // 2
  local back = got:double():reshape(-1) * 2.0 ^ half * 2.0 ^ (-exponent - half)
  local limits = dtype == "float32" and { -126, 128 } or { -1022, 1024 }
  local size = want:abs():log2() + exponent
  local counts = size:gt(limits[1]):logical_and(size:lt(limits[2] - 0.01))
  assert.is_true(wrun.allclose(back[counts], want[counts],
    { rtol = RTOL[dtype], atol = RTOL[dtype] / 10 }))
end

describe("what is made of squares", function()
  for name, case in pairs(CASES) do
    for dtype, exponents in pairs(EXPONENTS) do
      it(("is homogeneous to the ends of %s: %s"):format(dtype, name), function()
        local degree, f = table.unpack(case)
        local x = wrun.randn(4, 5, { dtype = dtype, generator = wrun.Generator({ seed = 9 }) })
          :clamp(-1.9, 1.9)
        local want = derivatives(f, x, 0)
        for _, e in ipairs(exponents) do
          for order, got in ipairs(derivatives(f, x, e)) do
            assert_scaled(want[order], got, (degree - order + 1) * e, dtype)
          end
        end
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
