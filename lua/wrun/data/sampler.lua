--- Samplers: in which order, and how often, the samples of a data set come; with PyTorch's draws.
--- A sampler has `#sampler`, how many indices a pass has, and `sampler:iterate()`, an iterator
--- over them. Those of this file make indices in blocks, int64 tensors, drawn when they are
--- needed: `_blocks()` iterates over these. A sampler with `is_random` draws.

local check = require "wrun.check"
local Class = require "wrun.class"
local sets = require "wrun.data.sets"
local sources = require "wrun.data.source"
local wrun = require "wrun"

local fail = check.fail

local M = {}

--- The base of the samplers, which give indices of samples: `iterate` walks one pass. Any object
--- with a length and `iterate` serves as one, too.
---@class wrun.data.Sampler: wrun.Class
---@field is_random boolean? whether a pass draws
local Sampler = Class:extend("Sampler")
Sampler:_walked_by("for i in sampler:iterate() do")
M.Sampler = Sampler

--- Returns an iterator over the indices of one pass.
--- domain  each call is a new pass; indices are drawn as they are needed
---     for i in data.RandomSampler(3):iterate() do print(i) end
---@return fun(): integer?
function Sampler:iterate()
  local next_block, block, index = self:_blocks(), {}, 0
  return function()
    index = index + 1
    while block and block[index] == nil do
      local tensor = next_block()
      block, index = tensor and tensor:tolist(), 1
    end
    return block and block[index]
  end
end

local function one_block(make)
  local is_over = false
  return function()
    if not is_over then
      is_over = true
      return make()
    end
  end
end

-- A data set's number of samples, or the number itself.
local function count_of(name, dataset)
  local count = math.type(dataset) == "integer" and dataset or sources.of(name, dataset).count
  if count < 0 then
    fail("%s: argument 1: expected a number of samples, got %d", name, count)
  end
  return count
end

-- A seed of 64 bits, as PyTorch takes it: two words of the stream.
local function draw_seed(generator)
  return wrun.empty(1, { dtype = "int64" }):random_({ generator = generator }):item()
end
M.draw_seed = draw_seed

---@class wrun.data.SequentialSampler: wrun.data.Sampler
local SequentialSampler = Sampler:extend("SequentialSampler")
M.SequentialSampler = SequentialSampler

--- Makes a sampler of 1, 2, 3 ... to the last sample.
--- domain  a data set, or a number of samples
---     for i in data.SequentialSampler(3):iterate() do print(i) end
---@param dataset table|integer
function SequentialSampler:init(dataset)
  self.count = count_of("SequentialSampler", dataset)
end

function SequentialSampler:__len()
  return self.count
end

function SequentialSampler:_blocks()
  return one_block(function()
    return wrun.arange(1, self.count + 1)
  end)
end

local RANDOM = {
  replacement = check.boolean(false),
  num_samples = check.optional(check.integer(nil, 1)),
  generator = check.generator(),
}

---@class wrun.data.RandomSampler: wrun.data.Sampler
local RandomSampler = Sampler:extend("RandomSampler")
RandomSampler.is_random = true
M.RandomSampler = RandomSampler

--- Makes a sampler of random indices: a permutation of all samples, or as many as num_samples
--- says, one permutation after the other, or each drawn for itself with replacement.
--- domain  a data set, or a number of samples; options replacement (false), num_samples (as many as
---   there are) and generator. Without a generator each pass draws a seed from the default one, for
---   one of its own
---     wrun.manual_seed(0)
---     for i in data.RandomSampler(10, { replacement = true, num_samples = 3 }):iterate() do
---       print(i)
---     end
---@param dataset table|integer
function RandomSampler:init(dataset, options)
  local o = check.options("RandomSampler", options, RANDOM)
  self.count = count_of("RandomSampler", dataset)
  self.replacement, self.generator = o.replacement, o.generator
  self.num_samples = o.num_samples or self.count
  if self.num_samples > 0 and self.count == 0 then
    fail("RandomSampler: option num_samples: expected none of no samples, got %d",
      self.num_samples)
  end
end

function RandomSampler:__len()
  return self.num_samples
end

-- PyTorch draws with replacement in blocks of 32, and after whole permutations one more for the
-- rest, even where that is nothing: later draws from a generator that was given agree only so. One
-- of the pass's own has no later draws.
function RandomSampler:_blocks()
  local count, left, is_over = self.count, self.num_samples, false
  local size = self.replacement and 32 or count
  local generator = self.generator
  return function()
    if is_over or count == 0 then
      return nil
    end
    generator = generator or wrun.Generator({ seed = draw_seed() })
    local n = math.min(left, size)
    is_over = left < size
    left = left - n
    if n == 0 and not self.generator then
      return nil
    end
    if self.replacement then
      return wrun.randint(1, count + 1, { n }, { generator = generator })
    end
    return wrun.randperm(count, { generator = generator }):narrow(1, 1, n)
  end
end

local GENERATOR = { generator = check.generator() }

---@class wrun.data.SubsetRandomSampler: wrun.data.Sampler
local SubsetRandomSampler = Sampler:extend("SubsetRandomSampler")
SubsetRandomSampler.is_random = true
M.SubsetRandomSampler = SubsetRandomSampler

