--- Schedulers made of schedulers: one after the other, or all at once.

local check = require "wrun.check"
local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"
local ReduceLROnPlateau = require "wrun.optim.lr_scheduler.plateau"

local fail = check.fail

-- What both share: parts, whose states are saved with their own.
local Combined = LRScheduler:extend("Combined")
Combined.get_lr = LRScheduler.get_last_lr -- the parts', which have set them

-- Refuses what cannot be a part; returns the parts' optimiser.
local function check_parts(fname, parts, optimizer)
  for i, part in ipairs(parts) do
    if not LRScheduler:is_instance(part) then
      fail("%s: scheduler %d: expected a scheduler, got %s", fname, i, check.describe(part))
    elseif ReduceLROnPlateau:is_instance(part) then
      fail("%s: scheduler %d: ReduceLROnPlateau needs a measure at each step", fname, i)
    elseif part.optimizer ~= (optimizer or parts[1].optimizer) then
      fail("%s: scheduler %d: its optimizer is another one", fname, i)
    end
  end
  return parts[1].optimizer
end

local SCHEDULERS = check.rule(nil, "a list of schedulers", function(value)
  local list = type(value) == "table" and check.list(value) or {}
  return #list > 0 and list or nil
end)

-- Sets the rates from which the first of all schedulers started.
local function reset_rates(optimizer)
  for _, group in ipairs(optimizer.param_groups) do
    group.lr = group.initial_lr
  end
end

function Combined:state_dict()
  local saved = LRScheduler.state_dict(self)
  saved.schedulers = {}
  for i, part in ipairs(self.schedulers) do
    saved.schedulers[i] = part:state_dict()
  end
  return saved
end

function Combined:load_state_dict(saved)
  local states = type(saved) == "table" and saved.schedulers
  if type(states) ~= "table" or #states ~= #self.schedulers then
    fail("%s: load_state_dict: schedulers: expected %d states, got %s", self.__name,
      #self.schedulers, type(states) == "table" and #states or check.describe(states or nil))
  end
  local before = self:state_dict()
  local ok, message = pcall(function()
    LRScheduler.load_state_dict(self, saved)
    for i, part in ipairs(self.schedulers) do
      part:load_state_dict(states[i])
    end
  end)
  if not ok then
    LRScheduler.load_state_dict(self, before)
    for i, part in ipairs(self.schedulers) do
      part:load_state_dict(before.schedulers[i])
    end
    fail("%s", (tostring(message):gsub("^[^\n]-:%d+: ", "")))
  end
end

--- Makes a scheduler that hands over from one scheduler to the next at each milestone; each begins
--- with its step 0 from the first rates.
--- options  milestones: growing steps, one fewer than schedulers
--- raises  `SequentialLR: option milestones: expected N growing integers >= 1`; `SequentialLR:
---   scheduler N`
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local schedule = optim.lr_scheduler
---     local schedulers = {
---       schedule.ConstantLR(optimizer, { factor = 0.1, total_iters = 2 }),
---       schedule.ExponentialLR(optimizer, { gamma = 0.5 }),
---     }
---     local options = { schedulers = schedulers, milestones = { 2 } }
---     local scheduler = schedule.SequentialLR(optimizer, options)
---     for _ = 1, 3 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 0.5
---@class wrun.optim.lr_scheduler.SequentialLR: wrun.optim.lr_scheduler.LRScheduler
local SequentialLR = Combined:extend("SequentialLR")

SequentialLR.rules = { schedulers = SCHEDULERS, milestones = check.table() }

local function check_milestones(self)
  local last, wanted = 0, #self.schedulers - 1
  for i = 1, math.max(wanted, #self.milestones) do
    local milestone = self.milestones[i]
    if i > wanted or math.type(milestone) ~= "integer" or milestone <= last then
      fail("%s: option milestones: expected %d growing integers >= 1, got %s", self.__name, wanted,
        check.describe(self.milestones))
    end
    last = milestone
  end
end

--- Begins with step 0 of the first scheduler.
function SequentialLR:init(optimizer, options)
  self:attach(optimizer, options)
  check_parts(self.__name, self.schedulers, optimizer)
  self.milestones = check.list(self.milestones)
  check_milestones(self)
  self:start()
end

function SequentialLR:start()
  reset_rates(self.optimizer)
  self.last_epoch = 0
  self.schedulers[1]:start()
  self:_note_rates()
end

SequentialLR.restart = SequentialLR.start

function SequentialLR:step()
  local step, current = self.last_epoch + 1, 1
  while (self.milestones[current] or math.huge) <= step do
    current = current + 1
  end
  if self.milestones[current - 1] == step then
    self.schedulers[current]:restart()
  else
    self.schedulers[current]:step()
  end
  self.last_epoch = step
  self:_note_rates()
end

--- Makes a scheduler that lets several work on the same rates, each from what the one before left.
--- raises  `ChainedScheduler: argument 1: expected a list of schedulers`; `ChainedScheduler:
---   scheduler N`
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local schedule = optim.lr_scheduler
---     local scheduler = schedule.ChainedScheduler {
---       schedule.ConstantLR(optimizer, { factor = 0.1, total_iters = 2 }),
---       schedule.ExponentialLR(optimizer, { gamma = 0.5 }),
---     }
---     scheduler:step()
---     print(optimizer.param_groups[1].lr) -- 0.05
---@class wrun.optim.lr_scheduler.ChainedScheduler: wrun.optim.lr_scheduler.LRScheduler
local ChainedScheduler = Combined:extend("ChainedScheduler")

--- Begins with the rates as the schedulers have left them.
--- domain  schedulers of one optimiser
---@param schedulers wrun.optim.lr_scheduler.LRScheduler[]
function ChainedScheduler:init(schedulers)
  schedulers = check.argument(self.__name, 1, schedulers, SCHEDULERS)
  self.optimizer = check_parts(self.__name, schedulers)
  self.schedulers = schedulers
  self.last_epoch = 0
  self:_note_rates()
end

function ChainedScheduler:start()
  self.last_epoch = 0
  for _, part in ipairs(self.schedulers) do
    part:start()
  end
  self:_note_rates()
end

function ChainedScheduler:restart()
  reset_rates(self.optimizer)
  self:start()
end

function ChainedScheduler:step()
  for _, part in ipairs(self.schedulers) do
    part:step()
  end
  self.last_epoch = self.last_epoch + 1
  self:_note_rates()
end

return { ChainedScheduler = ChainedScheduler, SequentialLR = SequentialLR }
