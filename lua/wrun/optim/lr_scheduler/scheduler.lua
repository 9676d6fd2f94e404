--- LRScheduler, the base of every scheduler: it sets the learning rates of an optimiser's groups.
--- A subclass gives `rules`, the table of its options, and `next_lr(lr, base_lr, g)`, the rate of
--- group g at step `self.last_epoch` from the rate it has and the one it began with. Most follow
--- from the rate there is, so that schedulers of one optimiser can be combined and rates be changed
--- by hand.

local check = require "wrun.check"
local Class = require "wrun.class"
local Optimizer = require "wrun.optim.optimizer"
local repr = require "wrun.repr"

local fail = check.fail

local OPTIMIZER = check.rule(nil, "an optimizer", function(value)
  return Optimizer:is_instance(value) and value or nil
end)

--- Makes a scheduler of the optimiser's learning rates; it sets those of step 0 at once.
--- Call `step` once after each epoch, or after each step of the optimiser, as the scheduler counts.
--- To resume, make the optimiser and the scheduler as before and then load both states.
--- options  gamma: the factor; total_iters: the last step that changes the rates; eta_min: the
---   least rate; cycle_momentum: whether momentum, or the first of betas, changes too
---     local Halving = optim.lr_scheduler.LRScheduler:extend("Halving")
---     function Halving:next_lr(lr) return lr / 2 end
---     local scheduler = Halving(optim.SGD({ wrun.zeros(1) }, { lr = 0.5 }))
---     scheduler:step()
---     print(scheduler:get_last_lr()[1]) -- 0.25
---@class wrun.optim.lr_scheduler.LRScheduler: wrun.Class
---@field rules table<string, wrun.check.Rule>
---@field optimizer wrun.optim.Optimizer
---@field last_epoch integer how many steps were made
---@field base_lrs number[] the rates the groups began with
local LRScheduler = Class:extend("LRScheduler")
LRScheduler.rules = {}

--- Begins with step 0.
--- domain  an optimiser; the options of the class
function LRScheduler:init(optimizer, options)
  self:attach(optimizer, options)
  self:prepare()
  self.base_lrs = self.base_lrs or {}
  for g, group in ipairs(optimizer.param_groups) do
    group.initial_lr = group.initial_lr or group.lr
    self.base_lrs[g] = self.base_lrs[g] or group.initial_lr
  end
  self:start()
end

--- Takes the optimiser and the options, which become fields.
--- domain  as for the class
--- raises  as the class
function LRScheduler:attach(optimizer, options)
  self.optimizer = check.argument(self.__name, 1, optimizer, OPTIMIZER)
  for name, value in pairs(check.options(self.__name, options, self.rules)) do
    self[name] = value
  end
end

--- Completes the fields from the options, before the first rates are set; a subclass replaces it.
--- raises  nothing; a subclass's, what does not go together
LRScheduler.prepare = function() end

-- Remembers the rates that are, for get_last_lr.
function LRScheduler:_note_rates()
  self._last_lr = {}
  for g, group in ipairs(self.optimizer.param_groups) do
    self._last_lr[g] = group.lr
  end
end

local function set_rates(self, rates)
  for g, group in ipairs(self.optimizer.param_groups) do
    group.lr = rates[g]
  end
  self:_note_rates()
end

--- Returns the rates of the groups at step `last_epoch`: `first_lr` at step 0, later `next_lr`.
--- raises  what these raise
---@return number[]
function LRScheduler:get_lr()
  local rate, rates = self.last_epoch == 0 and self.first_lr or self.next_lr, {}
  for g, group in ipairs(self.optimizer.param_groups) do
    rates[g] = rate(self, group.lr, self.base_lrs[g], g)
  end
  return rates
end

--- Returns the rate of group g at step 0: the one it has, unless a subclass says otherwise.
--- domain  lr, the rate the group has; base_lr, the one it began with
---@type fun(lr: number, base_lr: number, g: integer): number
LRScheduler.first_lr = function(_, lr)
  return lr
end

--- Returns the rate of group g at step `last_epoch`; every scheduler replaces it.
--- domain  lr, the rate the group has; base_lr, the one it began with
---@type fun(lr: number, base_lr: number, g: integer): number
LRScheduler.next_lr = function(self)
  fail("%s: next_lr: not defined; write function %s:next_lr(lr, base_lr, g)", self.__name,
    self.__name)
end

