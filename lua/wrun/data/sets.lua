--- Data sets made of tensors and of other data sets: TensorDataset, Subset, ConcatDataset, and
--- random_split.

local check = require "wrun.check"
local Class = require "wrun.class"
local slip = require "wrun.slip"
local sources = require "wrun.data.source"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- The base of the classes: `#set` and `set[i]` by its source, which `init` sets, or its fields.
local Dataset = Class:extend("Dataset")

Dataset._source = false -- says that instances have one

function Dataset:__len()
  return sources.of("#", self).count
end

-- "Subset(8 samples)"
function Dataset:__tostring()
  return ("%s(%d samples)"):format(getmetatable(self).__name, #self)
end

-- The method or field of a name, the sample of an integer; nil for Lua's own ipairs after the last.
function Dataset._reader(class)
  return function(self, key)
    if math.type(key) ~= "integer" then
      local value = class[key]
      if value == nil then
        slip.refuse(self, class, key)
      end
      return value
    end
    local source = sources.of(class.__name, self)
    if key == source.count + 1 and debug.getinfo(2, "S").what == "C" then
      return nil
    end
    return source:sample(sources.index(class.__name, key, source.count))
  end
end

-- Samples x with their targets y, which a script may change; other fields say more of them.
local Fields = Dataset:extend("Dataset")
M.Fields = Fields

function Fields:init(fields)
  for name, value in pairs(fields) do
    self[name] = value
  end
end

---@class wrun.data.TensorDataset: wrun.Class
local TensorDataset = Dataset:extend("TensorDataset")
M.TensorDataset = TensorDataset

--- Makes a data set of tensors with as many samples each: sample i is the list of their i-th parts.
--- A loader hands out their batches as they are, without conversion.
--- shapes  each [n, ...]
--- domain  any dtypes
---     local set = data.TensorDataset(wrun.randn(5, 3), wrun.arange(1, 6))
---     local x, y = table.unpack(set[2])
---     print(#set, x.shape[1], y:item())
---@param ... wrun.Tensor
function TensorDataset:init(...)
  local tensors = { ... }
  for k = 1, math.max(select("#", ...), 1) do
    local tensor = tensors[k]
    if not check.is_tensor(tensor) or tensor.ndim == 0
      or tensor:size(1) ~= tensors[1]:size(1) then
      fail("TensorDataset: argument %d: expected a tensor of %s, got %s", k,
        k == 1 and "samples" or tensors[1]:size(1) .. " samples", check.describe(tensor))
    end
  end
  self.tensors = tensors
  self._source = sources.Tensors(tensors)
end

-- Some samples of another source.
local Chosen = sources.Source:extend("Chosen")

function Chosen:init(source, indices)
  self.source, self.indices = source, indices
  self.count = indices:numel()
  self.converts = source.converts
end

function Chosen:sample(i)
  return self.source:sample(self.indices[i]:item())
end

function Chosen:select(indices, scales)
  return self.source:select(self.indices:index_select(1, indices), scales)
end

---@class wrun.data.Subset: wrun.Class
---@field dataset table
---@field indices wrun.Tensor
local Subset = Dataset:extend("Subset")
M.Subset = Subset

-- A list of indices as an int64 tensor.
local function indices_of(name, index, list, count)
  if type(list) == "table" and #list == 0 then
    return wrun.zeros(0, { dtype = "int64" })
  end
  local indices = type(list) == "table" and wrun.tensor(list) or list
  if not check.is_tensor(indices) or indices.ndim ~= 1 or indices.dtype ~= "int64" then
    fail("%s: argument %d: expected a list of indices, got %s", name, index, check.describe(list))
  end
  local ends = indices:numel() > 0 and { indices:min():item(), indices:max():item() } or {}
  for _, i in ipairs(ends) do
    if i < 1 or i > count then
      fail("%s: argument %d: expected indices from 1 to %d, got %d", name, index, count, i)
    end
  end
  return indices
end
M.indices_of = indices_of

--- Makes a data set of some samples of another, in the order of `indices`. Nothing is copied.
---
--- Of a table { x =, y = } it has the fields too: `subset.x` is a new tensor of its samples.
--- domain  any data set; indices from 1, repeated or not
---     local set = data.Subset({ x = wrun.arange(10):reshape(5, 2) }, { 5, 1 })
---     print(#set, set.x)
---@param indices integer[]|wrun.Tensor
function Subset:init(dataset, indices)
  local source = sources.of("Subset", dataset)
  self.dataset = dataset
  self.indices = indices_of("Subset", 2, indices, source.count)
  self._source = Chosen(source, self.indices)
end

local FIELDS = { x = 1, y = 2 }

do
  local find = Subset.__index
  function Subset.__index(self, key)
    local source = FIELDS[key] and rawget(self, "_source")
    if not source or not source.converts then
      return find(self, key)
    end
    return source:select(wrun.arange(1, source.count + 1))[FIELDS[key]]
  end
end

-- Sources one after the other.
local Joined = sources.Source:extend("Joined")

function Joined:init(parts)
  self.parts = parts
  self.count, self.converts = 0, true
  for _, part in ipairs(parts) do
    self.count = self.count + part.count
    self.converts = self.converts and part.converts
  end
end

function Joined:sample(i)
  for _, part in ipairs(self.parts) do
    if i <= part.count then
      return part:sample(i)
    end
    i = i - part.count
  end
end

-- Each part selects its own; then they are brought into the order of `indices`.
function Joined:select(indices, scales)
  local lists, targets, before = {}, {}, 0
  local wanted = indices:tolist()
  for _, part in ipairs(self.parts) do
    local own = {}
    for k, i in ipairs(wanted) do
      if i > before and i <= before + part.count then
        own[#own + 1] = i - before
        targets[#targets + 1] = k
      end
    end
    lists[#lists + 1] = #own > 0 and part:select(wrun.tensor(own), scales) or nil
    before = before + part.count
  end
  if #lists == 0 then
    return self.parts[1]:select(indices, scales)
  end
  local order, values = {}, {}
  for row, k in ipairs(targets) do
    order[k] = row
  end
  for field, first in ipairs(lists[1]) do
    local column = {}
    for l, list in ipairs(lists) do
      column[l] = list[field]
      if not check.is_tensor(first) or not check.is_tensor(column[l]) then
        fail("ConcatDataset: expected samples of tensors and numbers, got %s",
          check.describe(check.is_tensor(first) and column[l] or first))
      end
    end
    values[field] = wrun.cat(column, 1):index_select(1, wrun.tensor(order))
  end
  return values
end

---@class wrun.data.ConcatDataset: wrun.Class
---@field datasets table[]
local ConcatDataset = Dataset:extend("ConcatDataset")
M.ConcatDataset = ConcatDataset

--- Makes a data set of all samples of several, one after the other. Nothing is copied.
--- domain  any data sets, whose samples have the same fields
---     local one, two = { x = wrun.zeros(3, 2) }, { x = wrun.ones(4, 2) }
---     local set = data.ConcatDataset { one, two }
---     print(#set, set[-1][1])
---@param datasets table[]
function ConcatDataset:init(datasets)
  if type(datasets) ~= "table" or #datasets == 0 then
    fail("ConcatDataset: argument 1: expected a list of data sets, got %s",
      check.describe(datasets))
  end
  local parts = {}
  for i, dataset in ipairs(datasets) do
    parts[i] = sources.of("ConcatDataset", dataset)
  end
  self.datasets = datasets
  self._source = Joined(parts)
end

-- Lengths of fractions that add up to 1: rounded down, then one more from the first on.
local function lengths_of(fractions, count)
  local lengths, left = {}, count
  for i, fraction in ipairs(fractions) do
    if fraction < 0 or fraction > 1 then
      fail("random_split: argument 2: expected fractions from 0 to 1, got %s", fraction)
    end
    lengths[i] = math.floor(count * fraction)
    left = left - lengths[i]
  end
  for i = 0, left - 1 do
    local index = i % #lengths + 1
    lengths[index] = lengths[index] + 1
  end
  return lengths
end

local SPLIT = { generator = check.generator() }

--- Returns Subsets of a data set, drawn at random, with these lengths, or these fractions of it.
--- Option generator (the default generator). From equal seeds the samples are PyTorch's.
--- domain  lengths that add up to the number of samples, or fractions that add up to 1: each is
---   rounded down, and what is left goes to the first ones
---     local set = { x = wrun.randn(10, 2), y = wrun.arange(1, 11) }
---     local train, test = table.unpack(data.random_split(set, { 0.8, 0.2 }))
---     print(#train, #test)
---@param lengths number[]
---@return wrun.data.Subset[]
function M.random_split(dataset, lengths, options)
  local count = sources.of("random_split", dataset).count
  lengths = check.list(check.argument("random_split", 2, lengths, check.table()))
  local o = check.options("random_split", options, SPLIT)
  local total = 0
  for _, length in ipairs(lengths) do
    if type(length) ~= "number" or length < 0 then
      fail("random_split: argument 2: expected lengths or fractions, got %s",
        check.describe(length))
    end
    total = total + length
  end
  if total <= 1 and math.abs(total - 1) <= 1e-9 then
    lengths = lengths_of(lengths, count)
  elseif total ~= count or math.type(total) ~= "integer" then
    fail("random_split: argument 2: expected lengths that add up to %d, or fractions to 1, got %s",
      count, total)
  end
  local order = wrun.randperm(count, { generator = o.generator })
  local subsets, before = {}, 0
  for i, length in ipairs(lengths) do
    subsets[i] = Subset(dataset, order:narrow(1, before + 1, length))
    before = before + length
  end
  return subsets
end

return M
