--- OneCycleLR: one way up and down over the whole training.

local check = require "wrun.check"
local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"
local MomentumScheduler = require "wrun.optim.lr_scheduler.momentum"
local publish = require "wrun.publish"

local fail = check.fail

--- Makes a scheduler that takes the rates from max_lr / div_factor up to max_lr in the first
--- pct_start of all steps, and then down to max_lr / div_factor / final_div_factor; the momentums
--- go the other way. Step after each step of the optimiser.
--- options  total_steps: or else epochs and steps_per_epoch; three_phase: the way down ends at
---   max_lr / div_factor after as many steps as the way up, and the rest leads on to the end
--- raises  `OneCycleLR: expected option total_steps, or epochs`; `OneCycleLR: step: expected at
---   most N steps`
--- source  [Smith2019] in PyTorch's form
---     local optimizer = optim.SGD({ wrun.zeros(1) })
---     local options = { max_lr = 1, total_steps = 10 }
---     local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, options)
---     for _ = 1, 2 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 1
---@class wrun.optim.lr_scheduler.OneCycleLR: wrun.optim.lr_scheduler.LRScheduler
local OneCycleLR = MomentumScheduler:extend("OneCycleLR")

OneCycleLR.rules = publish.into({
  max_lr = LRScheduler.numbers(),
  total_steps = check.optional(check.integer(nil, 1)),
  epochs = check.optional(check.integer(nil, 1)),
  steps_per_epoch = check.optional(check.integer(nil, 1)),
  pct_start = check.number(0.3, 0, 1),
  anneal_strategy = check.choice("cos", { "cos", "linear" }),
  div_factor = check.positive(25.0),
  final_div_factor = check.positive(1e4),
  three_phase = check.boolean(false),
}, MomentumScheduler.momentum_rules(0.85, 0.95))

local ANNEAL = {
  cos = function(from, to, part)
    return to + (from - to) / 2 * (math.cos(math.pi * part) + 1)
  end,
  linear = function(from, to, part)
    return (to - from) * part + from
  end,
}

function OneCycleLR:prepare()
  if self.total_steps == nil then
    if self.epochs == nil or self.steps_per_epoch == nil then
      fail("%s: expected option total_steps, or epochs and steps_per_epoch", self.__name)
    end
    self.total_steps = self.epochs * self.steps_per_epoch
  end
  self.max_lrs = self:per_group("max_lr")
  self:prepare_momentum()
  self.base_lrs = {}
  for g, group in ipairs(self.optimizer.param_groups) do
    self.base_lrs[g] = self.max_lrs[g] / self.div_factor
    group.initial_lr = self.base_lrs[g]
  end
end

-- The number of the phase a step is in, and how much of it is over.
local function phase_of(self, step)
  local last = self.total_steps - 1
  local peak = self.pct_start * self.total_steps - 1
  local ends = self.three_phase and { peak, 2 * self.pct_start * self.total_steps - 2, last }
    or { peak, last }
  local first = 0
  for i, stop in ipairs(ends) do
    if step <= stop or i == #ends then
      return i, stop == first and 1 or (step - first) / (stop - first)
    end
    first = stop
  end
end

function OneCycleLR:step()
  if self.last_epoch >= self.total_steps then
    fail("%s: step: expected at most %d steps", self.__name, self.total_steps)
  end
  MomentumScheduler.step(self)
end

function OneCycleLR:get_lr()
  local phase, part = phase_of(self, self.last_epoch)
  local anneal, rates = ANNEAL[self.anneal_strategy], {}
  for g, max in ipairs(self.max_lrs) do
    local start = self.base_lrs[g]
    local stops = self.three_phase and { start, max, start } or { start, max }
    stops[#stops + 1] = start / self.final_div_factor
    rates[g] = anneal(stops[phase], stops[phase + 1], part)
  end
  self:set_momentums(function(base, max)
    local stops = { max, base, max, max }
    return anneal(stops[phase], stops[phase + 1], part)
  end)
  return rates
end

return OneCycleLR
