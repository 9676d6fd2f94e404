--- Predictions for starts: what many draws give, and whether their band holds them.

local networks = require "spec.support.networks"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

local RUNS = 40

describe("nn.init.report.theory", function()
  for _, case in ipairs {
    { "ReLU", nn.ReLU, init.he_normal_ }, { "Tanh", nn.Tanh, init.xavier_normal_ },
    { "GELU", nn.GELU, init.he_normal_ },
  } do
    it("has a band around what networks of " .. case[1] .. " do #many", function()
      wrun.manual_seed(5)
      local inside, all, ratio, gradient_ratio = 0, 0, 0, 0
      for _ = 1, RUNS do
        local model = networks.deep {
          inputs = 30, width = 50, depth = 8, outputs = 5, activation = case[2], rule = case[3],
        }
        local r = init.report(model, wrun.randn(20, 30))
        for _, call in ipairs(r.calls) do
          for _, pair in ipairs {
            { call.std, call.expected }, { call.gradient_rms, call.expected_gradient },
          } do
            local band = pair[2]
            if band then
              all = all + 1
              inside = inside + ((pair[1] >= band.low and pair[1] <= band.high) and 1 or 0)
              assert.is_true(band.low <= band.high)
            end
          end
        end
        ratio = ratio + math.log(r.calls[15].rms ^ 2 / r.calls[15].expected.spread ^ 2) / RUNS
        local first = r.calls[1]
        gradient_ratio = gradient_ratio
          + math.log(first.gradient_rms / first.expected_gradient.spread) / RUNS
      end
      assert.is_true(inside / all > 0.985, ("%d of %d are inside"):format(inside, all))
      -- the logarithm's mean is below 0 by half its variance: 8 layers of (6 - 1) / 50 for ReLU
      assert.near(-0.2, ratio, 0.4)
      assert.near(-0.2, gradient_ratio, 0.4)
    end)
  end

  it("is of no activation that is not one, and starts anew behind it", function()
    local model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 8), nn.Tanh())
    local r = init.report(model, wrun.randn(10, 6))
    assert.is_nil(r.calls[2].expected)
    local signal = r.calls[3].weight_rms * math.sqrt(8) * r.calls[2].rms
    assert.near(signal, r.calls[3].expected.spread, 0.3)
    assert.truthy(r.calls[4].expected)
  end)

  it("multiplies the slopes", function()
    local model = networks.deep {
      inputs = 30, width = 50, depth = 3, outputs = 5, activation = nn.SiLU, rule = function(w)
        init.normal_(w, 0, init.gain_of("silu") / math.sqrt(w:size(2)))
      end,
    }
    local product = init.report(model, wrun.randn(200, 30)).slope_product
    assert.near(init.profile("silu").slope ^ 3, product, 0.05)
  end)
end)
