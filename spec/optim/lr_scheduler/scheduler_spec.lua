--- LRScheduler, the base of schedulers: groups, states, and what users write.

local refusal = require "spec.support.refusal"
local scheduling = require "spec.support.scheduling"
local wrun = require "wrun"

local schedule = wrun.optim.lr_scheduler
local after, sgd = scheduling.after, scheduling.sgd

describe("LRScheduler", function()
  it("remembers the first rate in the group, for schedulers that come later", function()
    local optimizer = sgd(1)
    schedule.ConstantLR(optimizer, { factor = 0.5 })
    assert.equal(0.5, optimizer.param_groups[1].lr)
    assert.equal(1, optimizer.param_groups[1].initial_lr)
    assert.same({ 1 }, schedule.StepLR(optimizer, { step_size = 1 }).base_lrs)
  end)

  it("can be written by a user", function()
    local Halving = schedule.LRScheduler:extend("Halving")
    function Halving:next_lr(lr, base_lr, g)
      self.seen = base_lr + g
      return lr / 2
    end
    local scheduler = Halving(sgd(4, 8))
    assert.same({ 1.0, 2.0 }, after(scheduler, 2))
    assert.equal(10, scheduler.seen)
    local Unfinished = schedule.LRScheduler:extend("Unfinished")
    local unfinished = Unfinished(sgd(1))
    assert.equal("Unfinished: next_lr: not defined; write function "
      .. "Unfinished:next_lr(lr, base_lr, g)", refusal(unfinished.step, unfinished))
  end)

  it("hands out lists of its own", function()
    local scheduler = schedule.ExponentialLR(sgd(1), { gamma = 0.5 })
    scheduler:get_last_lr()[1] = 7
    assert.same({ 1 }, scheduler:get_last_lr())
    local saved = scheduler:state_dict()
    saved.base_lrs[1] = 7
    assert.same({ 1 }, scheduler.base_lrs)
  end)

  it("refuses what is no optimiser, and groups that came after", function()
    assert.equal("StepLR: argument 1: expected an optimizer, got nil",
      refusal(schedule.StepLR, nil, { step_size = 1 }))
    assert.equal("StepLR: argument 1: expected an optimizer, got a table",
      refusal(schedule.StepLR, {}, { step_size = 1 }))
    local optimizer = sgd(1)
    local scheduler = schedule.StepLR(optimizer, { step_size = 1 })
    local plateau = schedule.ReduceLROnPlateau(optimizer)
    optimizer:add_param_group({ params = wrun.zeros(1) })
    assert.equal("StepLR: step: expected 1 groups as at its start, got 2",
      refusal(scheduler.step, scheduler))
    assert.equal("ReduceLROnPlateau: step: expected 1 groups as at its start, got 2",
      refusal(plateau.step, plateau, 1))
    assert.equal(0, scheduler.last_epoch)
    assert.equal(0, plateau.last_epoch)
  end)

  it("refuses states that are not its own, and keeps what it has", function()
    local scheduler = schedule.StepLR(sgd(1), { step_size = 2 })
    local function text(change)
      local saved = scheduler:state_dict()
      for name, value in pairs(change) do
        saved[name] = value
      end
      saved.last_epoch = saved.last_epoch or nil
      return refusal(scheduler.load_state_dict, scheduler, saved)
    end
    assert.equal("StepLR: load_state_dict: T_max: unknown; the fields are _last_lr, base_lrs, "
      .. "gamma, last_epoch, step_size", text({ T_max = 3 }))
    assert.equal("StepLR: load_state_dict: gamma: expected a number, got the string 'x'",
      text({ gamma = "x" }))
    assert.equal("StepLR: load_state_dict: last_epoch: expected a number, got nil",
      text({ last_epoch = false }))
    assert.equal("StepLR: load_state_dict: base_lrs: expected numbers, got true",
      text({ base_lrs = { true } }))
    assert.equal("StepLR: load_state_dict: base_lrs: expected 1 numbers, got 2",
      text({ base_lrs = { 1, 2 } }))
    assert.equal("StepLR: load_state_dict: argument 1: expected a table, got 3",
      refusal(scheduler.load_state_dict, scheduler, 3))
    assert.equal(2, scheduler.step_size)
  end)
end)
