--- Optimizer, the base of every optimiser: groups of parameters, their options and their state.
--- A subclass gives `rules`, the table of its options, and `change(parameter, grad, state, group)`,
--- or `update(parameters, gradients, states, group)` where a whole group can be changed at once.
--- A group is `{ params = {...}, lr = ... }` and may be changed between steps:
--- `optimizer.param_groups[1].lr = 0.1`. State belongs to a parameter:
--- `optimizer.state[parameter].exp_avg`; what remembers nothing has none.

local check = require "wrun.check"
local Class = require "wrun.class"
local core = require "wrun.core"
local repr = require "wrun.repr"
local wrun = require "wrun"

local fail, is_tensor = check.fail, check.is_tensor

--- The base of optimisers. In what they say, p is a parameter, g its gradient, and t counts steps
--- from 1. One of one's own gives `rules`, the table of its options, made by wrun.check, and `change`.
--- options  lr: the size of a step; weight_decay: g is the gradient plus weight_decay * p;
---   maximize: g begins with minus the gradient; decoupled_weight_decay: weight_decay is no part of
---   g, and p first becomes (1 - lr * weight_decay) p; betas: of the running means m and v; eps:
---   keeps what is divided by above 0; momentum: of the running sum b
---@class wrun.optim.Optimizer: wrun.Class
---@field rules table<string, wrun.check.Rule>
---@field param_groups table[]
---@field state table<wrun.Tensor, table>
---@field defaults table
local Optimizer = Class:extend("Optimizer")
Optimizer.rules = {}

-- Options stand in the groups: assigned to the optimiser they would be without effect.
function Optimizer:__newindex(name, value)
  if self.rules[name] then
    fail("%s: the option %s belongs to a group; write optimizer.param_groups[1].%s = value",
      self.__name, name, name)
  end
  rawset(self, name, value)
end

function Optimizer._remedy(class, name)
  return class.rules[name] and ("the option belongs to a group; write optimizer.param_groups[1].%s")
    :format(name) or Class._remedy(class, name)
end

-- Groups ---------------------------------------------------------------------

