--- Singular values from input to output: of networks where they are known.

local jacobian = require "wrun.nn.init.report.jacobian"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

local generator = wrun.Generator({ seed = 3 })

describe("nn.init.report.jacobian", function()
  it("is 1 for orthogonal weights, however deep", function()
    local layers = {}
    for i = 1, 20 do
      layers[i] = nn.Linear(12, 12)
      init.orthogonal_(layers[i].weight)
    end
    local values = jacobian(nn.Sequential(table.unpack(layers)), wrun.randn(3, 12), generator)
    assert.near(1, values.max, 1e-5)
    assert.near(1, values.min, 1e-5)
    assert.near(1, values.rms, 1e-5)
    assert.is_false(values.is_estimated)
  end)

  it("has the singular values of a matrix, and of slopes times a matrix", function()
    local layer = nn.Linear(5, 7, { bias = false })
    local want = layer.weight:detach():double():svdvals()
    local values = jacobian(layer, wrun.randn(2, 5), generator)
    assert.near(want[1]:item(), values.max, 1e-6)
    assert.near(want[5]:item(), values.min, 1e-6)
    local x = wrun.randn(2, 5)
    local slopes = 1 - x[1]:matmul(layer.weight:t()):tanh():square()
    want = (layer.weight * slopes:unsqueeze(2)):detach():double():svdvals()
    assert.near(want[1]:item(), jacobian(nn.Sequential(layer, nn.Tanh()), x, generator).max, 1e-6)
  end)

  it("estimates those of many outputs", function()
    local layer = nn.Linear(100, 600)
    local want = layer.weight:detach():double():svdvals()
    local values = jacobian(nn.Sequential(layer), wrun.randn(2, 100), generator)
    assert.is_true(values.is_estimated)
    assert.near(want[1]:item(), values.max, 0.03 * want[1]:item())
    assert.near(math.sqrt(want:square():mean():item()), values.rms, 0.03)
    assert.is_nil(values.min)
  end)

  it("is 0 where nothing passes", function()
    local layer = nn.Linear(3, 600)
    init.zeros_(layer.weight)
    assert.equal(0, jacobian(layer, wrun.randn(1, 3), generator).max)
  end)
end)
