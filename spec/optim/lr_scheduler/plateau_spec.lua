--- ReduceLROnPlateau beside PyTorch's, its measures, and the options it refuses.

local refusal = require "spec.support.refusal"
local scheduling = require "spec.support.scheduling"
local wrun = require "wrun"

local schedule = wrun.optim.lr_scheduler
local sgd = scheduling.sgd

scheduling.follows_pytorch("ReduceLROnPlateau")

scheduling.refuses("ReduceLROnPlateau", {
  ["option factor: expected a number >= 0 and < 1, got 1"] = { factor = 1 },
  ["option mode: expected min or max, got the string 'mean'"] = { mode = "mean" },
  ["option threshold_mode: expected rel or abs, got the string 'x'"] = { threshold_mode = "x" },
  ["option min_lr: expected 2 values, one a group, got 3"] = { min_lr = { 1, 2, 3 } },
})

describe("ReduceLROnPlateau", function()
  it("takes numbers and tensors of one element as measures, nothing else", function()
    local scheduler = schedule.ReduceLROnPlateau(sgd(1))
    scheduler:step(3)
    scheduler:step(wrun.tensor({ 2.0 }))
    assert.equal(2.0, scheduler.best)
    local expected = "ReduceLROnPlateau: step: argument 1: expected a number or a tensor of one "
      .. "element, got "
    assert.equal(expected .. "nil", refusal(scheduler.step, scheduler))
    assert.equal(expected .. "a float32 tensor [2]",
      refusal(scheduler.step, scheduler, wrun.zeros(2)))
    assert.equal(2, scheduler.last_epoch)
  end)
end)
