--- The truncated normal: its moments by either method, its bounds, its refusals.

local refusal = require "spec.support.refusal"
local spread = require "spec.support.spread"
local wrun = require "wrun"

local init = wrun.nn.init

local sqrt = math.sqrt
local N, SIGMAS = spread.N, spread.SIGMAS
local matrix, assert_normal = spread.matrix, spread.assert_normal

describe("nn.init.trunc_normal_", function()
  local erf = function(x)
    return wrun.tensor(x, { dtype = "float64" }):erf():item()
  end

  -- Mean and deviation of a normal between a and b: m + s (f(l) - f(h)) / P and its kin.
  local function moments(m, s, a, b)
    local l, h = (a - m) / s, (b - m) / s
    local function f(x)
      return math.exp(-x * x / 2) / sqrt(2 * math.pi)
    end
    local share = (erf(h / sqrt(2)) - erf(l / sqrt(2))) / 2
    local shift = (f(l) - f(h)) / share
    return m + s * shift, s * sqrt(1 + (l * f(l) - h * f(h)) / share - shift * shift)
  end

  it("has the moments of a truncated normal, by either method", function()
    for _, o in ipairs({ { 0, 1, -2, 2 }, { 1, 2, -0.5, 4 }, { 0, 1, 1, 2.5 },
      { -1, 1, 0.5, 1 } }) do
      for _, method in ipairs({ "rejection", "inverse" }) do
        local m, s, a, b = table.unpack(o)
        local w = init.trunc_normal_(matrix(), m, s, a, b, { method = method })
        assert.is_true(w:min():item() >= a and w:max():item() <= b)
        local mean, std = moments(m, s, a, b)
        assert.near(mean, w:mean():item(), SIGMAS * std / sqrt(N))
        assert.near(std, w:std():item(), SIGMAS * std / sqrt(2 * N))
      end
    end
  end)

  it("draws from tails far outside, which uniform draws would hardly ever meet", function()
    local FAR = { -- bounds, and by mpmath the mean and deviation of the standard normal between them
      { 4, 1e300, 4.22560714448947, 0.2160389743 },
      { 30, 1e9, 30.0332596674337, 0.03322305693 },
      { 1000, 1e6, 1000.000999998, 0.000999997 },
      { 200, 200.001, 200.000483344393, 0.0002883867668 },
    }
    for _, o in ipairs(FAR) do
      local a, b, mean, std = table.unpack(o)
      for _, sign in ipairs { 1, -1 } do
        local w = wrun.empty(200, 500, { dtype = "float64" })
        init.trunc_normal_(w, 5, 2, 5 + 2 * (sign > 0 and a or -b), 5 + 2 * (sign > 0 and b or -a))
        local z = (w - 5) / (2 * sign)
        assert.is_true(z:min():item() >= a * (1 - 1e-15) and z:max():item() <= b)
        assert.near(mean, z:mean():item(), SIGMAS * std / sqrt(1e5))
        assert.near(std, z:std():item(), 3 * SIGMAS * std / sqrt(2e5)) -- tails are heavier
      end
      local w = init.trunc_normal_(wrun.empty(1000), 0, 1, a, b)
      assert.is_true(w:ge(a):all():item() and w:le(b):all():item())
    end
    local lost = init.trunc_normal_(wrun.empty(1000), 0, 1, 50, math.huge, { method = "inverse" })
    assert.near(50.02, lost:mean():item(), 0.01)
  end)

  it("ends where rounding puts the bounds out of reach", function()
    local w = init.trunc_normal_(wrun.empty(5), 1, 1e-9, 1 + 5.97e-8, 2)
    assert.is_true(w:ge(1):all():item() and w:le(2):all():item())
  end)

  it("keeps a small spread between far bounds", function()
    local w = init.trunc_normal_(wrun.empty(1000, 1000), { std = 0.001 })
    assert.is_true(w:abs():max():item() < 0.01)
  end)

  it("takes bounds without end, and a single point", function()
    assert_normal(init.trunc_normal_(matrix(), 0, 1, -math.huge, math.huge), 1)
    assert.same({ 0.5, 0.5 }, init.trunc_normal_(wrun.empty(2), 0, 1, 0.5, 0.5):tolist())
    assert.same({ 0 }, init.trunc_normal_(wrun.empty(0)).shape)
  end)

  it("writes through a view, and takes a generator", function()
    local function draw(w)
      return init.trunc_normal_(w, { a = 0, generator = wrun.Generator({ seed = 9 }) })
    end
    local base = wrun.zeros(3, 4)
    draw(base[{ {}, { 2, 3 } }])
    assert.same({ 0.0, 0.0, 0.0 }, base[{ {}, 1 }]:tolist())
    assert.is_true(base[{ {}, { 2, 3 } }]:gt(0):all():item())
    assert.is_true(draw(wrun.empty(5)):equal(draw(wrun.empty(5))))
  end)

  it("warns where the mean lies far outside", function()
    local warned = stub(_G, "warn")
    init.trunc_normal_(wrun.empty(3), 5)
    init.trunc_normal_(wrun.empty(3), -4.01)
    assert.stub(warned).was.called(2)
    assert.stub(warned).was.called_with("trunc_normal_: the mean lies more than 2 std outside "
      .. "[a, b]; the draws may be distributed otherwise")
    init.trunc_normal_(wrun.empty(3), 4)
    assert.stub(warned).was.called(2)
    warned:revert()
  end)

  it("refuses settings out of range", function()
    local w = wrun.empty(2)
    assert.equal("trunc_normal_: option b: expected a number >= a, which is 2.5, got 2",
      refusal(init.trunc_normal_, w, { a = 2.5 }))
    assert.equal("trunc_normal_: expected finite bounds where they hold less than 0.3 of the "
      .. "distribution, got 3 and inf; the method inverse takes these",
      refusal(init.trunc_normal_, w, 0, 1, 3, math.huge))
    assert.is_true(init.trunc_normal_(w, 0, 1, 3, math.huge, { method = "inverse" })
      :ge(3):all():item())
    assert.equal("trunc_normal_: option std: expected a number > 0, got 0",
      refusal(init.trunc_normal_, w, 0, 0))
    assert.equal("trunc_normal_: option mean: expected a number, got nan",
      refusal(init.trunc_normal_, w, 0 / 0))
    assert.equal("trunc_normal_: option method: expected rejection or inverse, got the string "
      .. "'fast'", refusal(init.trunc_normal_, w, { method = "fast" }))
  end)
end)
