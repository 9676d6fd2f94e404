--- The parts of one's own at work, and what they say to wrong options.

local parts = require "spec.examples.parts"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

require "wrun.testing"

local data, nn = wrun.data, wrun.nn

describe("parts of one's own", function()
  it("train together", function()
    wrun.manual_seed(1)
    local x = wrun.randn(60, 3)
    local loader = data.loader({ x = x, y = x * 2 }, {
      sampler = parts.Odd.of(60), batch_size = 10, transform = parts.centred,
      target_transform = parts.centred,
    })
    local model = parts.Scale(3, { bias = true })
    local optimizer = parts.SignDescent(model:parameters(), { lr = 0.2, momentum = 0.5 })
    local scheduler = parts.Halving(optimizer, { every = 3 })
    local criterion = parts.Quartic()
    for _ = 1, 20 do
      for batch, target in loader:batches() do
        optimizer:zero_grad()
        local loss = criterion(model(batch), target)
        loss:backward()
        optimizer:step()
      end
      scheduler:step()
    end
    assert.tensor_near({ 2, 2, 2 }, model.by, { atol = 0.05 })
    assert.equal(0.2 / 2 ^ 6, scheduler:get_last_lr()[1])
  end)

  it("have gradients, print, and are saved as the library's are", function()
    local model = nn.Sequential(parts.Scale(2, { start = 3 }), nn.Tanh())
    assert.gradients(model, wrun.randn(4, 2))
    assert.equal("Sequential(\n  (1): Scale()\n  (2): Tanh()\n)", tostring(model))
    assert.same_bits(wrun.full({ 2 }, 3.0), model:state_dict()["1.by"])
    local x = wrun.tensor({ -1.0, 2.0 }, { requires_grad = true })
    local y = parts.straight_relu(x)
    assert.same_bits(wrun.tensor { 0.0, 2.0 }, y)
    y:sum():backward()
    assert.same_bits(wrun.tensor { 1.0, 1.0 }, x.grad)
  end)

  it("make a machine of units that are -1 or 1", function()
    local rows = wrun.tensor { { 1.0, -1, 1 }, { -1.0, 1, -1 } }
    local machine = wrun.rbm.new { visible = 3, hidden = 2, seed = 1, visible_units = parts.spin }
    machine:fit(rows, { method = "exact", lr = 0.2, epochs = 300, batch_size = 2 })
    local log_likelihood = machine:log_likelihood(rows, machine:log_z()):mean():item()
    assert.is_true(log_likelihood > math.log(0.4)) -- log(1 / 2) at most, log(1 / 8) by chance
  end)

  it("refuse options as the library's do", function()
    assert.equal("Scale: option strat: unknown; the options are bias, start",
      refusal(parts.Scale, 3, { strat = 1 }))
    assert.equal("Scale: argument 1: expected an integer >= 1, got 0", refusal(parts.Scale, 0))
    assert.equal("SignDescent: option momentum: expected a number from 0 to 1, got 2",
      refusal(parts.SignDescent, parts.Scale(1):parameters(), { momentum = 2 }))
  end)
end)
