--- The kinds of units: their means, their samples, and inputs of any size.

local wrun = require "wrun"

local rbm = wrun.rbm

local SCORE = 4 -- standard deviations; 1 in 30,000 by chance, and the seeds are fixed

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
