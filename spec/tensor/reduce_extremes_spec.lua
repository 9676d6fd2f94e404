--- What is made of sums and exponentials, at +infinity and where sums leave the dtype: value, first
--- and second derivative beside their limits, worked out by hand.

local wrun = require "wrun"

local inf = math.huge

-- The value of f, the gradient of sum k y_k, and that of the gradient's own sum.
local function derivatives(f, numbers, dtype)
  local x = wrun.tensor(numbers, { dtype = dtype }):requires_grad_()
  local y = f(x)
  local weights = wrun.arange(1, y:numel() + 1):to(dtype):reshape(y.shape)
  local dx = wrun.autograd.grad(y, x, { grad_outputs = weights, create_graph = true })
  local ddx = dx.requires_grad and wrun.autograd.grad(dx:sum(), x) or x * 0
  return { y:detach(), dx:detach(), ddx }
end

local root = math.sqrt(0.5)

-- { name, f, x, value, gradient, second derivative }
local CASES = {
  { "softmax", function(x) return x:softmax(1) end, {
    { { inf, 0.0, 1.0 }, { 1, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } },
    { { inf, inf, -inf }, { 0.5, 0.5, 0 }, { -0.25, 0.25, 0 }, { 0, 0, 0 } },
  } },
  { "log_softmax", function(x) return x:log_softmax(1) end, {
    { { inf, 0.0, 1.0 }, { 0, -inf, -inf }, { -5, 2, 3 }, { 0, 0, 0 } },
    { { inf, inf, -inf }, { -math.log(2), -math.log(2), -inf }, { -2, -1, 3 }, { 0, 0, 0 } },
  } },
  { "logsumexp", function(x) return x:logsumexp(1) end, {
    { { inf, 0.0, 3e38 }, { inf }, { 1, 0, 0 }, { 0, 0, 0 } },
    { { inf, inf, 0.0 }, { inf }, { 0.5, 0.5, 0 }, { 0, 0, 0 } },
    { { -inf, -inf, inf }, { inf }, { 0, 0, 1 }, { 0, 0, 0 } },
  } },
  { "logcumsumexp", function(x) return x:logcumsumexp(1) end, {
    { { 0.5, inf, -inf }, { 0.5, inf, inf }, { 1, 5, 0 }, { 0, 0, 0 } },
    { { inf, inf, 3e38 }, { inf, inf, inf }, { 3.5, 2.5, 0 }, { 0, 0, 0 } },
    { { -3e38, 1.0, -inf }, { -3e38, 1, 1 }, { 1, 5, 0 }, { 0, 0, 0 } },
  } },
  { "norm", function(x) return x:norm() end, {
    { { -inf, 0.0, 1.0 }, { inf }, { -1, 0, 0 }, { 0, 0, 0 } },
    { { inf, 3.0, -inf }, { inf }, { root, 0, -root }, { 0, 0, 0 } },
  } },
}

describe("at +infinity", function()
  for _, case in ipairs(CASES) do
    local name, f, rows = table.unpack(case)
    for _, dtype in ipairs { "float32", "float64" } do
      it(("%s is the limit, in which equals share alike: %s"):format(name, dtype), function()
        for _, row in ipairs(rows) do
          local got = derivatives(f, row[1], dtype)
          for order = 0, 2 do
            local want = wrun.tensor(row[order + 2], { dtype = dtype })
            local tolerance = dtype == "float32" and 1e-6 or 1e-14
            local options = { rtol = tolerance, atol = tolerance }
            assert(wrun.allclose(got[order + 1]:reshape(-1), want, options),
              ("order %d: expected %s, got %s"):format(order, want, got[order + 1]))
          end
        end
      end)
    end
  end

  it("keeps rows without it as they are", function()
    local x = wrun.randn(3, 4)
    local seen = wrun.cat({ x, wrun.full({ 1, 4 }, inf) }, 1)
    assert.is_true(wrun.equal(x:logsumexp(2), seen:logsumexp(2):narrow(1, 1, 3)))
    assert.is_true(wrun.equal(x:logcumsumexp(2), seen:logcumsumexp(2):narrow(1, 1, 3)))
    assert.is_true(wrun.equal(x:softmax(2), seen:softmax(2):narrow(1, 1, 3)))
  end)
end)

