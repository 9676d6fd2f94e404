--- The gradient of a batch, computed by all ranks, each on its shards.
--- Each shard is a batch of its own, forward and backward, whose random draws are its own: what is
--- drawn, and what is added in which order, does not depend on how many ranks there are.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local Class = require "wrun.class"
local Loader = require "wrun.mpi.loader"
local shards = require "wrun.mpi.shards"
local Tasks = require "wrun.mpi.tasks"
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

-- Gradients are added up in buckets, each as soon as it is full, while the walk backward goes on: from
-- the last parameters to the first, as the walk comes to them. Those of a bucket have one owner.
local FULL = 1 << 16 -- elements

-- Where in one block of memory the parts of a shard lie: first the facts, which are the loss and
-- whether each parameter has a gradient at all, then the gradients.
local function plan(self)
  local sizes, dtype, n = { [0] = 1 + #self._parameters }, "float32", 1 + #self._parameters
  for i, parameter in ipairs(self._parameters) do
    sizes[i] = parameter:numel()
    dtype = parameter.dtype == "float64" and "float64" or dtype
    n = n + sizes[i]
  end
  self._template = wrun.empty(n, { dtype = dtype })
  self._places, self._buckets, self._number = {}, {}, {}
  local bucket
  for i = #self._parameters, 0, -1 do
    local parameter = self._parameters[i]
    local owner = parameter and self._zero and self._zero.owners[parameter]
    if not bucket or bucket.count >= FULL or bucket.owner ~= owner then
      bucket = { count = 0, members = 0, owner = owner }
      table.insert(self._buckets, bucket)
    end
    n = n - sizes[i]
    bucket.first, bucket.count = n + 1, bucket.count + sizes[i]
    bucket.members = bucket.members + 1
    self._places[i] = { first = n + 1, count = sizes[i], bucket = bucket }
    if parameter then
      self._number[parameter] = i
    end
  end
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
  world.agree("distribute", "models", layout_of(model:state_dict()))
  model:load_state_dict(world.spread("distribute", model:state_dict()))
  if optimizer then
    optimizer:load_state_dict(world.spread("distribute", optimizer:state_dict()))
  end
  self._zero = o.share_state and zero.new(optimizer, self._parameters) or nil
  plan(self)
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

-- The part of a bucket, or of a parameter, in a block.
local function piece_of(block, place)
  return block:narrow(1, place.first, place.count)
end

-- The loss of a shard, and its gradients, in one block, of whose buckets full(bucket, part) hears as
-- they fill.
local function walk_back(self, shard, weight, f, full)
  local loss = f(table.unpack(shard.values, 1, shard.values.n))
  if not check.is_float_tensor(loss) or loss:numel() ~= 1 then
    fail("backward: argument 2: expected a function that returns a loss, a tensor of one element, "
      .. "got %s", check.describe(loss))
  end
  loss = weight == 1 and loss or loss * weight
  local block, missing, facts = wrun.empty_like(self._template), {}, { loss:item() }
  local function put(i, value)
    local place = self._places[i]
    local piece, bucket = piece_of(block, place), place.bucket
    if value then
      piece:copy_(value:reshape(place.count))
    else
      piece:zero_()
    end
    facts[1 + i] = value and 1 or 0
    missing[bucket] = (missing[bucket] or bucket.members) - 1
    if missing[bucket] == 0 then
      full(bucket, piece_of(block, bucket))
    end
  end
  autograd.backward_to(loss, function(leaf, grad)
    local i = self._number[leaf]
    if i and not leaf.grad then
      put(i, grad)
      return true
    end
  end)
  for i, parameter in ipairs(self._parameters) do
    if not facts[1 + i] then
      put(i, parameter.grad)
    elseif parameter.grad then
      fail("backward: expected each parameter's gradient from one walk backward, got more for "
        .. "parameter %d", i)
    end
    parameter.grad = nil
  end
  put(0, wrun.tensor(facts, { dtype = block.dtype }))
end

-- The sum of a parameter's gradients, or the facts, out of those of the buckets.
local function sum_at(self, sums, i)
  local place = self._places[i]
  local total = sums[place.bucket].total
  return total and total:narrow(1, place.first - place.bucket.first + 1, place.count)
end

-- Gives the parameters their gradients, beside those that they had; returns the loss.
local function give(self, sums, before)
  local facts = sum_at(self, sums, 0)
  if not facts then
    fail("backward: argument 1: expected a batch with samples, got none")
  end
  local has = facts:tolist()
  for i, parameter in ipairs(self._parameters) do
    local sum = has[1 + i] > 0 and sum_at(self, sums, i)
    parameter.grad = before[i]
    if sum then
      local grad = sum:reshape(parameter.shape):to(parameter.dtype)
      parameter.grad = before[i] and before[i] + grad or grad
    end
  end
  return facts[1]:clone()
end

--- Computes the gradients of a batch, the sum over its shards, into the `grad` of the parameters, as
--- `loss:backward()` does in one process, and returns the loss of the batch. It draws one number from
--- the default generator; the draws of each shard start from that and the number of the shard.
--- shapes  -> []
--- domain  batch: of a `mpi.loader`; f(x, y), called with what the loader gives of each shard,
---   returns its loss, the mean over its samples, or the sum where `distribute` was told so. What f
---   draws, it draws from the default generator
--- raises  `backward: argument 1: expected a batch`; `backward: argument 2: expected a function`;
---   `backward: BatchNorm1d keeps running statistics`;
---   `backward: expected each parameter's gradient from one walk backward`
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
  local sums, tasks = {}, Tasks.new()
  for _, bucket in ipairs(self._buckets) do
    sums[bucket] = shards.sum(piece_of(self._template, bucket), bucket.owner)
  end
  for k, shard in ipairs(batch.shards) do
    local _ <close> = wrun.fork_rng()
    wrun.manual_seed(seed + shard.index)
    local weight = self._reduction == "mean" and shard.count / batch.count or 1
    walk_back(self, shard, weight, f, function(bucket, part)
      sums[bucket]:add(shard.index, part)
      if k == #batch.shards then
        sums[bucket]:begin(tasks)
      end
      tasks:poll()
    end)
  end
  for _, bucket in ipairs(#batch.shards == 0 and self._buckets or {}) do
    sums[bucket]:begin(tasks)
  end
  tasks:finish()
  return give(self, sums, before)
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
