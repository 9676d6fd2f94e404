--- Likelihoods against sums over all states, closed forms and scikit-learn.

local refusal = require "spec.support.refusal"
local sklearn = require "spec.fixtures.rbm"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm
local enumerate = require "wrun.rbm.enumerate"

local ROUNDING = 1e-11 -- float64 sums of some thousand terms

local function with_zero_weight(visible, hidden)
  local r = tiny.new(visible, hidden, 1, 1)
  r.weight:fill_(0)
  return r
end

-- Gaussian integral over v for each h: the closed form that enumeration of h must give
local function gaussian_log_z(r)
  local terms = {}
  for _, h in ipairs(tiny.states(r.weight:size(1))) do
    local row = wrun.tensor({ h }, { dtype = "float64" })
    local mean = row:matmul(r.weight) + r.visible_bias
    terms[#terms + 1] = row:matmul(r.hidden_bias):item() + mean:square():sum():item() / 2
      + r.weight:size(2) / 2 * math.log(2 * math.pi)
  end
  return wrun.tensor(terms, { dtype = "float64" }):logsumexp(1):item()
end

describe("log_z", function()
  it("is that of the joint sum, from either side", function()
    for _, sizes in ipairs { { 8, 5 }, { 5, 8 }, { 1, 1 }, { 7, 7 }, { 9, 1 }, { 3, 10 } } do
      local r = tiny.new(sizes[1], sizes[2], 1, sizes[1])
      local want = tiny.distribution(r)
      assert.near(want, r:log_z(), ROUNDING)
      assert.near(want, enumerate.log_z_blocks(r), ROUNDING)
    end
  end)

  it("is the same by the product of factors and by the direct sum, for more units #many", function()
    local r = tiny.new(100, 14, 0.5, 3)
    assert.near(enumerate.log_z_blocks(r), r:log_z(), ROUNDING * 10)
  end)

  it("holds for weights so large that a factor would overflow", function()
    local r = tiny.new(6, 4, 500, 3)
    local most = -math.huge
    for _, v in ipairs(tiny.states(6)) do
      for _, h in ipairs(tiny.states(4)) do
        most = math.max(most, -tiny.energy(r, v, h))
      end
    end
    assert.near(most, r:log_z(), 1e-6)
  end)

  it("has a closed form without weights", function()
    local r = with_zero_weight(9, 6)
    local want = r.visible_bias:softplus():sum():item() + r.hidden_bias:softplus():sum():item()
    assert.near(want, r:log_z(), ROUNDING)
  end)

  it("integrates Gaussian units and sums softmax groups", function()
    local g = rbm.new {
      visible = 4, hidden = 3, visible_units = "gaussian", dtype = "float64", seed = 1, std = 0.5,
    }
    assert.near(gaussian_log_z(g), g:log_z(), ROUNDING)
    local s = rbm.new {
      visible = 6, hidden = 3, visible_units = "softmax", categories = 3, dtype = "float64",
      seed = 1, std = 0.5,
    }
    local total = 0
    for _, v in ipairs(tiny.states(6)) do
      if v[1] + v[2] + v[3] == 1 and v[4] + v[5] + v[6] == 1 then
        for _, h in ipairs(tiny.states(3)) do
          total = total + math.exp(-tiny.energy(s, v, h))
        end
      end
    end
    assert.near(math.log(total), s:log_z(), ROUNDING)
  end)

  it("refuses more than 25 units", function()
    local r = rbm.new { visible = 30, hidden = 26, seed = 1 }
    assert.equal("log_z: expected at most 25 binary units on the smaller side to enumerate, got 30 "
      .. "visible and 26 hidden units; use ais", refusal(r.log_z, r))
  end)
end)

describe("enumerated samples", function()
  it("follow the machine's distribution #many", function()
    local r = tiny.new(6, 4, 1, 5)
    local _, p = tiny.distribution(r)
    local counts = tiny.count(enumerate.sample(r, 20000), {})
    assert.is_true(math.abs(tiny.chi_square_score(counts, p)) < 4)
  end)
end)

describe("ais", function()
  it("is exact, without variance, for a machine without weights", function()
    local r = with_zero_weight(9, 6)
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

  it("wants to be told how grey data becomes black and white", function()
    local r = tiny.new(6, 3, 1, 2)
    local grey = wrun.full({ 2, 6 }, 0.4)
    assert.equal("log_likelihood: option binarize: expected threshold or stochastic for data that "
      .. "is not 0 and 1", refusal(r.log_likelihood, r, grey, 0))
    local a = r:log_likelihood(grey, 0, { binarize = "stochastic" })
    assert.is_true(a:equal(r:log_likelihood(grey, 0, { binarize = "stochastic" })))
    local black = r:log_likelihood(wrun.zeros(2, 6), 0)
    assert.is_true(black:equal(r:log_likelihood(grey, 0, { binarize = "threshold" })))
  end)

  it("refuses data that binary units cannot have", function()
    local r = tiny.new(6, 3, 1, 2)
    assert.equal("log_likelihood: argument 1: expected values from 0 to 1 for binary units, got 0 "
      .. "to 255", refusal(r.log_likelihood, r, wrun.tensor { { 0, 255, 0, 0, 0, 0 } }, 0))
    assert.equal("log_likelihood: argument 1: expected finite numbers, got NaN or infinity",
      refusal(r.log_likelihood, r, wrun.full({ 1, 6 }, 0 / 0), 0))
  end)
end)