--- Sets the rates of step 0, from those that are.
function LRScheduler:start()
  self.last_epoch = 0
  set_rates(self, self:get_lr())
end

--- Sets the rates of step 0, from those of the beginning.
function LRScheduler:restart()
  set_rates(self, self.base_lrs)
  self:start()
end

--- Goes one step on and sets the rates.
function LRScheduler:step()
  local count, first = #self.optimizer.param_groups, #(self.base_lrs or self._last_lr)
  if count ~= first then
    fail("%s: step: expected %d groups as at its start, got %d", self.__name, first, count)
  end
  self.last_epoch = self.last_epoch + 1
  set_rates(self, self:get_lr())
end

--- Returns the rates that were set last, one for each group.
---@return number[]
function LRScheduler:get_last_lr()
  return table.move(self._last_lr, 1, #self._last_lr, 1, {})
end

-- Fields that hold functions or objects; who resumes brings them along.
local UNSAVED = { optimizer = true, lr_lambdas = true, scale_fn = true, schedulers = true }

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  return table.move(value, 1, #value, 1, {})
end

--- Returns all that the scheduler knows but for the optimiser and functions.
---@return table<string, number|string|boolean|number[]>
function LRScheduler:state_dict()
  local saved = {}
  for name, value in pairs(self) do
    if not UNSAVED[name] then
      saved[name] = copy(value)
    end
  end
  return repr.record("StateDict", saved)
end

-- What is wrong with a saved value in the place of `own`; nil if nothing.
local function problem_of(own, value)
  if type(own) ~= type(value) then
    return ("expected a %s, got %s"):format(type(own), check.describe(value))
  elseif type(own) == "table" then
    for _, number in ipairs(check.list(value)) do
      if type(number) ~= "number" then
        return "expected numbers, got " .. check.describe(number)
      end
    end
  end
end

local PER_GROUP = { "base_lrs", "_last_lr" }

--- Takes over what `state_dict` returned; the rates themselves are the optimiser's to load.
--- domain  a state of the same class and as many groups; on an error nothing has changed
--- raises  `NAME: load_state_dict: FIELD: unknown`; `FIELD: expected a number`
function LRScheduler:load_state_dict(saved)
  local fname, own = self.__name .. ": load_state_dict", LRScheduler.state_dict(self)
  check.argument(fname, 1, saved, check.table())
  for name in pairs(saved) do
    if own[name] == nil and not UNSAVED[name] then
      fail("%s: %s: unknown; the fields are %s", fname, check.escape(tostring(name)),
        table.concat(check.sorted_keys(own), ", "))
    end
  end
  for name, value in pairs(own) do
    local problem = problem_of(value, saved[name])
    if problem then
      fail("%s: %s: %s", fname, name, problem)
    end
  end
  for _, name in ipairs(PER_GROUP) do
    if own[name] ~= nil and #saved[name] ~= #own[name] then
      fail("%s: %s: expected %d numbers, got %d", fname, name, #own[name], #saved[name])
    end
  end
  for name in pairs(own) do
    self[name] = copy(saved[name])
  end
end

local function of_kind(kind, expected)
  return function(default)
    return check.rule(default, expected, function(value)
      for _, one in ipairs(type(value) == "table" and check.list(value) or { value }) do
        if type(one) ~= kind or one ~= one then
          return nil
        end
      end
      local list = type(value) == "table" and check.list(value)
      return (not list or #list > 0) and (list or value) or nil
    end)
  end
end

--- Returns a rule for a number, or a list of one for each group; the default is a number.
--- domain  a number; nil makes the option required
---@type fun(default: number?): wrun.check.Rule
LRScheduler.numbers = of_kind("number", "a number or a list of numbers, one a group")

--- Returns a rule for a function, or a list of one for each group.
---@type fun(): wrun.check.Rule
LRScheduler.functions = of_kind("function", "a function or a list of functions, one a group")

--- Returns the option `name` as a list of one value for each group, and takes its field away.
--- domain  an option that obeys `numbers` or `functions`
---@return any[]
function LRScheduler:per_group(name)
  local count, value = #self.optimizer.param_groups, self[name]
  if type(value) == "table" and #value ~= count then
    fail("%s: option %s: expected %d values, one a group, got %d", self.__name, name, count, #value)
  end
  self[name] = nil
  local values = {}
  for g = 1, count do
    values[g] = type(value) == "table" and value[g] or value
  end
  return values
end

return LRScheduler
