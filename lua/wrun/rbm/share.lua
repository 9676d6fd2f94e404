--- A machine's work, shared out over processes. A batch, its chains, and the runs of annealed
--- importance sampling are cut into shards, in a way that their number alone decides. A shard has
--- products of its own, draws from a generator of its own, whose key is of the step and of the
--- shard, and the sums of all shards are added in one fixed tree. So no bit depends on how many
--- processes there are.

local check = require "wrun.check"
local core = require "wrun.core"
local gradient = require "wrun.rbm.gradient"
local input = require "wrun.rbm.input"
local negative = require "wrun.rbm.negative"
local wrun = require "wrun"

local M = {}

local MOST_SHARDS = 1024

-- A machine with the same parameters and a generator of its own.
local function twin_of(model)
  local twin = {}
  for name, value in pairs(model) do
    twin[name] = value
  end
  twin.generator = wrun.Generator { engine = "philox" }
  return setmetatable(twin, getmetatable(model))
end

-- The key of what is drawn next, the same in all processes; those up to MOST_SHARDS above it are
-- free for its shards.
local function next_key(model)
  local key = wrun.randint(0, 2 ^ 53, { 1 }, { dtype = "int64", generator = model.generator })
  return key:item() * MOST_SHARDS
end

-- The rows of all processes, of which this one has `parts`; `none` is no rows.
local function gather(model, parts, none)
  local own = #parts > 0 and wrun.cat(parts, 1) or none
  return wrun.cat(model.mpi.all_gather(own), 1)
end

