--- OneCycleLR beside PyTorch's, its end, and the options it refuses.

local refusal = require "spec.support.refusal"
local scheduling = require "spec.support.scheduling"
local wrun = require "wrun"

local schedule = wrun.optim.lr_scheduler
local after, sgd = scheduling.after, scheduling.sgd

scheduling.follows_pytorch("OneCycleLR")

scheduling.refuses("OneCycleLR", {
  ["expected option total_steps, or epochs and steps_per_epoch"] = { max_lr = 1, epochs = 5 },
  ["option pct_start: expected a number from 0 to 1, got 1.5"] =
    { max_lr = 1, total_steps = 5, pct_start = 1.5 },
  ["option anneal_strategy: expected cos or linear, got the string 'exp'"] =
    { max_lr = 1, total_steps = 5, anneal_strategy = "exp" },
  ["option div_factor: expected a number > 0, got 0"] =
    { max_lr = 1, total_steps = 5, div_factor = 0 },
})

describe("OneCycleLR", function()
  it("refuses more steps than there are", function()
    local scheduler = schedule.OneCycleLR(sgd(1), { max_lr = 1, total_steps = 3 })
    after(scheduler, 3)
    assert.equal("OneCycleLR: step: expected at most 3 steps",
      refusal(scheduler.step, scheduler))
    assert.equal(3, scheduler.last_epoch)
  end)

  it("is at its end one step after a rise that fills it whole", function()
    local scheduler = schedule.OneCycleLR(sgd(1), { max_lr = 0.5, total_steps = 3, pct_start = 1 })
    assert.near(0.5, after(scheduler, 2)[1], 1e-15)
    assert.near(0.5 / 25 / 1e4, after(scheduler, 1)[1], 1e-15)
  end)
end)
