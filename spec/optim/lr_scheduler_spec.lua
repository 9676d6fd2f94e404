--- Schedulers: what they share, what PyTorch has no answer for, and what they refuse.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local optim = wrun.optim
local schedule = optim.lr_scheduler

local function sgd(...)
  local groups = {}
  for i, lr in ipairs({ ... }) do
    groups[i] = { params = wrun.zeros(1), lr = lr }
  end
  return optim.SGD(groups)
end

local function after(scheduler, steps)
  for _ = 1, steps do
    scheduler:step()
  end
  return scheduler:get_last_lr()
end

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
    assert.equal("StepLR: load_state_dict: T_max: unknown", text({ T_max = 3 }))
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

describe("a scheduler's options", function()
  for text, case in pairs({
    ["StepLR: option step_size: expected an integer >= 1, got nil"] = { "StepLR" },
    ["StepLR: option step_size: expected an integer >= 1, got 0"] = { "StepLR", { step_size = 0 } },
    ["MultiStepLR: option milestones: expected a list of integers >= 0, got 5"] =
      { "MultiStepLR", { milestones = 5 } },
    ["MultiStepLR: option milestones: expected a list of integers >= 0, got {1, -2}"] =
      { "MultiStepLR", { milestones = { 1, -2 } } },
    ["ExponentialLR: option gamma: expected a number, got nil"] = { "ExponentialLR" },
    ["ConstantLR: option factor: expected a number from 0 to 1, got 1.5"] =
      { "ConstantLR", { factor = 1.5 } },
    ["LinearLR: option start_factor: expected a number > 0 and <= 1, got 0"] =
      { "LinearLR", { start_factor = 0 } },
    ["LinearLR: option end_factor: expected a number from 0 to 1, got 2"] =
      { "LinearLR", { end_factor = 2 } },
    ["LinearLR: option total_iters: expected an integer >= 1, got 0"] =
      { "LinearLR", { total_iters = 0 } },
    ["PolynomialLR: option total_iters: expected an integer >= 1, got 0"] =
      { "PolynomialLR", { total_iters = 0 } },
    ["CosineAnnealingLR: option T_max: expected an integer >= 1, got nil"] =
      { "CosineAnnealingLR" },
    ["CosineAnnealingWarmRestarts: option T_0: expected an integer >= 1, got 0"] =
      { "CosineAnnealingWarmRestarts", { T_0 = 0 } },
    ["CosineAnnealingWarmRestarts: option T_mult: expected an integer >= 1, got 1.5"] =
      { "CosineAnnealingWarmRestarts", { T_0 = 1, T_mult = 1.5 } },
    ["LambdaLR: option lr_lambda: expected a function or a list of functions, one a group, "
      .. "got nil"] = { "LambdaLR" },
    ["LambdaLR: option lr_lambda: expected 2 values, one a group, got 1"] =
      { "LambdaLR", { lr_lambda = { math.abs } } },
    ["MultiplicativeLR: option lr_lambda: expected a function or a list of functions, one a group, "
      .. "got 0.5"] = { "MultiplicativeLR", { lr_lambda = 0.5 } },
    ["ReduceLROnPlateau: option factor: expected a number >= 0 and < 1, got 1"] =
      { "ReduceLROnPlateau", { factor = 1 } },
    ["ReduceLROnPlateau: option mode: expected min or max, got the string 'mean'"] =
      { "ReduceLROnPlateau", { mode = "mean" } },
    ["ReduceLROnPlateau: option threshold_mode: expected rel or abs, got the string 'x'"] =
      { "ReduceLROnPlateau", { threshold_mode = "x" } },
    ["ReduceLROnPlateau: option min_lr: expected 2 values, one a group, got 3"] =
      { "ReduceLROnPlateau", { min_lr = { 1, 2, 3 } } },
    ["CyclicLR: option max_lr: expected 2 values, one a group, got 1"] =
      { "CyclicLR", { base_lr = 1, max_lr = { 1 } } },
    ["CyclicLR: option base_lr: expected a number or a list of numbers, one a group, got nan"] =
      { "CyclicLR", { base_lr = 0 / 0, max_lr = 1 } },
    ["CyclicLR: option mode: expected triangular, triangular2 or exp_range, got the string 'x'"] =
      { "CyclicLR", { base_lr = 1, max_lr = 1, mode = "x" } },
    ["OneCycleLR: expected option total_steps, or epochs and steps_per_epoch"] =
      { "OneCycleLR", { max_lr = 1, epochs = 5 } },
    ["OneCycleLR: option pct_start: expected a number from 0 to 1, got 1.5"] =
      { "OneCycleLR", { max_lr = 1, total_steps = 5, pct_start = 1.5 } },
    ["OneCycleLR: option anneal_strategy: expected cos or linear, got the string 'exp'"] =
      { "OneCycleLR", { max_lr = 1, total_steps = 5, anneal_strategy = "exp" } },
    ["OneCycleLR: option div_factor: expected a number > 0, got 0"] =
      { "OneCycleLR", { max_lr = 1, total_steps = 5, div_factor = 0 } },
    ["SequentialLR: option schedulers: expected a list of schedulers, got a table"] =
      { "SequentialLR", { schedulers = {}, milestones = {} } },
  }) do
    it("are refused, and the rates stay: " .. text:match("^[^,]*"), function()
      local optimizer = sgd(1, 2)
      assert.equal(text, refusal(schedule[case[1]], optimizer, case[2]))
      assert.same({ 1, 2 }, { optimizer.param_groups[1].lr, optimizer.param_groups[2].lr })
    end)
  end

  it("that move a momentum need one", function()
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

describe("ConstantLR", function()
  it("comes back from nothing", function()
    local scheduler = schedule.ConstantLR(sgd(0.5), { factor = 0, total_iters = 2 })
    assert.same({ 0.0 }, after(scheduler, 1))
    assert.same({ 0.5 }, after(scheduler, 1))
  end)
end)

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
