--- The kinds of units: their means, their samples, and inputs of any size.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local rbm = wrun.rbm
local spin = require("spec.examples.parts").spin

local SCORE = 4 -- standard deviations; 1 in 30,000 by chance, and the seeds are fixed

-- All rows of n values, each one of two.
local function rows_of(n, a, b)
  local rows = {}
  for code = 0, 2 ^ n - 1 do
    rows[#rows + 1] = {}
    for i = 1, n do
      rows[#rows][i] = code // 2 ^ (i - 1) % 2 == 0 and a or b
    end
  end
  return wrun.tensor(rows, { dtype = "float64" })
end

describe("units of one's own", function()
  local function machine(options)
    local o = {
      visible = 3, hidden = 4, std = 1, seed = 1, dtype = "float64", visible_units = spin,
    }
    for name, value in pairs(options or {}) do o[name] = value end
    local r = rbm.new(o)
    r.visible_bias:copy_(wrun.tensor { 0.3, -0.2, 0.1 })
    r.hidden_bias:copy_(wrun.tensor { -0.5, 0.4, 0.2, 0.1 })
    return r
  end

  it("have the log Z that the sum over all states has, on either side or both #many", function()
    for _, case in ipairs {
      { {}, rows_of(3, -1.0, 1.0), rows_of(4, 0.0, 1.0) },
      { { visible_units = "binary", hidden_units = spin },
        rows_of(3, 0.0, 1.0), rows_of(4, -1.0, 1.0) },
    } do
      local r, v, h = machine(case[1]), case[2], case[3]
      local energies = {}
      for i = 1, #v do
        energies[i] = -r:energy(v[i]:unsqueeze(1):expand(#h, 3):contiguous(), h)
      end
      local log_z = wrun.cat(energies):logsumexp(1):item()
      assert.near(log_z, r:log_z(), 1e-12)
      assert.near(log_z, r:ais({ chains = 500, steps = 500 }).log_z, 0.05)
      local total = (-r:free_energy(v)):logsumexp(1):item()
      assert.near(log_z, total, 1e-12)
    end
  end)

  it("are drawn with the means that they have", function()
    local r = machine()
    local h = wrun.tensor({ { 1.0, 0, 1, 0 } }, { dtype = "float64" }):expand(40000, 4)
    local drawn = r:sample_v(h:contiguous())
    assert.is_true(drawn:abs():eq(1):all():item())
    local miss = (drawn:mean(1) - r:visible(h[1]:unsqueeze(1))[1]):abs():max():item()
    assert.is_true(miss < SCORE / math.sqrt(40000))
  end)

  it("learn by each method", function()
    local rows = rows_of(3, -1.0, 1.0):index_select(1, wrun.tensor { 1, 8, 8, 1 })
    for _, method in ipairs { "cd", "pcd", "exact" } do
      local r = rbm.new { visible = 3, hidden = 4, seed = 1, visible_units = spin }
      local before = r:log_likelihood(rows, r:log_z()):mean():item()
      r:fit(rows, { method = method, lr = 0.1, epochs = 200, batch_size = 4 })
      assert.is_true(r:log_likelihood(rows, r:log_z()):mean():item() > before + 0.5)
    end
  end)

  it("print as their name, and refuse data outside their bounds", function()
    local r = machine()
    assert.equal("RBM(3 spin visible, 4 binary hidden)", tostring(r))
    assert.equal("fit: argument 1: expected values from -1 to 1 for spin units, got -2 to 1",
      refusal(r.fit, r, wrun.tensor { { -2.0, 1, 1 } }))
    assert.equal("pseudo_likelihood: expected binary visible units, got spin",
      refusal(r.pseudo_likelihood, r, wrun.ones(1, 3)))
  end)

  it("refuse what is missing or unknown", function()
    assert.equal("rbm.units: option log_partition: expected a function, got nil",
      refusal(rbm.units, { name = "a", mean = print, sample = print }))
    assert.equal("rbm.new: option hidden_units: expected binary, gaussian or what rbm.units makes, "
      .. "got the string 'softmax'",
      refusal(rbm.new, { visible = 1, hidden = 1, hidden_units = "softmax" }))
  end)
end)

describe("units", function()
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

  it("gives Gaussian units mean and unit variance, and softmax groups one winner #many", function()
    local g = rbm.new {
      visible = 3, hidden = 2, visible_units = "gaussian", dtype = "float64", seed = 1, std = 1,
    }
    local h = wrun.tensor({ { 1, 0 } }, { dtype = "float64" }):expand(40000, 2):contiguous()
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
end)
