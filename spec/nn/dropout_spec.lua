--- Dropout and AlphaDropout: beside PyTorch's, their rate, their scale, and that they stop.

local layers = require "spec.support.layers"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("a dropout layer", function()
  for claim, check in layers.each("layers", require "wrun.nn.dropout") do
    it(claim, check)
  end

  it("keeps a share 1 - p, scaled to the same mean, and nothing changes after eval", function()
    local layer = nn.Dropout(0.25, { generator = wrun.Generator({ seed = 1 }) })
    local x = wrun.ones(100, 100)
    local y = layer(x)
    assert.near(0.75, y:ne(0):float():mean():item(), 4 * math.sqrt(0.25 * 0.75 / 10000))
    assert.near(1 / 0.75, y:max():item(), 1e-6)
    layer:eval()
    assert.is_true(layer(x):equal(x))
  end)

  it("prints as PyTorch's does", function()
    assert.equal("AlphaDropout(p=0.5)", tostring(nn.AlphaDropout()))
  end)

  it("takes its draws from a generator of its own", function()
    for _, name in ipairs { "Dropout", "AlphaDropout" } do
      local layer = nn[name](0.5, { generator = wrun.Generator({ seed = 3 }) })
      local again = nn[name](0.5, { generator = wrun.Generator({ seed = 3 }) })
      local x = wrun.ones(64)
      assert.is_true(layer(x):equal(again(x)))
      assert.is_false(layer(x):equal(nn[name](0.5)(x)))
    end
  end)

  it("refuses what is no tensor and settings that make no sense", function()
    assert.equal("AlphaDropout: argument 1: expected a tensor, got nil", refusal(nn.AlphaDropout()))
    assert.equal("Dropout: argument 1: expected a number from 0 to 1, got 1.5",
      refusal(nn.Dropout, 1.5))
    assert.equal("AlphaDropout: option inplace: unknown; the options are generator",
      refusal(nn.AlphaDropout, 0.5, { inplace = true }))
  end)
end)
