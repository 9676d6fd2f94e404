--- ConstantLR and LinearLR beside PyTorch's, and the options they refuse.

local scheduling = require "spec.support.scheduling"
local wrun = require "wrun"

local schedule = wrun.optim.lr_scheduler
local after, sgd = scheduling.after, scheduling.sgd

scheduling.follows_pytorch("ConstantLR")
scheduling.follows_pytorch("LinearLR")

scheduling.refuses("ConstantLR", {
  ["option factor: expected a number from 0 to 1, got 1.5"] = { factor = 1.5 },
})

scheduling.refuses("LinearLR", {
  ["option start_factor: expected a number > 0 and <= 1, got 0"] = { start_factor = 0 },
  ["option end_factor: expected a number from 0 to 1, got 2"] = { end_factor = 2 },
  ["option total_iters: expected an integer >= 1, got 0"] = { total_iters = 0 },
})

describe("ConstantLR", function()
  it("comes back from nothing", function()
    local scheduler = schedule.ConstantLR(sgd(0.5), { factor = 0, total_iters = 2 })
    assert.same({ 0.0 }, after(scheduler, 1))
    assert.same({ 0.5 }, after(scheduler, 1))
  end)
end)
