--- SequentialLR and ChainedScheduler beside PyTorch's, their parts and their states.

local refusal = require "spec.support.refusal"
local scheduling = require "spec.support.scheduling"
local wrun = require "wrun"

local schedule = wrun.optim.lr_scheduler
local after, sgd = scheduling.after, scheduling.sgd

scheduling.follows_pytorch("SequentialLR")
scheduling.follows_pytorch("ChainedScheduler")

scheduling.refuses("SequentialLR", {
  ["option schedulers: expected a list of schedulers, got a table"] =
    { schedulers = {}, milestones = {} },
})

describe("SequentialLR", function()
  it("has chains and sequences for parts", function()
    local optimizer = sgd(1)
    local chain = schedule.ChainedScheduler({
      schedule.ExponentialLR(optimizer, { gamma = 0.5 }),
      schedule.ConstantLR(optimizer, { factor = 0.1, total_iters = 2 }),
    })
    local inner = schedule.SequentialLR(optimizer, {
      schedulers = { chain, schedule.StepLR(optimizer, { step_size = 1, gamma = 0.25 }) },
      milestones = { 3 },
    })
    local outer = schedule.SequentialLR(optimizer, {
      schedulers = { schedule.ExponentialLR(optimizer, { gamma = 0.5 }), inner },
      milestones = { 2 },
    })
    local rates = {}
    for step = 1, 7 do
      rates[step] = after(outer, 1)[1]
    end
    for step, want in ipairs({ 0.5, 0.1, 0.05, 0.25, 1, 0.25, 0.0625 }) do
      assert.near(want, rates[step], 1e-15)
    end
  end)

  it("refuses parts and milestones that do not fit", function()
    local optimizer = sgd(1)
    local part = schedule.StepLR(optimizer, { step_size = 1 })
    local function text(schedulers, milestones)
      return refusal(schedule.SequentialLR, optimizer,
        { schedulers = schedulers, milestones = milestones })
    end
    assert.equal("SequentialLR: scheduler 2: expected a scheduler, got 3", text({ part, 3 }, { 1 }))
    assert.equal("SequentialLR: scheduler 1: ReduceLROnPlateau needs a measure at each step",
      text({ schedule.ReduceLROnPlateau(optimizer), part }, { 1 }))
    assert.equal("SequentialLR: scheduler 2: its optimizer is another one",
      text({ part, schedule.StepLR(sgd(1), { step_size = 1 }) }, { 1 }))
    local expected = "SequentialLR: option milestones: expected 1 growing integers >= 1, got "
    assert.equal(expected .. "{1, 2}", text({ part, part }, { 1, 2 }))
    assert.equal(expected .. "{0}", text({ part, part }, { 0 }))
    assert.equal(expected .. "a table", text({ part, part }, {}))
    assert.equal("SequentialLR: option milestones: expected a table, got nil", text({ part }))
    assert.equal("ChainedScheduler: argument 1: expected a list of schedulers, got a table",
      refusal(schedule.ChainedScheduler, {}))
    assert.equal("ChainedScheduler: scheduler 1: expected a scheduler, got 1",
      refusal(schedule.ChainedScheduler, { 1 }))
  end)

  it("refuses states that do not fit any of its parts, and keeps what it has", function()
    local optimizer = sgd(1)
    local chain = schedule.ChainedScheduler({
      schedule.ExponentialLR(optimizer, { gamma = 0.5 }),
      schedule.StepLR(optimizer, { step_size = 2 }),
    })
    after(chain, 1)
    local saved = chain:state_dict()
    after(chain, 1)
    saved.schedulers[2].gamma = nil
    assert.equal("StepLR: load_state_dict: gamma: expected a number, got nil",
      refusal(chain.load_state_dict, chain, saved))
    assert.same({ 2, 2, 2 }, { chain.last_epoch, chain.schedulers[1].last_epoch,
      chain.schedulers[2].last_epoch })
    saved.schedulers[2] = nil
    assert.equal("ChainedScheduler: load_state_dict: schedulers: expected 2 states, got 1",
      refusal(chain.load_state_dict, chain, saved))
    assert.equal("ChainedScheduler: load_state_dict: schedulers: expected 2 states, got nil",
      refusal(chain.load_state_dict, chain, {}))
  end)
end)
