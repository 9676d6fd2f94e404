--- Early stopping: when a value has not become better for a while; the best weights come back.

local check = require "wrun.check"
local method = require "wrun.method"
local repr = require "wrun.repr"

local M = {}

---@class wrun.EarlyStopping
---@field best number? the best value so far
---@field best_step integer? the step that gave it
---@field steps integer
--- Watches a value, made by `wrun.early_stopping`.
local EarlyStopping = method.object("EarlyStopping")
local STOP = "stopping:step(value) says whether it is time to stop"
EarlyStopping._habits = { early_stop = STOP, should_stop = STOP, stop = STOP, stopped = STOP }

local function copy(state)
  local result = {}
  for name, tensor in pairs(state) do
    result[name] = tensor:detach():clone()
  end
  return result
end

local function is_better(self, value)
  if value ~= value or self.best == nil then
    return value == value
  elseif self.mode == "min" then
    return value < self.best - self.min_delta
  end
  return value > self.best + self.min_delta
end

--- Takes the value of a step, an epoch as a rule; returns whether it is time to stop. Where it is
--- the best so far, the model's state is kept.
--- domain  a number; NaN is never the best
--- raises  `step: argument 1: expected a number`
---     local stopping = wrun.early_stopping(nn.Linear(1, 1), { patience = 2 })
---     for _, loss in ipairs { 3, 2, 2.5, 2.4 } do print(stopping:step(loss)) end
---@param value number
---@return boolean
function EarlyStopping:step(value)
  if type(value) ~= "number" then
    check.fail("step: argument 1: expected a number, got %s", check.describe(value))
  end
  self.steps = self.steps + 1
  if is_better(self, value) then
    self.best, self.best_step = value, self.steps
    self._state = copy(self.model:state_dict())
  end
  return self.steps - (self.best_step or 0) >= self.patience
end

--- Brings back the state that the model had at the best step; without one, it stays as it is.
--- domain  as often as one likes
---     local model = nn.Linear(1, 1)
---     local stopping = wrun.early_stopping(model)
---     stopping:step(1)
---     nn.init.zeros_(model.weight)
---     stopping:restore()
---     print(model.weight:ne(0))
function EarlyStopping:restore()
  if self._state then
    self.model:load_state_dict(self._state)
  end
end

--- Returns all that it knows, the best state too.
---     print(wrun.early_stopping(nn.Linear(1, 1)):state_dict().steps)
---@return table
function EarlyStopping:state_dict()
  return repr.record("StateDict", {
    best = self.best, best_step = self.best_step, steps = self.steps,
    model = self._state and copy(self._state),
  })
end

local STATE = {
  best = check.optional(check.number()), best_step = check.optional(check.integer()),
  steps = check.integer(nil, 0), model = check.optional(check.table()),
}

--- Takes over what `state_dict` returned.
--- domain  of the same model
--- raises  `load_state_dict: option NAME: expected`
---     local model = nn.Linear(1, 1)
---     local stopping, later = wrun.early_stopping(model), wrun.early_stopping(model)
---     stopping:step(0.5)
---     later:load_state_dict(stopping:state_dict())
---     print(later)
---@param state table
function EarlyStopping:load_state_dict(state)
  local o = check.options("load_state_dict", state, STATE)
  self.best, self.best_step, self.steps = o.best, o.best_step, o.steps
  self._state = o.model and copy(o.model)
end

-- "EarlyStopping(best 0.25 at step 4 of 9)"
function EarlyStopping:__tostring()
  return self.best and ("EarlyStopping(best %s at step %d of %d)"):format(repr.value(self.best),
    self.best_step, self.steps) or ("EarlyStopping(%d steps)"):format(self.steps)
end

local RULES = {
  patience = check.integer(5, 1),
  min_delta = check.number(0, 0),
  mode = check.choice("min", { "min", "max" }),
}

local MODEL = check.rule(nil, "a model", function(value)
  return type(value) == "table" and check.is_callable(value.state_dict)
    and check.is_callable(value.load_state_dict) and value or nil
end)

--- Returns what watches a value of a model and keeps its best weights: three lines of a loop.
--- domain  options patience, how many steps without a better value end it (5), min_delta, by how
---   much one must be better (0), and mode, "min" or "max". It has a state_dict, so that a run may
---   keep it
--- raises  `early_stopping: argument 1: expected a model`
---     local model, loss = nn.Linear(1, 1), 4
---     local stopping = wrun.early_stopping(model, { patience = 3 })
---     for _ = 1, 100 do
---       loss = math.max(loss - 1, 0) -- here the model learns
---       if stopping:step(loss) then break end
---     end
---     stopping:restore()
---     print(stopping)
---@param model wrun.nn.Module
---@param options { patience: integer, min_delta: number, mode: string }?
---@return wrun.EarlyStopping
function M.early_stopping(model, options)
  check.argument("early_stopping", 1, model, MODEL)
  local o = check.options("early_stopping", options, RULES)
  return setmetatable({
    model = model, patience = o.patience, min_delta = o.min_delta, mode = o.mode, steps = 0,
  }, EarlyStopping)
end

return M
