--- Sums over all states of a layer, against joint sums and closed forms.

local enumerate = require "wrun.rbm.enumerate"
local refusal = require "spec.support.refusal"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local ROUNDING = 1e-11 -- float64 sums of some thousand terms

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
    local r = tiny.without_weights(9, 6)
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
