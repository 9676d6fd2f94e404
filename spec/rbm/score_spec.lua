--- Likelihoods: annealed importance sampling against exact sums, and scikit-learn.

local refusal = require "spec.support.refusal"
local sklearn = require "spec.fixtures.rbm"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local ROUNDING = 1e-11 -- float64 sums of some thousand terms

describe("ais", function()
  it("counts between 1 and all chains as effective, however large the weights", function()
    for _, scale in ipairs { 1, 1e3, 1e10, 1e30 } do
      local r = tiny.new(4, 3, 1, 2)
      r.weight:mul_(scale)
      local z = r:ais { chains = 5, steps = 20 }
      assert.is_true(z.ess > 0.999999 and z.ess < 5.000001)
      -- the mean of w^2 is n / ess where that of w is 1
      assert.near(math.sqrt((5 / z.ess - 1) / 4), z.sd, 1e-6)
    end
  end)

  it("is exact, without variance, for a machine without weights", function()
    local r = tiny.without_weights(9, 6)
    r.base:copy_(r.visible_bias)
    r.hidden_bias:fill_(0)
    local z = r:ais { chains = 10, steps = 20 }
    assert.near(r:log_z(), z.log_z, ROUNDING)
    assert.near(0, z.sd, ROUNDING)
    assert.near(10, z.ess, ROUNDING)
    assert.is_true(z.reliable)
  end)

  it("is unbiased in Z: the mean weight of many short walks #many", function()
    local r = tiny.new(8, 5, 0.7, 6)
    local z = r:ais { chains = 20000, steps = 10 }
    assert.is_true(math.abs(z.log_z - r:log_z()) < 4 * z.sd)
    assert.is_true(z.sd < 0.02)
  end)

  it("covers the exact value: within 2 deviations for at least 80 % of seeds #many", function()
    local hits = 0
    for seed = 1, 50 do
      local r = tiny.new(10, 6, 1, seed)
      local z = r:ais { chains = 100, steps = 300 }
      local exact = r:log_z()
      hits = hits + (math.abs(z.log_z - exact) <= 2 * z.sd and 1 or 0)
    end
    assert.is_true(hits >= 40)
  end)

  it("has the exact value between its directions #many", function()
    local forward, reverse, exact = 0, 0, 0
    for seed = 1, 20 do
      local r = tiny.new(10, 6, 1.5, seed)
      exact = exact + r:log_z() / 20
      local f = r:ais { chains = 200, steps = 20 }
      local b = r:ais { chains = 200, steps = 20, reverse = true }
      forward = forward + f.log_z / 20
      reverse = reverse + b.log_z / 20
      -- a walk's log weight is below log Z forward, and above it backward, by Jensen's inequality
      local base = r.base:softplus():sum():item() + 6 * math.log(2)
      assert.is_true(base + f.log_weight:mean():item() < r:log_z() - 0.05)
      assert.is_true(base - b.log_weight:mean():item() > r:log_z() + 0.05)
    end
    assert.is_true(forward < exact + 0.05)
    assert.is_true(reverse > exact - 0.05)
  end)

  it("calls a result unreliable when few walks count", function()
    local r = tiny.new(40, 30, 3, 1)
    local z = r:ais { chains = 100, steps = 3 }
    assert.is_true(z.ess < 20)
    assert.is_false(z.reliable)
  end)

  it("refuses what does not fit", function()
    local r = rbm.new { visible = 40, hidden = 30, seed = 1 }
    assert.equal("ais: option start: expected samples of the model, [chains, 40], to walk from in "
      .. "reverse; they can be drawn exactly only where at most 25 units are enumerated",
      refusal(r.ais, r, { reverse = true }))
    assert.equal("ais: option steps: expected an integer >= 1, got 0",
      refusal(r.ais, r, { steps = 0 }))
  end)
end)

describe("against scikit-learn", function()
  local r = rbm.new { visible = 6, hidden = 4, dtype = "float64", seed = 1 }
  local v = wrun.tensor(sklearn.v, { dtype = "float64" })

  setup(function()
    r.weight:copy_(wrun.tensor(sklearn.weight, { dtype = "float64" }))
    r.visible_bias:copy_(wrun.tensor(sklearn.visible_bias, { dtype = "float64" }))
    r.hidden_bias:copy_(wrun.tensor(sklearn.hidden_bias, { dtype = "float64" }))
  end)

  it("free energies agree", function()
    for i, f in ipairs(r:free_energy(v):tolist()) do
      assert.near(sklearn.free_energy[i], f, ROUNDING)
    end
  end)

  it("the pseudo-likelihood is the sum of its terms for every flipped unit", function()
    for i, value in ipairs(r:pseudo_likelihood(v):tolist()) do
      local want = 0
      for unit = 1, 6 do
        want = want + sklearn.one_bit[unit][i] / 6 -- scikit-learn multiplies one bit by 6
      end
      assert.near(want, value, ROUNDING)
    end
  end)

  it("the stochastic pseudo-likelihood has the exact one as its mean #many", function()
    local exact, mean = r:pseudo_likelihood(v):mean():item(), 0
    for seed = 1, 100 do
      mean = mean + r:pseudo_likelihood(v, { bits = 2, seed = seed }):mean():item() / 100
    end
    assert.near(exact, mean, 0.1)
  end)
end)

describe("log_likelihood", function()
  it("sums to 1 over all data as probabilities", function()
    local r = tiny.new(6, 3, 1, 2)
    local all = wrun.tensor(tiny.states(6), { dtype = "float64" })
    assert.near(0, r:log_likelihood(all, r:log_z()):logsumexp(1):item(), ROUNDING)
  end)
end)
