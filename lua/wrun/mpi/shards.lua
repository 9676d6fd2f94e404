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

--- Begins a sum. With a template, a tensor of one dimension as the parts are, a rank needs no part,
--- and less is sent.
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

-- Joins the branches of the tree up to those of `top` shards, each on the rank of its first one.
local function climb(nodes, template, top)
  local width = 1
  while width < top do
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
  return nodes[first_of(world.rank)]
end

-- Where each rank has one branch of the tree, ranks are paired as the branches are: each adds up one
-- half of the sum, its partner the other. What a rank sends is at most twice the sum's size, whatever
-- their number, and the order of an element's terms is the tree's.
local IS_BALANCED = world.size > 1 and M.COUNT % world.size == 0

-- The left and the right half of a tensor, those that this rank of a pair adds up and gives away.
local function halves(tensor, is_left)
  local half = tensor:numel() // 2
  local left, right = tensor:narrow(1, 1, half), tensor:narrow(1, half + 1, tensor:numel() - half)
  return is_left and left or right, is_left and right or left
end

-- Returns the sum of the ranks' parts, which may be missing; those that agree in rank % distance work
-- on the same piece of it.
local function sum_by_halves(part, template, distance)
  if distance == world.size then
    return part
  end
  local other, is_left = world.rank ~ distance, world.rank & distance == 0
  local half = halves(template, is_left)
  local came, own, given = wrun.empty_like(half), nil, ""
  if part then
    own, given = halves(part, is_left)
  end
  if not core.mpi_exchange(given, came, other, world.TOGETHER) then
    came = nil
  end
  local sides = is_left and { own, came } or { came, own }
  join(sides, 1, 2)
  local sum = sum_by_halves(sides[1], half, 2 * distance)
  if sum then
    part = part or wrun.empty_like(template)
    own, came = halves(part, is_left)
    own:copy_(sum)
    core.mpi_exchange(own, came, other, world.TOGETHER)
  end
  return sum and part
end

-- Returns the sum over all shards, on every rank or on one; nil where no shard has a part.
function Sum:finish(owner)
  local template = self.template
  if IS_BALANCED and not owner and template and template:numel() >= world.size then
    local branch = climb(self.nodes, template, M.COUNT // world.size)
    return sum_by_halves(branch, template, 1)
  end
  local total = climb(self.nodes, template, M.COUNT)
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
