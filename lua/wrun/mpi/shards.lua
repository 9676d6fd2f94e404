--- Micro-shards: a batch cut where the number of processes does not matter, and sums over the pieces.
--- Floating-point sums depend on their order, so the order is that of a binary tree over the shards,
--- whatever ranks they lie on: 1 + 2, 3 + 4, ..., then (1 + 2) + (3 + 4), ...

local check = require "wrun.check"
local core = require "wrun.core"
local repr = require "wrun.repr"
local unrecorded = require "wrun.unrecorded"
local world = require "wrun.mpi.world"
local wrun = require "wrun"

local M = {}

--- How many shards a batch has; no more ranks than these have work.
M.COUNT = 16

-- The first shard of a rank, which has those up to the next rank's; rank 0 always has one.
local function first_of(rank)
  return -(-rank * M.COUNT // world.size) + 1
end

-- The rank of each shard.
local owners = {}
for rank = 0, world.size - 1 do
  for shard = first_of(rank), first_of(rank + 1) - 1 do
    owners[shard] = rank
  end
end

---@class wrun.mpi.Shard
---@field index integer from 1, among all shards of the batch
---@field first integer its first sample, from 1, in the batch
---@field count integer of its samples
--- A piece of a batch.

--- Returns the shards of a batch of n samples that this rank works on; of more than 16 ranks some
--- have none, and so of a batch that is smaller than 16. How a batch is cut depends on n alone.
--- domain  n >= 0
--- raises  `shards: argument 1: expected an integer >= 0`
---     for _, shard in ipairs(wrun.mpi.shards(100)) do
---       print(shard.index, shard.first, shard.count)
---     end
---@return wrun.mpi.Shard[]
function M.shards(n)
  n = check.argument("shards", 1, n, check.integer(nil, 0))
  local shards = {}
  for index = first_of(world.rank), first_of(world.rank + 1) - 1 do
    local first, last = (index - 1) * n // M.COUNT + 1, index * n // M.COUNT
    if last >= first then
      shards[#shards + 1] = repr.record("Shard",
        { index = index, first = first, count = last - first + 1 })
    end
  end
  return shards
end

-- A sum over all shards that grows as the parts come.
local Sum = {}
Sum.__index = Sum

--- Begins a sum; a rank that may have no part needs a template, a tensor as the parts are.
function M.sum(template)
  return setmetatable({ nodes = {}, template = template }, Sum)
end

-- Node i becomes its sum with node j.
local function join(nodes, i, j)
  if nodes[i] and nodes[j] then
    nodes[i]:add_(nodes[j])
  end
  nodes[i], nodes[j] = nodes[i] or nodes[j], nil
end

-- Adds the part of a shard of this rank, which may be overwritten; in the order of the shards.
function Sum:add(index, part)
  self.nodes[index] = part
  local width = 1
  while (index - 1) & width ~= 0 and owners[index - width] == world.rank
    and owners[index - 2 * width + 1] == world.rank do
    index = index - width
    join(self.nodes, index, index + width)
    width = width * 2
  end
end

local function send(part, template, rank)
  if template then
    core.mpi_send(part or "", rank, world.TOGETHER)
  else
    world.send("sum_shards", part or false, rank, world.TOGETHER)
  end
end

local function receive(template, rank)
  if not template then
    return world.receive(rank, world.TOGETHER) or nil
  end
  local part = wrun.empty_like(template)
  return core.mpi_receive(part, rank, world.TOGETHER) and part or nil
end

-- Brings the sum to rank 0, which owns the first shard.
local function climb(nodes, template)
  local width = 1
  while width < M.COUNT do
    for i = 1, M.COUNT - width, 2 * width do
      local j = i + width
      local mine, theirs = owners[i], owners[j]
      if mine == theirs then
        if mine == world.rank then
          join(nodes, i, j)
        end
      elseif theirs == world.rank then
        send(nodes[j], template, mine)
        nodes[j] = nil
      elseif mine == world.rank then
        nodes[j] = receive(template, theirs)
        join(nodes, i, j)
      end
    end
    width = 2 * width
  end
  return nodes[1]
end

-- Returns the sum over all shards, on every rank or on one; nil where no shard has a part.
function Sum:finish(owner)
  local total = climb(self.nodes, self.template)
  if world.size == 1 or owner == 0 then
    return total
  elseif owner then
    if world.rank == 0 then
      send(total, self.template, owner)
    end
    return world.rank == owner and receive(self.template, 0) or nil
  end
  return world.hand_out(total, function(part, other)
    send(part, self.template, other)
  end, function(other)
    return receive(self.template, other)
  end)
end

--- Returns the sum over the shards of all ranks, to the same bits whatever their number; with an
--- `owner`, a rank, only there, and nil elsewhere. All ranks call it together.
--- shapes  all parts alike
--- domain  parts: tensor by the index of the shard, as from `shards`; may be overwritten, and be
---   missing: it is nil where all are
--- raises  `sum_shards: argument 1: expected`; `sum_shards: argument 2: expected`
---     local x, parts = wrun.ones(100, 3), {}
---     for _, shard in ipairs(wrun.mpi.shards(100)) do
---       parts[shard.index] = x:narrow(1, shard.first, shard.count):sum(1)
---     end
---     print(wrun.mpi.sum_shards(parts))
---@param parts table<integer, wrun.Tensor>
---@return wrun.Tensor?
function M.sum_shards(parts, owner)
  check.argument("sum_shards", 1, parts, check.table())
  check.argument("sum_shards", 2, owner, check.optional(check.integer(nil, 0, world.size - 1)))
  local sum = M.sum()
  for index = first_of(world.rank), first_of(world.rank + 1) - 1 do
    if parts[index] then
      check.tensor_argument("sum_shards", 1, parts[index])
      sum:add(index, unrecorded.contiguous(parts[index]:detach()))
    end
  end
  return sum:finish(owner)
end

return M
