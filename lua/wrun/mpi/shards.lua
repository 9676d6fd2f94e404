--- Micro-shards: a batch cut where the number of processes does not matter, and sums over the pieces.
--- Floating-point sums depend on their order, so the order is that of a binary tree over the shards,
--- whatever ranks they lie on: 1 + 2, 3 + 4, ..., then (1 + 2) + (3 + 4), ...

local check = require "wrun.check"
local repr = require "wrun.repr"
local save = require "wrun.save"
local Tasks = require "wrun.mpi.tasks"
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

-- Sums -----------------------------------------------------------------------

-- A sum over all shards that grows as the parts come.
local Sum = {}
Sum.__index = Sum

-- Tells messages of one piece of one sum from those of others, on all ranks alike.
local count_of_pieces = 0

local function next_tag()
  local FIRST, COUNT = 16, 32000
  count_of_pieces = count_of_pieces + 1
  return FIRST + count_of_pieces % COUNT
end

-- How many elements a piece has, at the least where there are several, and at the most.
local LEAST, MOST = 1 << 10, 1 << 18

-- Cuts a sum into pieces, each of which is added up on one rank, its goal.
local function cut(template, owner)
  local n, goals = template:numel(), owner and 1 or math.min(world.size, M.COUNT)
  local count, pieces = n < goals * LEAST and 1 or -(-n // (goals * MOST)) * goals, {}
  for i = 1, count do
    local first, last = (i - 1) * n // count + 1, i * n // count
    pieces[i] = {
      first = first, count = last - first + 1, tag = next_tag(),
      goal = owner or owners[(i - 1) % goals * M.COUNT // goals + 1],
    }
  end
  return pieces
end

--- Begins a sum of parts that are tensors of one dimension, as the template is; for all ranks, or for
--- one. All ranks begin the same sums in the same order.
function M.sum(template, owner)
  return setmetatable({
    nodes = {}, template = template, owner = owner, pieces = cut(template, owner),
  }, Sum)
end

-- Node i becomes its sum with node j.
local function join(nodes, i, j)
  if nodes[i] and nodes[j] then
    nodes[i]:add_(nodes[j])
  end
  nodes[i], nodes[j] = nodes[i] or nodes[j], nil
end

-- Node i becomes the sum of all `width` shards from i on, of which any may be missing.
local function fold(nodes, i, width)
  if width > 1 then
    local half = width // 2
    fold(nodes, i, half)
    fold(nodes, i + half, half)
    join(nodes, i, i + half)
  end
end

--- Adds the part of a shard of this rank, which may be overwritten; in the order of the shards.
function Sum:add(index, part)
  self.nodes[index] = part
  local width = 1
  while (index - 1) & width ~= 0 and owners[index - width] == world.rank do
    index, width = index - width, 2 * width
  end
  fold(self.nodes, index, width)
end

-- What this rank does to bring the root of the tree to a goal: the steps, in order, that join node i
-- and node j, one of which, `theirs`, another rank may have: it is sent to this one, or this one's to
-- that. A node of the shards from i on lies where the goal would, were its shard among them.
-- Then the rank of the root, which is the goal if it has shards.
local function way_to(goal)
  local steps, last_left = {}, nil
  local shard, half = math.min(first_of(goal), M.COUNT) - 1, 1
  while half < M.COUNT do
    for i = 1, M.COUNT, 2 * half do
      local j, below = i + half, shard & (half - 1)
      local left, right = owners[i + below], owners[j + below]
      local keeper = shard & half == 0 and left or right
      local step = { i = i, j = j, is_sender = keeper ~= world.rank }
      if left ~= right then
        step.other = left == world.rank and right or left
        step.theirs, step.own = step.other == right and j or i, step.other == right and i or j
      end
      if left == world.rank or right == world.rank then
        steps[#steps + 1] = step
        last_left = step.theirs == i and not step.is_sender and step or last_left
      end
    end
    half = 2 * half
  end
  if last_left then
    last_left.is_last_left = true
  end
  return steps, owners[shard + 1]
end

local ways = {} -- by goal

local function steps_to(goal)
  ways[goal] = ways[goal] or table.pack(way_to(goal))
  return table.unpack(ways[goal], 1, 2)
end

-- Fills a tensor with a piece and returns it, or nil where the other has none.
local function receive(tasks, piece, into, other)
  return tasks:receive(into, other, piece.tag) and into or nil
end

-- Brings the nodes of a piece to its goal, and returns there their sum, nil where no shard has a part.
-- A sum is made in place of its left term: the last of these that comes lies in `into`.
local function climb(tasks, piece, nodes, template, into)
  local steps, last = steps_to(piece.goal)
  for _, step in ipairs(steps) do
    if step.other and step.is_sender then
      tasks:send(nodes[step.own] or "", step.other, piece.tag)
      nodes[step.own] = nil
    else
      if step.other then
        local came = step.is_last_left and into or wrun.empty_like(template)
        nodes[step.theirs] = receive(tasks, piece, came, step.other)
      end
      join(nodes, step.i, step.j)
    end
  end
  if last ~= piece.goal and world.rank == last then
    tasks:send(nodes[1] or "", piece.goal, piece.tag)
    nodes[1] = nil
  elseif last ~= piece.goal and world.rank == piece.goal then
    nodes[1] = receive(tasks, piece, wrun.empty_like(template), last)
  end
  return nodes[1]
end

-- Adds up one piece of a sum, and gives it to all ranks unless the sum has an owner.
local function add_up(self, tasks, piece)
  local template, nodes = self.template:narrow(1, piece.first, piece.count), {}
  local into = self.whole and self.whole:narrow(1, piece.first, piece.count)
  for index, node in pairs(self.nodes) do
    nodes[index] = node == self.whole and into or node:narrow(1, piece.first, piece.count)
  end
  local total = climb(tasks, piece, nodes, template, into)
  if world.rank == piece.goal then
    for other = 0, self.owner and -1 or world.size - 1 do
      if other ~= world.rank then
        tasks:post(total or "", other, piece.tag)
      end
    end
    if total and into and total ~= into then
      into:copy_(total)
    end
  elseif not self.owner then
    total = receive(tasks, piece, into or wrun.empty_like(template), piece.goal)
  end
  self.total = total and (self.whole or total)
end

--- Adds up, in tasks, what has been added. When these are finished it is in `total`, where it is
--- wanted, unless no shard has a part.
function Sum:begin(tasks)
  if #self.pieces > 1 and (not self.owner or self.owner == world.rank) then
    -- rank 0's first node is the left term of every sum, in whose place it is made
    self.whole = world.rank == 0 and self.nodes[1] or wrun.empty_like(self.template)
  end
  for _, piece in ipairs(self.pieces) do
    tasks:start(add_up, self, tasks, piece)
  end
end

--- Returns the sum over all shards, nil where it is not wanted or no shard has a part.
function Sum:finish()
  local tasks = Tasks.new()
  self:begin(tasks)
  tasks:finish()
  return self.total
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
  local own, text = {}, ""
  for index = first_of(world.rank), first_of(world.rank + 1) - 1 do
    if parts[index] then
      check.tensor_argument("sum_shards", 1, parts[index])
      own[#own + 1] = { index, unrecorded.contiguous(parts[index]:detach()) }
      text = save.encode { dtype = parts[index].dtype, shape = parts[index].shape }
    end
  end
  text = world.first_of(text)
  if text == "" then
    return nil
  end
  local like = save.decode("a message", text)
  local sum = M.sum(wrun.empty(like.shape, { dtype = like.dtype }):reshape(-1), owner)
  for _, part in ipairs(own) do
    sum:add(part[1], part[2]:reshape(-1))
  end
  local total = sum:finish()
  return total and total:reshape(like.shape)
end

return M
