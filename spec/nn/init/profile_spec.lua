--- What activations make of normal signals, beside mpmath's integrals (fixtures/profile.lua).

local fixture = require "spec.fixtures.profile"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

local QUADRATURE = 1e-11 -- relative: mpmath's derivative is a difference

local function assert_close(want, got, name)
  assert.is_true(math.abs(got - want) <= QUADRATURE * math.max(math.abs(want), 1),
    ("%s: expected %.17g, got %.17g"):format(name, want, got))
end

describe("nn.init.profile #many", function()
  for name, rows in pairs(fixture) do
    it("has the moments and the slope of " .. name, function()
      for i, row in ipairs(rows) do
        local got = init.profile(name, i > 1 and { std = row.std } or nil)
        for key, want in pairs(row) do
          assert_close(want, got[key], key)
        end
      end
    end)
  end

  it("takes any function of tensors, and modules", function()
    local cube = init.profile(function(z) return z:relu() ^ 3 end, { std = 1 })
    assert_close(2 * math.sqrt(2 / math.pi) / 2, cube.mean, "mean") -- E |z|^3 / 2
    assert_close(7.5, cube.second_moment, "second moment") -- E z^6 / 2
    assert_close(3, cube.slope, "slope")
    assert_close(2, init.profile(function(z) return z:relu() ^ 2 end).slope, "slope")
    assert.same(init.profile("elu"), init.profile(nn.ELU()))
    assert.same(init.profile("tanh"), init.profile(wrun.tanh))
  end)

  it("finds kinks and jumps where they are", function()
    local jump = init.profile(function(z) return z:gt(0.3):double() end, { std = 1 })
    local share = (1 - wrun.erf(wrun.tensor(0.3 / math.sqrt(2), { dtype = "float64" })):item()) / 2
    assert_close(share, jump.mean, "mean")
    assert.equal(0, jump.derivative)
  end)

  it("has the slope of the variance too, where the mean is taken away", function()
    local tanh = init.profile("tanh")
    assert_close(tanh.slope, tanh.variance_slope, "of an odd function")
    assert_close(tanh.slope, init.profile("sigmoid").variance_slope, "of the same, moved")
    assert.near(0.359, tanh.slope, 5e-4)
  end)

  it("leaves recording as it was, and works where it is off", function()
    wrun.no_grad(function()
      assert_close(0.5, init.profile("relu").derivative, "derivative")
      assert.is_false(wrun.is_grad_enabled())
    end)
  end)

  it("prints what it holds", function()
    assert.equal("Profile(std 2: mean 0.79788, second moment 2, derivative 0.5, slope 1)",
      tostring(init.profile("relu", { std = 2 })))
  end)

  it("refuses what is no function of elements", function()
    local function assert_refused(text, f, options)
      assert.equal("profile: " .. text, refusal(init.profile, f, options))
    end
    local wanted = "argument 1: expected a function of tensors, a module, or the name of one like "
      .. '"relu", got '
    assert_refused(wanted .. "3", 3)
    for _, name in ipairs { "rlu", "nn", "_VERSION", "_missing", "zeros" } do
      assert_refused(wanted .. ("the string '%s'"):format(name), name)
    end
    assert_refused("argument 1: expected a function that works element by element, got one whose "
      .. "value at -2 is 0.00064264 among others and 0.0017723 without them",
      nn.Softmax(1))
    assert_refused("argument 1: expected a function that works element by element, got "
      .. "a float64 tensor [] for a float64 tensor [61]", function(z) return z:sum() end)
    assert_refused("argument 1: expected a function that works element by element, got "
      .. "nil for a float64 tensor [61]", function() end)
    assert_refused("argument 1: expected a function of all numbers, got one that is NaN at -3",
      wrun.log)
    assert_refused("argument 1: expected a function that has an integral, got one without, or by "
      .. "chance", function(z) return (z * 1e9):sin() end, { std = 1 })
    assert_refused("option std: expected a number > 0, got 0", "relu", { std = 0 })
    assert_refused("option gain: unknown; the options are std", "relu", { gain = 1 })
  end)
end)

describe("nn.init.gain_of #many", function()
  it("is the spread whose second moment is 1", function()
    assert_close(math.sqrt(2), init.gain_of("relu"), "relu")
    assert_close(1, init.gain_of("selu"), "selu")
    assert_close(1, init.gain_of("linear"), "linear")
    assert_close(1.5587599300695, init.gain_of(function(z) return z * z:sigmoid() end), "silu")
    assert_close(nn.init.calculate_gain("leaky_relu", 0.2), init.gain_of(nn.LeakyReLU(0.2)),
      "leaky_relu")
  end)

  it("refuses functions whose second moment is never 1, or always", function()
    local text = "gain_of: argument 1: expected a function whose second moment can be 1, got one "
      .. "where it is %s for small signals and %s for large ones"
    assert.equal(text:format(1, 1), refusal(init.gain_of, "sign"))
    assert.equal(text:format(1, "inf"), refusal(init.gain_of, wrun.exp))
    assert.equal(text:format(0, 0), refusal(init.gain_of, wrun.zeros_like))
  end)
end)
