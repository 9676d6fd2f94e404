--- Hinton's checklist in numbers, against the machine's own.

local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

describe("statistics", function()
  it("describe units and weights", function()
    local data = tiny.bars_and_stripes(4)
    local r = wrun.rbm.new { visible = 16, hidden = 8, seed = 5 }
    r:fit(data, { epochs = 2, batch_size = 32, lr = { 0.1, 0.05 } })
    local s = r:statistics(data)
    assert.same({ 8 }, s.activity.shape)
    assert.same({ 32, 8 }, s.map.shape)
    assert.near(r.weight:mean():item(), s.weight.mean, 1e-6)
    assert.near(r.weight:double():std():item(), s.weight.std, 0.01 * s.weight.std)
    assert.equal(16 * 8, s.weight.histogram:sum():item())
    local upper = r.weight:ge((s.weight.low + s.weight.high) / 2):sum():item()
    assert.equal(upper, s.weight.histogram:narrow(1, 11, 10):sum():item())
    assert.equal(0, s.dead + s.always_on)
  end)
end)