--- What walk(twin, shard, tick) returns for each of `count` rows, numbers of float64. A walk calls
--- tick(step, steps) as it goes, of which progress(done, all) hears, all walks of a process as one.
function M.rows(model, count, walk, progress)
  local key, parts = next_key(model), {}
  local shards = model.mpi.shards(count)
  for i, shard in ipairs(shards) do
    local twin = twin_of(model)
    twin.generator:manual_seed(key + shard.index)
    parts[i] = walk(twin, shard, progress and function(step, steps)
      progress((i - 1) * steps + step, #shards * steps)
    end)
  end
  return gather(model, parts, wrun.empty(0, { dtype = "float64" }))
end

-- The steps of a trainer -----------------------------------------------------

local Share = {}
Share.__index = Share

-- What the bits follow from, in a word.
local function digest_of(trainer)
  local o, words = trainer.options, { tostring(trainer.model) }
  for _, name in ipairs(check.sorted_keys(o)) do
    local kind = type(o[name])
    if kind == "number" or kind == "string" then
      words[#words + 1] = ("%s %s"):format(name, o[name])
    end
  end
  return core.digest { table.concat(words, " "), trainer.data:contiguous() }
end

--- What a trainer of a distributed machine takes the sums of its steps from.
function M.new(trainer)
  local world = require "wrun.mpi.world" -- which joins the ranks: here the machine has done so
  world.agree("fit", "data or options", digest_of(trainer))
  return setmetatable({
    whole = trainer, shards = {}, sum = require("wrun.mpi.shards").sum,
  }, Share)
end

--- The same, for a trainer that has come to another state.
function Share:anew()
  return setmetatable({ whole = self.whole, shards = {}, sum = self.sum }, Share)
end

local NO_ROWS = { first = 1, count = 0 }

-- The shard of this index, kept from step to step as what `negative` takes for a trainer.
local function shard_of(self, index, chains)
  local shard = self.shards[index]
  if not shard then
    shard = {
      index = index, batch = NO_ROWS, chains = chains, whole = self.whole, memory = {},
      model = twin_of(self.whole.model),
      options = setmetatable({ chains = chains.count }, { __index = self.whole.options }),
    }
    self.shards[index] = shard
  end
  return shard
end

-- How many rows of the model's side are shared out beside the batch: chains of their own, or what is
-- enumerated, in one piece.
local function model_rows(o)
  return o.method == "cd" and 0 or o.method == "exact" and 1 or o.chains
end

-- The shards of this process, in order, for a batch of this size.
local function shards_of(self, batch)
  local mpi, list, o = self.whole.model.mpi, {}, self.whole.options
  local chains, rows, last = {}, {}, 0
  for _, shard in ipairs(mpi.shards(model_rows(o))) do
    chains[shard.index], last = shard, math.max(last, shard.index)
  end
  for _, shard in ipairs(mpi.shards(batch)) do
    rows[shard.index], last = shard, math.max(last, shard.index)
  end
  for index = 1, last do
    if rows[index] or chains[index] then
      local shard = shard_of(self, index, chains[index] or NO_ROWS)
      shard.batch = rows[index] or NO_ROWS
      list[#list + 1] = shard
    end
  end
  return list
end

-- The rows of a tensor that are a shard's, which are copied when they change.
local function rows_of(tensor, range)
  return tensor:narrow(1, range.first, range.count)
end

-- The ladder of a shard's chains, out of the whole one, whose counts the first shard goes on with.
local function take_ladder(shard, whole)
  local levels, range = whole.levels, shard.chains
  local states = whole.states:reshape(levels, whole.count, -1):narrow(2, range.first, range.count)
  local ladder = negative.ladder(shard, states:reshape(levels * range.count, -1))
  if shard.index == 1 then
    ladder.tried, ladder.swapped = { table.unpack(whole.tried) }, { table.unpack(whole.swapped) }
  end
  ladder.steps = whole.steps
  return ladder
end

-- p0, v, p, row_weight of a shard, whose chains go on.
local function walk(shard, v0, method)
  local whole, hidden = shard.whole, shard.whole.memory.hidden
  if method ~= "cd" and shard.chains.count == 0 then
    return shard.model:hidden(v0)
  end
  if hidden and not shard.memory.hidden then
    shard.memory.hidden = rows_of(hidden, shard.chains)
  end
  if whole.ladder and not shard.ladder then
    shard.ladder = take_ladder(shard, whole.ladder)
  end
  return negative[method](shard, v0)
end

local SUMS = { "visible", "hidden", "visible_bias", "hidden_bias", "weight" }

-- How many numbers a step adds up.
local function size_of(model)
  return (model.options.hidden + 2) * (model.options.visible + 2) - 4
end

-- Views of one block of memory, for all that a step adds up.
local function views(block, model)
  local o, parts, first = model.options, {}, 1
  local sizes = { o.visible, o.hidden, o.visible, o.hidden, o.hidden * o.visible }
  for i, name in ipairs(SUMS) do
    parts[name] = block:narrow(1, first, sizes[i])
    first = first + sizes[i]
  end
  parts.weight = parts.weight:reshape(o.hidden, o.visible)
  return parts
end

-- The sums of a shard of a step, in one block.
local function sums_of(shard, chosen, batch)
  local whole, model = shard.whole, shard.model
  local o, data = whole.options, whole.data
  local rows = data:index_select(1, rows_of(chosen, shard.batch))
  local v0 = input.binarize(model, rows, o.binarize, model.generator)
  local p0, v, p, row_weight = walk(shard, v0, o.method)
  local count = o.method == "cd" and batch or o.chains
  local sums = gradient.sums(v0, p0, v, p, row_weight, batch, count)
  local block = wrun.zeros(size_of(model), { dtype = model.options.dtype })
  local parts = views(block, model)
  for _, name in ipairs(SUMS) do
    if name == "weight" then
      gradient.accumulate(parts.weight, sums.products, 1)
    else
      parts[name]:copy_(sums[name])
    end
  end
  return block
end

--- The sums of a step over the rows of data that are chosen.
function Share:sums(chosen)
  local batch, model = chosen:size(1), self.whole.model
  local key = next_key(model)
  local total = self.sum(wrun.empty(size_of(model), { dtype = model.options.dtype }))
  self.is_begun = true
  for _, shard in ipairs(shards_of(self, batch)) do
    shard.model.generator:manual_seed(key + shard.index)
    total:add(shard.index, sums_of(shard, chosen, batch))
  end
  local sums = views(total:finish(), model)
  sums.activity, sums.products = sums.hidden / batch, {}
  return sums
end

-- The rows of all processes that each of this one's shards of chains has as get(shard).
local function gather_chains(self, none, get)
  local model, parts = self.whole.model, {}
  for i, chains in ipairs(model.mpi.shards(self.whole.options.chains)) do
    parts[i] = get(self.shards[chains.index])
  end
  return gather(model, parts, none)
end

local function gather_ladder(self)
  local whole, o = self.whole, self.whole.options
  local levels, visible = o.temperatures, whole.model.options.visible
  local none = wrun.empty(0, levels, visible, { dtype = whole.model.options.dtype })
  local states = gather_chains(self, none, function(shard)
    return shard.ladder.states:reshape(levels, -1, visible):transpose(1, 2)
  end)
  none = wrun.empty(0, 3, levels - 1, { dtype = "int64" })
  local counts = gather_chains(self, none, function(shard)
    local ladder, steps = shard.ladder, {}
    for level = 1, levels - 1 do
      steps[level] = ladder.steps
    end
    return wrun.tensor { { steps, ladder.tried, ladder.swapped } }
  end)
  whole.ladder = negative.ladder(whole, states:transpose(1, 2):reshape(-1, visible))
  whole.ladder.steps = counts:select(2, 1):max():item()
  whole.ladder.tried, whole.ladder.swapped = table.unpack(counts:sum(1):tolist(), 2)
end

--- Brings the chains of all processes into the trainer, which saves them.
function Share:gather()
  local whole = self.whole
  local method = self.is_begun and whole.options.method
  if method == "pt" then
    gather_ladder(self)
  elseif method == "pcd" or method == "fpcd" then
    local o = whole.model.options
    whole.memory.hidden = gather_chains(self, wrun.empty(0, o.hidden, { dtype = o.dtype }),
      function(shard)
        return shard.memory.hidden
      end)
  end
end

return M
