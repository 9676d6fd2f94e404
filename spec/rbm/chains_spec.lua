--- Markov chains: the distributions they sample, tempering, autocorrelation.

local refusal = require "spec.support.refusal"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local ROUNDING = 1e-12 -- float64 sums of a few hundred terms
local SCORE = 4 -- standard deviations; 1 in 30,000 by chance, and the seeds are fixed

describe("chains", function()
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

  it("refuses pictures of other sizes", function()
    local r = rbm.new { visible = 4, hidden = 3, seed = 1 }
    assert.equal("images: expected a height and width of 4 pixels, got 3 x 2",
      refusal(function()
        r:chains(2):images(3, 2)
      end))
  end)

  it("refuses the state of other chains", function()
    local r = rbm.new { visible = 4, hidden = 3, seed = 1 }
    local function refused(state)
      local chains = r:chains(2, { temperatures = 3 })
      return refusal(chains.load_state_dict, chains, state)
    end
    assert.equal("load_state_dict: option swapped: expected a list of 2 integers, got a table",
      refused(r:chains(2):state_dict()))
    assert.equal("load_state_dict: states: expected [6, 4], got [9, 4]",
      refused(r:chains(3, { temperatures = 3 }):state_dict()))
  end)
end)