describe("a sum that leaves float64", function()
  it("gives the mean and the sum nevertheless", function()
    local x = wrun.tensor({ 0x1p1023, 0x1p1023, 0x1p1023, -0x1p1023 }, { dtype = "float64" })
    assert.equal(0x1p1022, x:mean():item())
    assert.equal(0x1p1023, x:narrow(1, 1, 3):mean():item())
    assert.equal(0x1p1023, x:narrow(1, 2, 3):sum():item())
    assert.is_true(wrun.equal(x / 2, (x:expand(3, 4) / 2):mean(1)))
    assert.is_true(wrun.equal(x, x:expand(3, 4):mean(1)))
    assert.equal(inf, x:narrow(1, 1, 3):sum():item())
    assert.equal(inf, (wrun.tensor({ inf, 1 }, { dtype = "float64" })):mean():item())
  end)

  it("gives the variance nevertheless, where that is within", function()
    local x = wrun.full({ 100 }, 0x1p511, { dtype = "float64" })
    x:narrow(1, 1, 50):neg_()
    assert.equal(0x1p1022, x:var(nil, false, { correction = 0 }):item())
    assert.equal(0x1p1022, x:reshape(100, 1):var(1, false, { correction = 0 }):item())
    assert.equal(inf, (x * 4):var():item())
  end)

  it("gives the deviation and its gradient where distances leave the dtype", function()
    for dtype, largest in pairs { float32 = 0x1.fffffep127, float64 = 0x1.fffffffffffffp1023 } do
      local x = wrun.tensor({ largest, -largest, -largest }, { dtype = dtype }):requires_grad_()
      local y = x:std(nil, false, { correction = 0 })
      local dx = wrun.autograd.grad(y, x)
      assert.near(4 / 3 * root, y:item() / largest, 1e-6)
      assert.is_true(wrun.allclose(dx:double(), wrun.tensor({ root * 2 / 3, -root / 3, -root / 3 },
        { dtype = "float64" }), { rtol = 1e-6 }))
    end
  end)
end)

describe("rsqrt", function()
  it("has a gradient wherever it is within the dtype", function()
    local x = wrun.tensor({ 1e-25 }):requires_grad_()
    x:rsqrt():backward(wrun.tensor { 15.0 })
    assert.near(-15 / 2 * 1e-25 ^ -1.5, x.grad:item(), 1e33)
  end)
end)

describe("a product that leaves its dtype", function()
  it("comes back where its other factors take it", function()
    for numbers, want in pairs {
      [{ 1e200, 1e200, -1e-200, 1e-200 }] = -1, [{ 1e-200, 1e-200, 1e200, 1e200 }] = 1,
      [{ 1e200, 1e200, 0, -1e300 }] = 0, [{ 1e-200, 1e-200, inf }] = inf,
      [{ 1e200, 1e200, 1 }] = inf, [{ 1e-200, 1e-200, 1 }] = 0,
    } do
      local x = wrun.tensor(numbers, { dtype = "float64" })
      assert.near(want, x:prod():item(), want == inf and 0 or 1e-14)
      assert.near(want, x:reshape(-1, 1):prod(1):item(), want == inf and 0 or 1e-14)
    end
    local nan = wrun.tensor({ inf, 0, 1 }, { dtype = "float64" }):prod():item()
    assert.not_equal(nan, nan)
    local x = wrun.tensor({ 1e200, 1e200, -1e-200, 1e-200 }, { dtype = "float64" })
    assert.near(-1, x:diag():det():item(), 1e-14)
  end)

  it("is 0 or infinity with its sign where it stays beyond, and exact where it does not", function()
    for _, n in ipairs { 4, 31, 32, 33, 64, 65, 16385, 40001 } do
      for _, exponent in ipairs { -1200, -1080, -1076, -1073, -600, 0, 1023, 1024, 1030, 1600 } do
        local list, half = {}, n // 2
        for i = 1, n do -- powers of two up, then down by as many, and what is to come of them
          list[i] = i <= half and 2.0 ^ (i % 600) or -2.0 ^ -((i - half) % 600)
        end
        list[n] = n % 2 == 1 and 1 or list[n]
        list[1], list[half + 1] = 2.0 ^ (exponent // 2), 2.0 ^ (exponent - exponent // 2)
        local flips = half - 1
        local want = (flips % 2 == 0 and 1 or -1) * 2.0 ^ (exponent // 2)
          * 2.0 ^ (exponent - exponent // 2)
        local x = wrun.tensor(list, { dtype = "float64" })
        local what = ("%d, %d"):format(n, exponent)
        assert.equal(("%a"):format(want), ("%a"):format(x:prod():item()), what)
        assert.equal(("%a"):format(want), ("%a"):format(x:reshape(-1, 1):prod(1):item()), what)
      end
    end
  end)

  it("has the gradient that its other factors make", function()
    for _, case in ipairs {
      { "float32", { 1e10, 2e10, 4e10, 1e10 } }, { "float32", { 1e-15, 2e-15, 4e-15, 1e-14 } },
      { "float64", { 1e80, 2e80, 4e80, 1e80 } }, { "float64", { 1e-90, 2e-90, 4e-90, 1e-80 } },
    } do
      local dtype, n = table.unpack(case)
      local x = wrun.tensor(n, { dtype = dtype }):requires_grad_()
      local dx = wrun.autograd.grad(x:prod(), x)
      local want = {}
      for i = 1, 4 do
        want[i] = n[i % 4 + 1] * n[(i + 1) % 4 + 1] * n[(i + 2) % 4 + 1]
      end
      local options = { rtol = 1e-5, atol = 0 }
      assert.is_true(wrun.allclose(dx, wrun.tensor(want, { dtype = dtype }), options))
    end
  end)
end)
