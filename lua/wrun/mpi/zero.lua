--- An optimiser whose state is dealt out over the ranks: ZeRO, stage 1 [Rajbhandari2020]. Each
--- parameter has an owner, which alone gets its gradient, keeps its state and changes it, and then
--- sends it to the others. Nothing else changes, so the bits are those of an optimiser in one piece.

local check = require "wrun.check"
local world = require "wrun.mpi.world"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local Zero = {}
Zero.__index = Zero

-- The owner of each parameter: the largest first, to the rank that has least.
local function deal(parameters)
  local order, held, owners = {}, {}, {}
  for i in ipairs(parameters) do
    order[i] = i
  end
  table.sort(order, function(i, j)
    local a, b = parameters[i]:numel(), parameters[j]:numel()
    return a > b or a == b and i < j
  end)
  for rank = 0, world.size - 1 do
    held[rank] = 0
  end
  for _, i in ipairs(order) do
    local least = 0
    for rank = 1, world.size - 1 do
      least = held[rank] < held[least] and rank or least
    end
    owners[parameters[i]] = least
    held[least] = held[least] + parameters[i]:numel()
  end
  return owners
end

--- Is a parameter this rank's?
function Zero:is_own(parameter)
  return self.owners[parameter] == world.rank
end

-- Keeps the state of this rank's parameters alone.
local function keep_own(self)
  for _, parameter in ipairs(self.parameters) do
    if not self:is_own(parameter) then
      self.optimizer.state[parameter] = nil
    end
  end
end

-- Calls take(parameter, value) with what other ranks' own parameters have as get(parameter).
local function exchange(self, get, take)
  local own = {}
  for i, parameter in ipairs(self.parameters) do
    local value = self:is_own(parameter) and get(parameter)
    own[#own + 1] = value and { i, value } or nil
  end
  for rank, items in ipairs(world.all_gather("step", own)) do
    for _, item in ipairs(rank - 1 ~= world.rank and items or {}) do
      take(self.parameters[item[1]], item[2])
    end
  end
end

-- Brings the parameters from their owners to all.
local function spread(self)
  exchange(self, function(parameter)
    return parameter:detach()
  end, function(parameter, value)
    parameter:copy_(value)
  end)
end

--- Calls f(...) with all gradients on every rank, and returns its results.
function Zero:with_gradients(f, ...)
  exchange(self, function(parameter)
    return parameter.grad and parameter.grad:detach()
  end, function(parameter, grad)
    parameter.grad = grad
  end)
  local results = table.pack(f(...))
  for _, parameter in ipairs(self.parameters) do
    if not self:is_own(parameter) then
      parameter.grad = nil
    end
  end
  return table.unpack(results, 1, results.n)
end

-- The state of all parameters on rank 0, of its own on any other.
local function gather_state(saved)
  local own = {}
  for number, state in pairs(saved.state) do
    own[#own + 1] = { number = number, state = state }
  end
  for _, items in ipairs(world.gather("state_dict", own, 0) or {}) do
    for _, item in ipairs(items) do
      saved.state[item.number] = item.state
    end
  end
  return saved
end

-- Has an optimiser work on this rank's parameters, by methods in place of its class's.
local function take_over(self)
  local optimizer = self.optimizer
  local step, state_dict = optimizer.step, optimizer.state_dict
  local load_state_dict = optimizer.load_state_dict
  function optimizer.step(...)
    local loss = step(...)
    wrun.no_grad(spread, self)
    return loss
  end
  function optimizer.state_dict(...)
    return gather_state(state_dict(...))
  end
  function optimizer.load_state_dict(...)
    load_state_dict(...)
    keep_own(self)
  end
end

--- Deals out the state of an optimiser. `parameters`, of which gradients are added up, are then
--- sorted by their owners.
function M.new(optimizer, parameters)
  if not optimizer then
    fail("distribute: option share_state: expected an optimiser whose state it is")
  elseif rawget(getmetatable(optimizer), "step") then
    fail("distribute: option share_state: %s has a step of its own, which may look at all "
      .. "parameters at once", optimizer.__name)
  end
  local self = setmetatable({
    optimizer = optimizer, parameters = parameters, owners = deal(parameters),
  }, Zero)
  local place = {}
  for i, parameter in ipairs(parameters) do
    place[parameter] = i
  end
  table.sort(parameters, function(a, b)
    local x, y = self.owners[a], self.owners[b]
    return x < y or x == y and place[a] < place[b]
  end)
  keep_own(self)
  take_over(self)
  return self
end

return M