-- All parameters of all groups in one list; errors and saved state number them so.
local function all_parameters(self)
  local parameters = {}
  for _, group in ipairs(self.param_groups) do
    table.move(group.params, 1, #group.params, #parameters + 1, parameters)
  end
  return parameters
end

-- Refuses what cannot be optimised, and a parameter that is there already.
local function check_parameters(self, parameters)
  local number_of, number = {}, 0
  for _, parameter in ipairs(all_parameters(self)) do
    number = number + 1
    number_of[parameter] = number
  end
  for _, parameter in ipairs(parameters) do
    number = number + 1
    local problem
    if not is_tensor(parameter) then
      problem = "expected a tensor, got " .. check.describe(parameter)
    elseif not parameter.is_leaf then
      problem = "expected a leaf tensor, got a computed one; detach() makes it a leaf"
    elseif parameter.dtype ~= "float32" and parameter.dtype ~= "float64" then
      problem = "expected a float32 or float64 tensor, got " .. check.describe(parameter)
    elseif not parameter:is_contiguous() then
      problem = "expected a contiguous tensor, got a view across memory; contiguous() copies it"
    elseif number_of[parameter] then
      problem = ("expected each parameter once, got number %d again"):format(number_of[parameter])
    end
    if problem then
      fail("%s: parameter %d: %s", self.__name, number, problem)
    end
    number_of[parameter] = number
  end
end

-- A copy of a table and the tables in it; other values go through `convert(value, key)`.
local function copy(fname, t, convert, depth)
  depth = depth or 1
  check.nesting(fname, depth)
  local result = {}
  for key, value in pairs(t) do
    if type(value) == "table" then
      result[key] = copy(fname, value, convert, depth + 1)
    else
      result[key] = convert and convert(value, key) or value
    end
  end
  return result
end

local function check_options(self, fname, options)
  options = check.options(fname, options, self.rules)
  self:check_together(options)
  return options
end

-- What a group has besides options and parameters: the rate its schedulers started from.
local BESIDES = { initial_lr = check.optional(check.number(nil, 0)) }

-- The entries of a group but for its parameters, checked and fresh.
local function check_group(self, fname, group)
  local options = copy(fname, group)
  options.params, options.initial_lr = nil, nil
  options = check_options(self, fname, options)
  local besides = check.options(fname, { initial_lr = group.initial_lr }, BESIDES)
  options.initial_lr = besides.initial_lr
  return options
end

local PARAMETERS = check.rule(nil, "a tensor or a list of tensors", function(value)
  local list = is_tensor(value) and { value } or type(value) == "table" and check.list(value)
  return list and #list > 0 and list or nil
end)

--- Takes the tensors to change: a list of them, or a list of groups with options of their own.
--- domain  leaf tensors of a float dtype, each once
--- raises  `NAME: parameter N: expected a leaf tensor`
---     local w, b = nn.Parameter(wrun.ones(2)), nn.Parameter(wrun.ones(1))
---     print(optim.SGD({ { params = { w }, lr = 0.1 }, { params = b } }, { lr = 0.01 }))
---@param params wrun.Tensor[]|table[]
function Optimizer:init(params, options)
  self.param_groups = {}
  self.state = {}
  self.defaults = check_options(self, self.__name, options)
  local is_module = type(params) == "table" and type(params.parameters) == "function"
  if type(params) ~= "table" or #params == 0 or is_module then
    local got = type(params) == "table" and not is_module and "an empty list"
      or check.describe(params)
    fail("%s: argument 1: expected parameters, a list of tensors or of groups, got %s%s",
      self.__name, got,
      (is_module or type(params) == "function") and "; write model:parameters()"
      or is_tensor(params) and "; write { tensor }" or "")
  end
  if type(params[1]) ~= "table" then
    params = { { params = params } }
  end
  for _, group in ipairs(params) do
    self:add_param_group(group)
  end
end

--- Refuses options that do not go together, and may complete them; a subclass replaces it.
--- domain  a group's options, each checked by its rule
--- raises  nothing; a subclass's, what it refuses
---@type fun(self: wrun.optim.Optimizer, options: table)
Optimizer.check_together = function() end

--- Adds a group `{ params = ..., OPTION = ... }`; options it does not name come from the
--- optimiser's.
--- domain  as for the constructor; on an error nothing has changed
--- raises  `NAME: parameter N`
---     local w = nn.Parameter(wrun.ones(1))
---     local optimizer = optim.SGD({ w }, { lr = 0.5 })
---     optimizer:add_param_group({ params = { nn.Parameter(wrun.ones(2)) }, lr = 0.1 })
---     print(optimizer)
function Optimizer:add_param_group(group)
  check.argument(self.__name, 1, group, check.table())
  local given = { params = group.params }
  local parameters = check.options(self.__name, given, { params = PARAMETERS }).params
  check_parameters(self, parameters)
  local whole = copy(self.__name, self.defaults)
  for name, value in pairs(group) do
    whole[name] = value
  end
  whole = check_group(self, self.__name, whole)
  whole.params = parameters
  table.insert(self.param_groups, whole)
end

-- Stepping -------------------------------------------------------------------

local ZERO_GRAD_OPTIONS = { set_to_none = check.boolean(true) }

--- Drops the gradients of all parameters; with `set_to_none = false` fills them with zeros instead.
--- domain  option set_to_none, true by default
---     local w = nn.Parameter(wrun.ones(1))
---     local optimizer = optim.SGD({ w }, { lr = 0.5 })
---     w:square():sum():backward()
---     optimizer:zero_grad()
---     print(w.grad)
function Optimizer:zero_grad(options)
  local set_to_none = options == nil
    or check.options("zero_grad", options, ZERO_GRAD_OPTIONS).set_to_none
  local groups = self.param_groups
  for g = 1, #groups do
    if set_to_none then
      core.drop_gradients(groups[g].params)
    else
      for _, parameter in ipairs(groups[g].params) do
        if parameter.grad ~= nil then
          parameter.grad:detach():zero_()
        end
      end
    end
  end
end

local CLOSURE = check.func()

local function update_groups(self)
  local groups = self.param_groups
  for g = 1, #groups do
    local parameters, gradients = core.gradients(groups[g].params)
    self:update(parameters, gradients, self.state, groups[g])
  end
end

--- Changes every parameter that has a gradient and returns what the closure returned.
--- shapes  loss []
--- domain  `closure` computes the loss and its gradients anew; it runs with gradients on
--- raises  what the closure raises
---     local w = nn.Parameter(wrun.ones(1))
---     local optimizer = optim.SGD({ w }, { lr = 0.5 })
---     optimizer:step(function()
---       optimizer:zero_grad()
---       local loss = w:square():sum()
---       loss:backward()
---       return loss
---     end)
---     print(w)
---@param closure (fun(): wrun.Tensor)?
---@return wrun.Tensor? loss what the closure returned
function Optimizer:step(closure)
  local loss
  if closure ~= nil then
    check.argument(self.__name .. ": step", 1, closure, CLOSURE)
    loss = wrun.enable_grad(closure)
  end
  wrun.no_grad(update_groups, self)
  return loss
end

--- Changes the parameters of one group that have a gradient, in place and unrecorded: each by
--- `change`, unless a subclass changes all at once.
--- shapes  each gradient as its parameter
--- domain  both lists, and the gradients, which are contiguous, must stay as they are; states are
---   those of all parameters, by parameter
--- raises  what `change` raises
---@param parameters wrun.Tensor[]
---@param gradients wrun.Tensor[]
---@param states table<wrun.Tensor, table>
function Optimizer:update(parameters, gradients, states, group)
  for i, parameter in ipairs(parameters) do
    local state = states[parameter] or {}
    self:change(parameter, gradients[i], state, group)
    states[parameter] = next(state) and state
  end
end

--- Changes one parameter, in place and unrecorded, and its state, a table that starts empty; every
--- optimiser replaces it.
--- shapes  p and grad the same
--- domain  grad is contiguous and like the parameter; it must stay as it is
---@type fun(self: wrun.optim.Optimizer, p: wrun.Tensor, grad: wrun.Tensor, state: table, group: table)
Optimizer.change = function(self)
  fail("%s: change: not defined; write function %s:change(parameter, grad, state, group)",
    self.__name, self.__name)
end

-- Saving and printing --------------------------------------------------------

--- Returns the options of the groups and the state of the parameters, numbered through the groups.
--- The tensors are the optimiser's own: save or clone them before the next step.
---     local w = nn.Parameter(wrun.ones(1))
---     local optimizer = optim.SGD({ w }, { lr = 0.5 })
---     print(optimizer:state_dict().param_groups[1].lr)
---@return { param_groups: table[], state: table<integer, table> }
function Optimizer:state_dict()
  local saved = repr.record("StateDict", { param_groups = {}, state = {} })
  local fname, number = self.__name .. ": state_dict", 0
  for g, group in ipairs(self.param_groups) do
    local options = copy(fname, group)
    options.params = {}
    for i, parameter in ipairs(group.params) do
      number = number + 1
      options.params[i] = number
      saved.state[number] = self.state[parameter] and copy(fname, self.state[parameter])
    end
    saved.param_groups[g] = options
  end
  return saved
end

-- Is a value of the same kind as our own, a number for a number?
local function is_like(value, own)
  if type(value) ~= "table" or type(own) ~= "table" then
    return type(value) == "number" and type(own) == "number"
  end
  for i = 1, math.max(#value, #own) do
    if not is_like(value[i], own[i]) then
      return false
    end
  end
  return true
end

-- The entries of a saved group but for its parameters. Numbers may be what training made of them,
-- beyond what an optimiser would begin with, and entries that are no options are the user's own;
-- but where an option is missing, the state is another optimiser's.
local function saved_group(self, fname, saved, own)
  for name in pairs(self.defaults) do
    if saved[name] == nil then
      return check_group(self, fname, saved)
    end
  end
  local result, rules, doubtful = copy(fname, saved), {}, {}
  result.params = nil
  local function judge(name, rule, model)
    if not is_like(saved[name], model) then
      rules[name], doubtful[name] = rule, saved[name]
    end
  end
  for name, rule in pairs(self.rules) do
    judge(name, rule, own[name])
  end
  judge("initial_lr", BESIDES.initial_lr, own.lr)
  for name, value in pairs(check.options(fname, doubtful, rules)) do
    result[name] = value
  end
  return result
end

local SAVED = { param_groups = check.table(), state = check.table() }

-- The saved state of one parameter as tensors of our own, shaped and typed like `model`.
local function own_state(fname, number, model, saved)
  if type(saved) ~= "table" then
    fail("%s: parameter %d: expected a table, got %s", fname, number, check.describe(saved))
  end
  return copy(fname, saved, function(value, name)
    if not is_tensor(value) then
      return value
    elseif not check.same_shape(value, model) then
      fail("%s: parameter %d: %s: expected %s, got %s", fname, number, name,
        check.shape_text(model), check.shape_text(value))
    end
    return value:detach():to(model.dtype):clone()
  end)
end

--- Returns a tensor of the shape and type that the tensors in a parameter's state have: the
--- parameter, unless a subclass says otherwise.
--- shapes  any
--- domain  a parameter of the optimiser
---@type fun(self: wrun.optim.Optimizer, parameter: wrun.Tensor): wrun.Tensor
Optimizer.state_model = function(_, parameter)
  return parameter
end

--- Takes over what `state_dict` returned, so that the next step is the one the saved optimiser
--- would have made.
--- domain  the same number of parameters in the same groups; tensors are copied; on an error
---   nothing has changed
--- raises  `NAME: load_state_dict: expected N groups`
---     local w = nn.Parameter(wrun.ones(1))
---     local optimizer = optim.SGD({ w }, { lr = 0.5 })
---     local other = optim.SGD({ w })
---     other:load_state_dict(optimizer:state_dict())
---     print(other.param_groups[1].lr)
---@param saved { param_groups: table[], state: table<integer, table> }
function Optimizer:load_state_dict(saved)
  local fname = self.__name .. ": load_state_dict"
  saved = check.options(fname, saved, SAVED)
  local groups_given = rawlen(saved.param_groups)
  if groups_given ~= #self.param_groups then
    fail("%s: expected %d groups, got %d", fname, #self.param_groups, groups_given)
  end
  local groups, state = {}, {}
  for g, group in ipairs(self.param_groups) do
    local given = saved.param_groups[g]
    local count = type(given) == "table" and type(given.params) == "table" and #given.params
    if count ~= #group.params then
      fail("%s: group %d: expected %d parameters, got %s", fname, g, #group.params, count or "none")
    end
    groups[g] = saved_group(self, fname, given, group)
    groups[g].params = group.params
  end
  for number, parameter in ipairs(all_parameters(self)) do
    if saved.state[number] ~= nil then
      local model = self:state_model(parameter)
      state[parameter] = own_state(fname, number, model, saved.state[number])
    end
  end
  self.param_groups, self.state = groups, state
end

function Optimizer:__tostring()
  local lines = { self.__name .. " (" }
  for g, group in ipairs(self.param_groups) do
    lines[#lines + 1] = ("Parameter Group %d"):format(g)
    local names = {}
    for name in pairs(group) do
      names[#names + 1] = name ~= "params" and name or nil
    end
    table.sort(names)
    for _, name in ipairs(names) do
      lines[#lines + 1] = ("    %s: %s"):format(name, repr.value(group[name]))
    end
  end
  lines[#lines + 1] = ")"
  return table.concat(lines, "\n")
end

return Optimizer
