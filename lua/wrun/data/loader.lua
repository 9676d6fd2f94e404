--- Hands a data set out in batches, in order or shuffled as PyTorch shuffles.

local Class = require "wrun.class"
local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local fail = core.fail

---@class wrun.data.Loader: wrun.Class
local Loader = Class:extend("Loader")

local RULES = {
  batch_size = check.integer(1, 1),
  shuffle = check.boolean(false),
  drop_last = check.boolean(false),
  generator = check.optional(check.passed_on()),
  order = check.choice("modern", { "modern", "document" }),
}

local function check_samples(name, value)
  if not core.is_tensor(value) or value.ndim == 0 then
    fail("loader: argument 1: expected field %s to be a tensor of samples, got %s", name,
      check.describe(value))
  end
end

local function check_dataset(dataset)
  if type(dataset) ~= "table" then
    fail("loader: argument 1: expected a table { x = tensor, y = tensor }, got %s",
      check.describe(dataset))
  end
  local x, y = dataset.x, dataset.y
  check_samples("x", x)
  if y == nil then
    return
  end
  check_samples("y", y)
  if y:size(1) ~= x:size(1) then
    fail("loader: argument 1: expected as many targets as samples, got x %s and y %s",
      core.shape_text(x), core.shape_text(y))
  end
end

--- Hands out batches: `wrun.data.loader` makes one, and says more.
--- domain  as wrun.data.loader
--- raises  as wrun.data.loader
---@param dataset { x: wrun.Tensor, y: wrun.Tensor? }
---@param given table?
function Loader:init(dataset, given)
  check_dataset(dataset)
  local options = check.options("loader", given, RULES)
  self.dataset = dataset
  self.batch_size = options.batch_size
  self.shuffle = options.shuffle
  self.drop_last = options.drop_last
  self.generator = options.generator
  self.order = options.order
end

--- The number of batches of a pass.
function Loader:__len()
  local n, size = self.dataset.x:size(1), self.batch_size
  return self.drop_last and n // size or (n + size - 1) // size
end

-- A 64-bit draw, as PyTorch takes its seeds: two words of the stream.
local function draw_seed(generator)
  return wrun.empty(1, { dtype = "int64" }):random_({ generator = generator }):item()
end

-- The order of a shuffled pass. The modern one is drawn from a private generator, seeded here,
-- unless the loader has one of its own.
local function permutation(loader)
  local generator = loader.generator
  if loader.order == "modern" and generator == nil then
    generator = wrun.Generator({ seed = draw_seed() })
  end
  return wrun.randperm(loader.dataset.x:size(1), { generator = generator })
end

-- When its samples run out, PyTorch's sampler takes one permutation more from a generator that was
-- given to it, for nothing. Later draws from that generator agree only if wrun does too.
local function draw_surplus(loader)
  if loader.shuffle and loader.order == "modern" and loader.generator ~= nil then
    permutation(loader)
  end
end

-- Rows first .. first+count-1 of the pass; never the set's own memory, so that a batch may be
-- changed in place.
local function rows(tensor, order, first, count)
  if order then
    return tensor:index_select(1, order:narrow(1, first, count))
  end
  return tensor:narrow(1, first, count):clone()
end

local function batch_x(tensor, order, first, count)
  local x
  if tensor.dtype ~= "uint8" then
    x = rows(tensor, order, first, count)
  elseif order then
    x = rows(tensor, order, first, count) / 255
  else
    x = tensor:narrow(1, first, count) / 255
  end
  return x.ndim > 2 and x:reshape(count, -1) or x
end

--- Returns an iterator over the batches of one pass, for use in `for`.
--- shapes  x [n, ...] -> x [batch, features], y [n, ...] -> y [batch, ...]
--- domain  each call is a new pass; a shuffled one draws when it begins and before its first batch,
---         an unshuffled one draws nothing; leaving early leaves nothing open
--- raises  nothing
---
---     local train = { x = wrun.rand(5, 2), y = wrun.arange(1, 6) }
---     local loader = data.loader(train, { batch_size = 2 })
---     for x, y in loader:batches() do print(x.shape[1], y) end
---@return fun(): wrun.Tensor?, wrun.Tensor?
function Loader:batches()
  local x, y = self.dataset.x, self.dataset.y
  local count, size, total = #self, self.batch_size, x:size(1)
  local batch, order, is_over = 0, nil, false
  if self.shuffle then
    draw_seed(self.generator) -- PyTorch's seed for worker processes: drawn, and of no use here
  end
  return function()
    local first = batch * size + 1
    if self.shuffle and not order then
      order = permutation(self)
    end
    if not is_over and first + size > total + 1 then
      is_over = true
      draw_surplus(self)
    end
    if batch == count then
      return nil
    end
    batch = batch + 1
    local n = math.min(size, total - first + 1)
    return batch_x(x, order, first, n), y and rows(y, order, first, n)
  end
end

return Loader