--- Makes a sampler of some indices in random order.
--- domain  a list of indices from 1; option generator (the default generator)
--- raises  `SubsetRandomSampler: argument 1: expected`
---     local sampler = data.SubsetRandomSampler({ 2, 4, 6 })
---     print(#sampler, sampler:iterate()() % 2)
---@param indices integer[]|wrun.Tensor
function SubsetRandomSampler:init(indices, options)
  self.indices = sets.indices_of("SubsetRandomSampler", 1, indices, math.maxinteger)
  self.generator = check.options("SubsetRandomSampler", options, GENERATOR).generator
end

function SubsetRandomSampler:__len()
  return self.indices:numel()
end

function SubsetRandomSampler:_blocks()
  return one_block(function()
    return self.indices:index_select(1, wrun.randperm(#self, { generator = self.generator }))
  end)
end

local WEIGHTED = {
  replacement = check.boolean(true), generator = check.generator(),
}

---@class wrun.data.WeightedRandomSampler: wrun.data.Sampler
local WeightedRandomSampler = Sampler:extend("WeightedRandomSampler")
WeightedRandomSampler.is_random = true
M.WeightedRandomSampler = WeightedRandomSampler

--- Makes a sampler that draws index i with a probability in proportion to weights[i].
--- domain  weights >= 0, a list or a tensor; options replacement (true) and generator (the default
---   generator)
--- raises  `multinomial: argument 2: expected` when there are too few weights but zeros
---     for i in data.WeightedRandomSampler({ 0, 1, 3 }, 4):iterate() do print(i) end
---@param weights number[]|wrun.Tensor
function WeightedRandomSampler:init(weights, num_samples, options)
  local o = check.options("WeightedRandomSampler", options, WEIGHTED)
  local is_list = type(weights) == "table" and type(weights[1]) == "number"
  local tensor = is_list and wrun.tensor(weights, { dtype = "float64" }) or weights
  if not check.is_tensor(tensor) or tensor.ndim ~= 1 or tensor:numel() == 0 then
    fail("WeightedRandomSampler: argument 1: expected a list of weights, got %s",
      check.describe(weights))
  end
  self.weights = tensor:double()
  self.num_samples = check.argument("WeightedRandomSampler", 2, num_samples, check.integer(nil, 1))
  self.replacement, self.generator = o.replacement, o.generator
end

function WeightedRandomSampler:__len()
  return self.num_samples
end

function WeightedRandomSampler:_blocks()
  return one_block(function()
    local options = { generator = self.generator }
    return self.weights:multinomial(self.num_samples, self.replacement, options)
  end)
end

-- A list or tensor of indices, or an object with iterate(): as blocks.
local Given = Sampler:extend("Given")

function Given:init(name, index, sampler)
  local is_list = type(sampler) == "table" and (math.type(sampler[1]) or next(sampler) == nil)
  if check.is_tensor(sampler) or is_list then
    self.indices = sets.indices_of(name, index, sampler, math.maxinteger)
  elseif check.has_methods(sampler, "iterate") then
    self.sampler, self.is_random = sampler, sampler.is_random
  else
    fail("%s: expected a sampler or a list of indices, got %s", name, check.describe(sampler))
  end
end

function Given:__len()
  return self.indices and self.indices:numel() or #self.sampler
end

function Given:_blocks()
  if self.indices then
    return one_block(function()
      return self.indices
    end)
  end
  local next_index = self.sampler:iterate()
  return function()
    local index = next_index()
    return index and wrun.tensor({ index })
  end
end

--- Returns what is given as a sampler with blocks; errors begin with `name`.
function M.of(name, index, sampler)
  return Sampler:is_instance(sampler) and sampler or Given(name, index, sampler)
end

local BATCH = { drop_last = check.boolean(false) }

---@class wrun.data.BatchSampler: wrun.Class
local BatchSampler = Class:extend("BatchSampler")
BatchSampler:_walked_by("for indices in sampler:iterate() do")
M.BatchSampler = BatchSampler

--- Makes a sampler of batches: each step of `iterate` gives an int64 tensor of indices.
--- domain  a sampler, or a list of indices; option drop_last (false) leaves out a last batch that
---   is smaller
---     for indices in data.BatchSampler(data.SequentialSampler(5), 2):iterate() do
---       print(indices)
---     end
---@param sampler table
function BatchSampler:init(sampler, batch_size, options)
  self.sampler = M.of("BatchSampler: argument 1", 1, sampler)
  self.batch_size = check.argument("BatchSampler", 2, batch_size, check.integer(nil, 1))
  self.drop_last = check.options("BatchSampler", options, BATCH).drop_last
  self.is_random = self.sampler.is_random
end

function BatchSampler:__len()
  local n, size = #self.sampler, self.batch_size
  return self.drop_last and n // size or (n + size - 1) // size
end

--- Returns an iterator over the batches of one pass, int64 tensors of indices.
--- shapes  -> [batch]
--- domain  as the sampler's; the next index is asked for when a batch needs it, or to see that
---   there is none, as PyTorch does
--- raises  what the sampler raises
---     print(data.BatchSampler({ 3, 1, 2 }, 2):iterate()())
---@return fun(): wrun.Tensor?
function BatchSampler:iterate()
  local next_block, size = self.sampler:_blocks(), self.batch_size
  local block, first, is_over = nil, 1, false
  return function()
    local parts, missing = {}, size
    while missing > 0 and not is_over do
      if block == nil or first > block:numel() then
        block, first = next_block(), 1
        is_over = block == nil
      else
        local n = math.min(missing, block:numel() - first + 1)
        parts[#parts + 1] = block:narrow(1, first, n)
        first, missing = first + n, missing - n
      end
    end
    if missing == size or missing > 0 and self.drop_last then
      return nil
    end
    return #parts == 1 and parts[1] or wrun.cat(parts, 1)
  end
end

return M
