--- Hands a data set out in batches, in order or shuffled as PyTorch shuffles.

local check = require "wrun.check"
local Class = require "wrun.class"
local samplers = require "wrun.data.sampler"
local sets = require "wrun.data.sets"
local sources = require "wrun.data.source"
local wrun = require "wrun"

local fail = check.fail

---@class wrun.data.Loader: wrun.Class
---@field dataset table
---@field batch_sampler table
local Loader = Class:extend("Loader")
Loader:_walked_by("for x, y in loader:batches() do")

local RULES = {
  batch_size = check.integer(1, 1),
  shuffle = check.boolean(false),
  drop_last = check.boolean(false),
  generator = check.generator(),
  order = check.choice("pytorch", { "pytorch", "pytorch-0.4" }),
  sampler = check.optional(check.table()),
  batch_sampler = check.optional(check.table()),
  collate = check.optional(check.func()),
  flatten = check.boolean(true),
  transform = check.optional(check.passed_on()),
  target_transform = check.optional(check.passed_on()),
}

-- Options that say the same thing in different words.
local EXCLUDES = {
  batch_sampler = { "batch_size", "drop_last", "sampler", "shuffle" },
  sampler = { "shuffle" },
}

local function refuse_contradictions(given)
  for name, others in pairs(EXCLUDES) do
    for _, other in ipairs(given[name] ~= nil and others or {}) do
      if given[other] then
        fail("loader: option %s: cannot go together with option %s", name, other)
      end
    end
  end
end

local function sampler_of(options, count)
  if options.sampler then
    return samplers.of("loader: option sampler", 1, options.sampler)
  elseif not options.shuffle then
    return samplers.SequentialSampler(count)
  elseif options.order == "pytorch-0.4" then
    return samplers.SubsetRandomSampler(wrun.arange(1, count + 1),
      { generator = options.generator })
  end
  return samplers.RandomSampler(count, { generator = options.generator })
end

--- Hands out batches: `wrun.data.loader` makes one, and says more.
--- domain  as wrun.data.loader
--- raises  as wrun.data.loader
---@param given table?
function Loader:init(dataset, given)
  self._source = sources.of("loader", dataset)
  local options = check.options("loader", given, RULES)
  refuse_contradictions(given or {})
  for _, name in ipairs { "transform", "target_transform" } do
    if options[name] ~= nil and not check.is_callable(options[name]) then
      fail("loader: option %s: expected a function, got %s", name, check.describe(options[name]))
    end
  end
  if options.batch_sampler and not check.has_methods(options.batch_sampler, "iterate") then
    fail("loader: option batch_sampler: expected a sampler of batches, got %s",
      check.describe(options.batch_sampler))
  end
  self.dataset = dataset
  self.generator = options.generator
  self.batch_sampler = options.batch_sampler
    or samplers.BatchSampler(sampler_of(options, self._source.count), options.batch_size,
      { drop_last = options.drop_last })
  self._options = options
end

-- What was read from the options when the loader was made would not change with a field.
function Loader:__newindex(name, value)
  if RULES[name] and rawget(self, "_options") then
    fail("loader: option %s: is read when the loader is made; make another one", name)
  end
  rawset(self, name, value)
end

--- Returns the number of batches of a pass.
function Loader:__len()
  return #self.batch_sampler
end

-- "Loader(600 batches of 100, shuffled)"
function Loader:__tostring()
  local batches, o = self.batch_sampler, self._options
  local size = batches.batch_size and " of " .. batches.batch_size or ""
  local order = o.shuffle and ", shuffled" or (o.sampler or o.batch_sampler) and "" or ", in order"
  return ("Loader(%d batches%s%s)"):format(#batches, size, order)
end

local function values_at(loader, indices)
  local source, options = loader._source, loader._options
  if options.collate then
    local samples = {}
    for k, i in ipairs(indices:tolist()) do
      samples[k] = source:sample(sources.index("loader: option sampler", i, source.count))
    end
    return table.pack(options.collate(samples))
  end
  local values = source:select(indices, source.converts)
  local x = values[1]
  if source.converts and options.flatten and x.ndim > 2 then
    values[1] = x:reshape(x:size(1), -1)
  end
  return values
end

-- What a pass hands out of the samples at these indices.
function Loader:_batch(indices)
  local transform, target_transform = self._options.transform, self._options.target_transform
  local values = values_at(self, indices)
  if transform and values[1] ~= nil then
    values[1] = transform(values[1])
  end
  if target_transform and values[2] ~= nil then
    values[2] = target_transform(values[2])
  end
  return table.unpack(values, 1, values.n or #values)
end

local PASS = { skip = check.integer(0, 0) }

--- Returns an iterator over the batches of one pass, for use in `for`.
--- Option: skip, how many batches to leave out at the start (0), as a run does that goes on in the
--- middle of a pass; of these only the order is drawn.
--- shapes  x [n, ...] -> x [batch, features], y [n, ...] -> y [batch, ...]
--- domain  each call is a new pass; a shuffled one draws when it begins and before its first batch,
---   an unshuffled one draws nothing, so that it disturbs no other; leaving early leaves nothing
---   open; batches share no memory with the set
--- raises  in a pass, what the sampler, `collate` and the transforms raise
---     local loader = data.loader({ x = wrun.randn(5, 3), y = wrun.arange(1, 6) },
---       { batch_size = 2 })
---     for x, y in loader:batches() do print(x.shape[1], y:tolist()[1]) end
---@param options { skip: integer }?
---@return fun(): ...
function Loader:batches(options)
  local skip = check.options("batches", options, PASS).skip
  if self.batch_sampler.is_random then
    samplers.draw_seed(self.generator) -- PyTorch's for worker processes: drawn, of no use here
  end
  local next_indices = self.batch_sampler:iterate()
  for _ = 1, skip do
    next_indices()
  end
  return function()
    local indices = next_indices()
    if indices == nil then
      return nil
    end
    if not check.is_tensor(indices) then
      indices = sets.indices_of("loader: option batch_sampler", 1, indices,
        self._source.count)
    end
    return self:_batch(indices)
  end
end

return Loader
