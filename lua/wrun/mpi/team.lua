--- The gradient of a batch, computed by all ranks, each on its shards.
--- Each shard is a batch of its own, forward and backward, whose random draws are its own: what is
--- drawn, and what is added in which order, does not depend on how many ranks there are.

local check = require "wrun.check"
local Class = require "wrun.class"
local Loader = require "wrun.mpi.loader"
local shards = require "wrun.mpi.shards"
local world = require "wrun.mpi.world"
local wrun = require "wrun"
local zero = require "wrun.mpi.zero"

local fail = check.fail

---@class wrun.mpi.Team: wrun.Class
---@field model wrun.nn.Module
--- Ranks that train one model, made by `wrun.mpi.distribute`.
local Team = Class:extend("Team")

-- What must be alike on all ranks before the first gives its state to the others.
local function layout_of(state)
  local lines = {}
  for _, name in ipairs(check.sorted_keys(state)) do
    lines[#lines + 1] = name .. " " .. check.describe(state[name])
  end
  return table.concat(lines, "\n")
end

local OBJECT = check.rule(nil, "a model", function(value)
  return check.has_methods(value, "parameters", "state_dict", "load_state_dict") and value or nil
end)
local OPTIMIZER = check.optional(check.rule(nil, "an optimiser", function(value)
  return check.has_methods(value, "step", "state_dict", "load_state_dict") and value or nil
end))
local OPTIONS = {
  reduction = check.choice("mean", { "mean", "sum" }), share_state = check.boolean(false),
}

-- Where the parts of a shard lie in one tensor: the gradients, the loss, and whether each parameter
-- has a gradient at all.
local function plan(parameters)
  local n, dtype = 0, "float32"
  for _, parameter in ipairs(parameters) do
    n = n + parameter:numel()
    dtype = parameter.dtype == "float64" and "float64" or dtype
  end
  return n, wrun.empty(n + 1 + #parameters, { dtype = dtype })
end

--- Makes the ranks a team: `wrun.mpi.distribute` does, and says more.
--- domain  as wrun.mpi.distribute
--- raises  as wrun.mpi.distribute
---@param model wrun.nn.Module
---@param optimizer wrun.optim.Optimizer?
---@param options table?
function Team:init(model, optimizer, options)
  check.argument("distribute", 1, model, OBJECT)
  check.argument("distribute", 2, optimizer, OPTIMIZER)
  if world.size > shards.COUNT then
    fail("distribute: expected at most %d ranks, as many as the pieces that a batch is cut into, "
      .. "got %d", shards.COUNT, world.size)
  end
  local o = check.options("distribute", options, OPTIONS)
  self._reduction = o.reduction
  self.model, self._parameters, self._tracking = model, {}, {}
  for _, parameter in ipairs(model:parameters()) do
    self._parameters[#self._parameters + 1] = parameter.requires_grad and parameter or nil
  end
  for _, module in ipairs(check.has_methods(model, "modules") and model:modules() or {}) do
    if rawget(module, "track_running_stats") then
      self._tracking[#self._tracking + 1] = module
    end
  end
  self._numel, self._template = plan(self._parameters)
  world.agree("distribute", "models", layout_of(model:state_dict()))
  model:load_state_dict(world.spread("distribute", model:state_dict()))
  if optimizer then
    optimizer:load_state_dict(world.spread("distribute", optimizer:state_dict()))
  end
  self._zero = o.share_state and zero.new(optimizer, self._parameters) or nil
  wrun.set_rng_state(world.spread("distribute", wrun.get_rng_state()))
end

-- Statistics that a layer keeps would be those of the shards that a rank has met.
local function refuse_tracking(self)
  for _, module in ipairs(self._tracking) do
    if module.training then
      fail("backward: %s keeps running statistics of whole batches, and a rank sees pieces of "
        .. "them; use LayerNorm or GroupNorm, the option track_running_stats = false, or %s:eval()",
        module.__name, module.__name)
    end
  end
end

-- The loss of a shard, and the gradients, in one tensor.
local function part_of(self, shard, weight, f)
  local loss = f(table.unpack(shard.values, 1, shard.values.n))
  if not check.is_float_tensor(loss) or loss:numel() ~= 1 then
    fail("backward: argument 2: expected a function that returns a loss, a tensor of one element, "
      .. "got %s", check.describe(loss))
  end
  loss = weight == 1 and loss or loss * weight
  loss:backward()
  local part, first = wrun.empty_like(self._template), 1
  part[self._numel + 1] = loss:item()
  for i, parameter in ipairs(self._parameters) do
    local n, grad = parameter:numel(), parameter.grad
    if grad then
      part:narrow(1, first, n):copy_(grad:reshape(n))
    else
      part:narrow(1, first, n):zero_()
    end
    part[self._numel + 1 + i] = grad and 1 or 0
    first, parameter.grad = first + n, nil
  end
  return part
end

-- Gives the parameters their gradients, beside those that they had.
local function give(self, total, before)
  local first = 1
  local has = total:narrow(1, self._numel + 2, #self._parameters):tolist()
  for i, parameter in ipairs(self._parameters) do
    local n = parameter:numel()
    parameter.grad = before[i]
    if has[i] > 0 and (not self._zero or self._zero:is_own(parameter)) then
      local grad = total:narrow(1, first, n):reshape(parameter.shape):to(parameter.dtype)
      parameter.grad = before[i] and before[i] + grad or grad
    end
    first = first + n
  end
end

--- Computes the gradients of a batch, the sum over its shards, into the `grad` of the parameters, as
--- `loss:backward()` does in one process, and returns the loss of the batch. It draws one number from
--- the default generator; the draws of each shard start from that and the number of the shard.
--- shapes  -> []
--- domain  batch: of a `mpi.loader`; f(x, y), called with what the loader gives of each shard,
---   returns its loss, the mean over its samples, or the sum where `distribute` was told so. What f
---   draws, it draws from the default generator
--- raises  `backward: argument 1: expected a batch`; `backward: argument 2: expected a function`;
---   `backward: BatchNorm1d keeps running statistics`
---     local model = nn.Linear(3, 1)
---     local optimizer = optim.SGD(model:parameters(), { lr = 0.1 })
---     local team = wrun.mpi.distribute(model, optimizer)
---     for batch in wrun.mpi.loader({ x = wrun.rand(8, 3) }, { batch_size = 4 }):batches() do
---       optimizer:zero_grad()
---       print(team:backward(batch, function(x) return model(x):square():mean() end))
---       optimizer:step()
---     end
---@param batch wrun.mpi.Batch
---@param f fun(...): wrun.Tensor
---@return wrun.Tensor
function Team:backward(batch, f)
  check.argument("backward", 1, batch, Loader.BATCH)
  check.argument("backward", 2, f, check.callable())
  refuse_tracking(self)
  local before = {}
  for i, parameter in ipairs(self._parameters) do
    before[i], parameter.grad = parameter.grad, nil
  end
  local seed = wrun.randint(0, 1 << 31, { 1 }, { dtype = "int64" }):item()
  local sum = self._zero and self._zero:sum(self._template) or shards.sum(self._template)
  for _, shard in ipairs(batch.shards) do
    local _ <close> = wrun.fork_rng()
    wrun.manual_seed(seed + shard.index)
    local weight = self._reduction == "mean" and shard.count / batch.count or 1
    sum:add(shard.index, part_of(self, shard, weight, f))
  end
  local total = sum:finish()
  if not total then
    fail("backward: argument 1: expected a batch with samples, got none")
  end
  give(self, total, before)
  return total[self._numel + 1]:clone()
end

--- Calls f(...) with the gradients of all parameters on every rank, and returns its results. With
--- `share_state` a rank has no more than its own otherwise, and clipping by their norm needs all.
--- domain  after `backward`; all ranks together
---     local model = nn.Linear(3, 1)
---     local optimizer = optim.Adam(model:parameters())
---     local team = wrun.mpi.distribute(model, optimizer, { share_state = true })
---     local loader = wrun.mpi.loader({ x = wrun.rand(8, 3) }, { batch_size = 8 })
---     for batch in loader:batches() do
---       team:backward(batch, function(x) return model(x):square():mean() end)
---       print(team:with_gradients(nn.utils.clip_grad_norm_, model:parameters(), 1))
---       optimizer:step()
---     end
---@return any ... what f returned
function Team:with_gradients(f, ...)
  check.argument("with_gradients", 1, f, check.callable())
  if self._zero then
    return self._zero:with_gradients(f, ...)
  end
  return f(...)
end

-- "Team(4 ranks, 12 parameters)"
function Team:__tostring()
  return ("Team(%d ranks, %d parameters)"):format(world.size, #self._parameters)
end

return Team
