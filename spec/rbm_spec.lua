--- The machine's distributions and samplers, against sums over all states.

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

describe("rbm", function()
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

  it("compares each unit with a word of its generator, 64 neighbours at a time", function()
    local r = rbm.new { visible = 150, hidden = 3, seed = 9, std = 1 }
    r.generator = wrun.Generator({ engine = "philox", seed = 5 })
    local h = wrun.ones(2, 3)
    local p, sample = r:visible(h):tolist(), r:sample_v(h):tolist()
    local uniforms = wrun.rand(2 * 3 * 64, {
      generator = wrun.Generator({ engine = "philox", seed = 5 }),
    }):tolist()
    for row = 1, 2 do
      for i = 1, 150 do
        local chunk, index = (i - 1) // 64, (i - 1) % 64
        -- a counter gives four words; word w of the 16 counters of a chunk is for 16 neighbours
        local u = uniforms[((row - 1) * 3 + chunk) * 64 + index % 16 * 4 + index // 16 + 1]
        assert.equal(u < p[row][i] and 1 or 0, sample[row][i])
      end
    end
  end)

  it("has sure units at inputs of any size, and no number that is none", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local r = rbm.new { visible = 70, hidden = 2, seed = 1, dtype = dtype }
      for size, p in pairs { [1e3] = 1, [1e30] = 1, [-1e30] = 0, [-1e3] = 0 } do
        r.visible_bias:fill_(size)
        for _, h in ipairs { r:visible(wrun.ones(3, 2)), r:sample_v(wrun.ones(3, 2)) } do
          assert.is_true((h - p):abs():max():item() < 1e-30)
        end
        local free = r:free_energy(wrun.ones(3, 70)):mean():item()
        assert.near(-70 * size, free, 2 + math.abs(size) * 1e-4) -- 2: the hidden units'
      end
    end
  end)

  it("samples, by Gibbs steps, the distribution that enumeration gives #many", function()
    local r = tiny.new(8, 5, 0.7, 5)
    local _, p = tiny.distribution(r)
    local chains = r:chains(4000):step(100)
    local counts = {}
    for _ = 1, 10 do
      tiny.count(chains:step(20).v, counts)
    end
    assert.is_true(math.abs(tiny.chi_square_score(counts, p)) < SCORE)
  end)

  it("is found out by the same test when one sign is wrong #many", function()
    local r = tiny.new(8, 5, 0.7, 5)
    local _, p = tiny.distribution(r)
    r.weight[{ 2, 3 }] = -r.weight[2][3]:item()
    local counts = {}
    local chains = r:chains(4000):step(100)
    for _ = 1, 10 do
      tiny.count(chains:step(20).v, counts)
    end
    assert.is_true(tiny.chi_square_score(counts, p) > 3 * SCORE)
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

  it("tempers: each temperature has its distribution, and states are exchanged #many", function()
    local r = tiny.new(6, 4, 1.2, 8)
    local levels, count = 4, 1500
    local chains = r:chains(count, { temperatures = levels }):step(60)
    local counts = { {}, {}, {}, {} }
    for _ = 1, 8 do
      chains:step(12)
      for level = 1, levels do
        tiny.count(chains.states:narrow(1, (level - 1) * count + 1, count), counts[level])
      end
    end
    for level = 1, levels do
      local beta = (level - 1) / (levels - 1)
      local tempered = tiny.new(6, 4, 1.2, 8)
      tempered.weight:copy_(r.weight * beta)
      tempered.hidden_bias:copy_(r.hidden_bias * beta)
      tempered.visible_bias:copy_(r.visible_bias * beta + r.base * (1 - beta))
      local _, p = tiny.distribution(tempered)
      assert.is_true(math.abs(tiny.chi_square_score(counts[level], p)) < SCORE)
    end
    for _, rate in ipairs(chains:swap_rates()) do
      assert.is_true(rate > 0.1 and rate < 1)
    end
  end)

  it("gives Gaussian units mean and unit variance, and softmax groups one winner #many", function()
    local g = rbm.new {
      visible = 3, hidden = 2, visible_units = "gaussian", dtype = "float64", seed = 1, std = 1,
    }
    local h = repeated({ 1, 0 }, 40000)
    local v = g:sample_v(h)
    local mean, want = v:mean(1):tolist(), (g.weight[1] + g.visible_bias):tolist()
    for i = 1, 3 do
      assert.near(want[i], mean[i], SCORE / math.sqrt(40000))
    end
    for _, variance in ipairs(v:var(1):tolist()) do
      assert.near(1, variance, SCORE * math.sqrt(2 / 40000))
    end

    local s = rbm.new {
      visible = 6, hidden = 2, visible_units = "softmax", categories = 3, dtype = "float64",
      seed = 1, std = 1,
    }
    local p = s:visible(h):tolist()[1]
    local draws = s:sample_v(h)
    assert.is_true(draws:reshape(40000, 2, 3):sum(3):eq(1):all():item())
    for i, share in ipairs(draws:mean(1):tolist()) do
      assert.near(p[i], share, SCORE * math.sqrt(p[i] * (1 - p[i]) / 40000))
    end
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

  it("has autocorrelations: 1 at lag 0, rho^lag for an autoregression #many", function()
    local generator = wrun.Generator({ seed = 4 })
    local noise = wrun.randn(400, 200, { generator = generator }):tolist()
    local series = { noise[1] }
    for t = 2, 400 do
      series[t] = {}
      for c = 1, 200 do
        series[t][c] = 0.5 * series[t - 1][c] + noise[t][c] * math.sqrt(0.75)
      end
    end
    local rho, time = rbm.autocorrelation(wrun.tensor(series), 20)
    assert.near(1, rho[1]:item(), ROUNDING)
    assert.near(0.5, rho[2]:item(), 0.03)
    assert.near(3, time, 0.3) -- (1 + rho) / (1 - rho)
  end)

  it("refuses what does not fit, and says what would", function()
    local r = rbm.new { visible = 4, hidden = 3, seed = 1 }
    assert.equal("rbm.new: option hidden: expected an integer >= 1, got nil",
      refusal(rbm.new, { visible = 3 }))
    assert.equal("rbm.new: option categories: expected a divisor of visible = 5, got 2",
      refusal(rbm.new, { visible = 5, hidden = 1, visible_units = "softmax", categories = 2 }))
    assert.equal("hidden: argument 1: expected [batch, 4], got a float32 tensor [2, 3]",
      refusal(r.hidden, r, wrun.zeros(2, 3)))
    assert.equal("energy: argument 2: expected 2 rows to match [2, 4], got [1, 3]",
      refusal(r.energy, r, wrun.zeros(2, 4), wrun.zeros(1, 3)))
    assert.equal("gibbs: argument 2: expected an integer >= 1, got 0",
      refusal(r.gibbs, r, wrun.zeros(2, 4), 0))
    assert.equal("gibbs: argument 3: expected a mask [4] or [2, 4], got a float32 tensor [3]",
      refusal(r.gibbs, r, wrun.zeros(2, 4), 1, wrun.zeros(3)))
    assert.equal("images: expected a height and width of 4 pixels, got 3 x 2",
      refusal(function()
        r:chains(2):images(3, 2)
      end))
  end)
end)
