--- The momentum that CyclicLR and OneCycleLR move against the rate.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local optim = wrun.optim
local schedule = optim.lr_scheduler

describe("a scheduler that moves a momentum", function()
  it("needs an optimiser that has one", function()
    local optimizer = optim.Adagrad({ wrun.zeros(1) })
    local expected = ": option cycle_momentum: expected an optimizer with momentum or betas, got "
      .. "Adagrad; pass false"
    assert.equal("CyclicLR" .. expected,
      refusal(schedule.CyclicLR, optimizer, { base_lr = 1, max_lr = 1 }))
    assert.equal("OneCycleLR" .. expected,
      refusal(schedule.OneCycleLR, optimizer, { max_lr = 1, total_steps = 2 }))
    assert.equal(0.01, optimizer.param_groups[1].lr)
    schedule.CyclicLR(optimizer, { base_lr = 1, max_lr = 2, cycle_momentum = false })
    assert.equal(1, optimizer.param_groups[1].lr)
  end)
end)
