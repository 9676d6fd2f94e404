--- ReduceLROnPlateau: lower rates when a measure no longer improves.

local check = require "wrun.check"
local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"

local fail = check.fail

--- Makes a scheduler that multiplies the rates by factor when the measure given to `step` has not
--- improved for more than `patience` steps in a row; then it waits `cooldown` steps.
--- An improvement on the best, in mode "min", is below best * (1 - threshold) or, where
--- threshold_mode is "abs", below best - threshold; in mode "max", above best * (1 + threshold) or
--- best + threshold. NaN is none. Rates stay at least min_lr, and as they are where they would
--- change by eps or less.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, { patience = 1 })
---     for _, loss in ipairs { 3, 2, 2, 2 } do scheduler:step(loss) end
---     print(optimizer.param_groups[1].lr) -- 0.1
---@class wrun.optim.lr_scheduler.ReduceLROnPlateau: wrun.optim.lr_scheduler.LRScheduler
---@field best number the best measure so far
---@field num_bad_epochs integer
---@field cooldown_counter integer
local ReduceLROnPlateau = LRScheduler:extend("ReduceLROnPlateau")
ReduceLROnPlateau.get_lr = LRScheduler.get_last_lr

ReduceLROnPlateau.rules = {
  mode = check.choice("min", { "min", "max" }),
  factor = check.rule(0.1, "a number >= 0 and < 1", function(value)
    return type(value) == "number" and value >= 0 and value < 1 and value or nil
  end),
  patience = check.integer(10, 0),
  threshold = check.number(1e-4),
  threshold_mode = check.choice("rel", { "rel", "abs" }),
  cooldown = check.integer(0, 0),
  min_lr = LRScheduler.numbers(0),
  eps = check.number(1e-8, 0),
}

--- Begins with the rates as they are.
function ReduceLROnPlateau:init(optimizer, options)
  self:attach(optimizer, options)
  self.min_lrs = self:per_group("min_lr")
  self.best = self.mode == "min" and math.huge or -math.huge
  self.num_bad_epochs, self.cooldown_counter, self.last_epoch = 0, 0, 0
  self:_note_rates()
end

local function is_better(self, measure)
  local best, threshold = self.best, self.threshold
  if self.mode == "min" then
    return measure < (self.threshold_mode == "rel" and best * (1 - threshold) or best - threshold)
  end
  return measure > (self.threshold_mode == "rel" and best * (1 + threshold) or best + threshold)
end

local MEASURE = check.rule(nil, "a number or a tensor of one element", function(value)
  if check.is_tensor(value) and value:numel() == 1 then
    value = value:item()
  end
  return type(value) == "number" and value or nil
end)

--- Takes the measure of one more epoch, and lowers the rates if it is time.
--- shapes  measure []
--- domain  a number, or a tensor of one element
--- raises  `ReduceLROnPlateau: step: argument 1: expected a number`; `step: expected N groups`
---@param measure number|wrun.Tensor
function ReduceLROnPlateau:step(measure)
  local groups, fname = self.optimizer.param_groups, self.__name .. ": step"
  measure = check.argument(fname, 1, measure, MEASURE)
  if #groups ~= #self.min_lrs then
    fail("%s: expected %d groups as at its start, got %d", fname, #self.min_lrs, #groups)
  end
  self.last_epoch = self.last_epoch + 1
  if is_better(self, measure) then
    self.best, self.num_bad_epochs = measure, 0
  else
    self.num_bad_epochs = self.num_bad_epochs + 1
  end
  if self.cooldown_counter > 0 then
    self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
  end
  local is_time = self.num_bad_epochs > self.patience
  if is_time then
    self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
  end
  for g, group in ipairs(groups) do
    local lower = math.max(group.lr * self.factor, self.min_lrs[g])
    if is_time and group.lr - lower > self.eps then
      group.lr = lower
    end
  end
  self:_note_rates()
end

return ReduceLROnPlateau
