--- What is measured of each layer.

local measure = require "wrun.nn.init.report.measure"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

describe("nn.init.report.measure", function()
  it("has root mean square, mean and spread in double precision", function()
    local rms, mean, std = measure.spread(wrun.tensor({ 1e30, -1e30, 2e30, 2e30 }))
    assert.near(math.sqrt(2.5), rms / 1e30, 1e-6)
    assert.near(1, mean / 1e30, 1e-6)
    assert.near(math.sqrt(1.5), std / 1e30, 1e-6)
  end)

  it("counts dead units, and saturated inputs of bounded activations", function()
    local x = wrun.tensor({ { -1.0, 2, 10, 0.1 }, { -2, -3, 20, -0.1 } })
    local relu = init.report(nn.Sequential(nn.ReLU()), x).calls[1]
    assert.equal(0.25, relu.dead)
    assert.is_nil(relu.saturated)
    -- 1 - tanh^2 is below 0.01 beyond 2.99
    assert.equal(3 / 8, init.report(nn.Sequential(nn.Tanh()), x).calls[1].saturated)
  end)

  it("has each weight's fans, gain and extreme singular values", function()
    local layer = nn.Linear(2, 3)
    layer.weight:detach():copy_(wrun.tensor({ { 3.0, 0 }, { 0, 4 }, { 0, 0 } }))
    local call = init.report(layer, wrun.randn(5, 2)).calls[1]
    assert.same({ 2, 3, 4, 3 }, { call.fan_in, call.fan_out, call.singular_max, call.singular_min })
    assert.near(math.sqrt(25 / 6) * math.sqrt(2), call.gain, 1e-6)
    assert.is_false(call.is_symmetric)
  end)

  it("has the gradient of each weight", function()
    local model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    local x, y = wrun.randn(6, 3), wrun.randn(6, 2)
    local calls = init.report(model, x, { target = y }).calls
    local cost = nn.MSELoss()(model(x), y)
    for _, i in ipairs { 1, 3 } do
      local gradient = wrun.autograd.grad(cost, model[i].weight, { retain_graph = true })
      assert.near(gradient:square():mean():sqrt():item(), calls[i].weight_gradient_rms, 1e-6)
    end
  end)

  it("has the gradient of each output", function()
    local model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    local x, y = wrun.randn(6, 3), wrun.randn(6, 2)
    local calls = init.report(model, x, { target = y }).calls
    local hidden = model[1](x)
    local cost = nn.MSELoss()(model[3](hidden:tanh()), y)
    local gradient = wrun.autograd.grad(cost, hidden)
    assert.near(gradient:square():mean():sqrt():item(), calls[1].gradient_rms, 1e-6)
  end)

  it("sees a layer that is called twice, twice", function()
    local layer = nn.Linear(4, 4)
    assert.equal(3, #init.report(nn.Sequential(layer, nn.Tanh(), layer), wrun.randn(5, 4)).calls)
  end)
end)
