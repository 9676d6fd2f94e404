--- Dropout: its rate, its scale, and that it stops.

local wrun = require "wrun"

local nn = wrun.nn

describe("Dropout", function()
  it("keeps a share 1 - p, scaled to the same mean, and nothing changes after eval", function()
    local layer = nn.Dropout(0.25, { generator = wrun.Generator({ seed = 1 }) })
    local x = wrun.ones(100, 100)
    local y = layer(x)
    assert.near(0.75, y:ne(0):float():mean():item(), 4 * math.sqrt(0.25 * 0.75 / 10000))
    assert.near(1 / 0.75, y:max():item(), 1e-6)
    layer:eval()
    assert.is_true(layer(x):equal(x))
  end)
end)
