--- The machine's energies, conditional distributions and clamped samples, against sums
--- over all states.

local enumerate = require "wrun.rbm.enumerate"
local refusal = require "spec.support.refusal"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local ROUNDING = 1e-12 -- float64 sums of a few hundred terms
local SCORE = 4 -- standard deviations; 1 in 30,000 by chance, and the seeds are fixed

local function rows(list)
  return wrun.tensor(list, { dtype = "float64" })
end

local function repeated(state, count)
  return rows { state }:expand(count, #state):contiguous()
end

describe("a machine", function()
  it("has the energy of the definition", function()
    local r = tiny.new(4, 3, 1, 1)
    for _, v in ipairs(tiny.states(4)) do
      for _, h in ipairs(tiny.states(3)) do
        assert.near(tiny.energy(r, v, h), r:energy(rows { v }, rows { h }):item(), ROUNDING)
      end
    end
  end)

  it("has free energies that sum to the log Z of the joint sum", function()
    local r = tiny.new(8, 5, 1, 2)
    local log_z, p = tiny.distribution(r)
    local free = r:free_energy(rows(tiny.states(8)))
    assert.near(log_z, (-free):logsumexp(1):item(), ROUNDING * 10)
    for code, f in ipairs(free:tolist()) do
      assert.near(math.log(p[code]), -f - log_z, 1e-10)
    end
  end)

  it("has the conditional probabilities of the joint distribution", function()
    local r = tiny.new(4, 3, 1, 3)
    for _, v in ipairs(tiny.states(4)) do
      local total, on = 0, { 0, 0, 0 }
      for _, h in ipairs(tiny.states(3)) do
        local weight = math.exp(-tiny.energy(r, v, h))
        total = total + weight
        for j = 1, 3 do
          on[j] = on[j] + weight * h[j]
        end
      end
      local p = r:hidden(rows { v }):tolist()[1]
      for j = 1, 3 do
        assert.near(on[j] / total, p[j], ROUNDING)
      end
    end
  end)

  it("draws hidden and visible units with their probabilities #many", function()
    local r = tiny.new(6, 4, 1, 4)
    local v = repeated({ 1, 0, 1, 1, 0, 1 }, 20000)
    local p, mean = r:hidden(v):tolist()[1], r:sample_h(v):mean(1):tolist()
    for j = 1, 4 do
      assert.near(p[j], mean[j], SCORE * math.sqrt(p[j] * (1 - p[j]) / 20000))
    end
    local h = repeated({ 1, 0, 1, 1 }, 20000)
    local q, visible = r:visible(h):tolist()[1], r:sample_v(h):mean(1):tolist()
    for i = 1, 6 do
      assert.near(q[i], visible[i], SCORE * math.sqrt(q[i] * (1 - q[i]) / 20000))
    end
  end)

  it("samples what a mask leaves free from p(free | clamped) #many", function()
    local r = tiny.new(7, 4, 0.8, 6)
    local _, p = tiny.distribution(r)
    local given, mask = { 1, 0, 1, 0, 0, 0, 0 }, { 1, 1, 1, 0, 0, 0, 0 }
    local conditional, total = {}, 0
    for code, state in ipairs(tiny.states(7)) do
      local fits = state[1] == 1 and state[2] == 0 and state[3] == 1
      conditional[code] = fits and p[code] or 0
      total = total + conditional[code]
    end
    for code in ipairs(conditional) do
      conditional[code] = conditional[code] / total
    end
    local counts = {}
    local v = repeated(given, 10000)
    for _ = 1, 3 do
      v = r:gibbs(v, 40, wrun.tensor(mask))
      tiny.count(v, counts)
    end
    assert.is_true(math.abs(tiny.chi_square_score(counts, conditional)) < SCORE)
  end)

  it("keeps a clamped unit's value, whatever the chains do", function()
    local r = tiny.new(5, 3, 1, 7)
    local mask = rows { { 1, 0, 1, 0, 1 }, { 0, 1, 0, 1, 0 } }
    local v = rows { { 1, 1, 0, 0, 1 }, { 0, 1, 1, 0, 1 } }
    local after = r:gibbs(v, 10, mask)
    assert.is_true(((after - v) * mask):eq(0):all():item())
  end)

  it("says which centred parameters have the same energies, but for a constant", function()
    local r = tiny.new(5, 4, 1, 9)
    r.visible_offset:uniform_(0, 1)
    r.hidden_offset:uniform_(0, 1)
    local c = r:centered()
    local differences = {}
    for _, v in ipairs(tiny.states(5)) do
      local h = { 1, 0, 0, 1 }
      local vc, hc = rows { v } - c.visible_offset, rows { h } - c.hidden_offset
      local e = -(vc * c.visible_bias):sum() - (hc * c.hidden_bias):sum()
        - (hc:matmul(c.weight) * vc):sum()
      differences[#differences + 1] = e:item() - tiny.energy(r, v, h)
    end
    for _, difference in ipairs(differences) do
      assert.near(differences[1], difference, ROUNDING)
    end
  end)

  it("goes on from a state as if it had never stopped", function()
    local r = tiny.new(5, 4, 1, 10)
    local state = r:state_dict()
    local first = r:gibbs(rows(tiny.states(5)), 5)
    r.weight:fill_(0)
    r:load_state_dict(state)
    assert.is_true(first:equal(r:gibbs(rows(tiny.states(5)), 5)))
  end)

  it("refuses what does not fit, and says what would", function()
    local r = rbm.new { visible = 4, hidden = 3, seed = 1 }
    assert.equal("hidden: argument 1: expected [batch, 4], got a float32 tensor [2, 3]",
      refusal(r.hidden, r, wrun.zeros(2, 3)))
    assert.equal("energy: argument 2: expected 2 rows to match [2, 4], got [1, 3]",
      refusal(r.energy, r, wrun.zeros(2, 4), wrun.zeros(1, 3)))
    assert.equal("gibbs: argument 2: expected an integer >= 1, got 0",
      refusal(r.gibbs, r, wrun.zeros(2, 4), 0))
    assert.equal("gibbs: argument 3: expected a mask [4] or [2, 4], got a float32 tensor [3]",
      refusal(r.gibbs, r, wrun.zeros(2, 4), 1, wrun.zeros(3)))
  end)
end)

-- Geweke's test: exact samples stay exact under a right sampler. Returns the worst standard score
-- of the second moments after `step`.
local function geweke(r, step)
  local count = 40000
  local v = enumerate.sample(r, count)
  for _ = 1, 5 do
    v = step(v)
  end
  local _, p = tiny.distribution(r)
  local n, worst = r.weight:size(2), 0
  local moments = v:t():matmul(v):tolist()
  local states = tiny.states(n)
  for i = 1, n do
    for j = 1, i do
      local exact = 0
      for code, state in ipairs(states) do
        exact = exact + p[code] * state[i] * state[j]
      end
      local deviation = math.sqrt(exact * (1 - exact) / count)
      worst = math.max(worst, math.abs(moments[i][j] / count - exact) / deviation)
    end
  end
  return worst
end

describe("Geweke's joint test #many", function()
  local r

  before_each(function()
    r = tiny.new(7, 5, 0.9, 4)
  end)

  it("passes for the sampler", function()
    assert.is_true(geweke(r, function(v)
      return r:gibbs(v)
    end) < SCORE)
  end)

  it("fails when one sign is flipped", function()
    local wrong = tiny.new(7, 5, 0.9, 4)
    wrong.weight[{ 2, 3 }] = -wrong.weight[2][3]:item()
    assert.is_true(geweke(r, function(v)
      return wrong:gibbs(v)
    end) > 2 * SCORE)
  end)

  it("fails when probabilities replace samples", function()
    assert.is_true(geweke(r, function(v)
      return r:sample_v(r:hidden(v))
    end) > 2 * SCORE)
  end)
end)
