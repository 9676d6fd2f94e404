--- What a data set is: how many samples it has, one of them, and many at once.
--- A data set is a table { x = tensor, y = tensor } of samples and their targets, an instance of
--- the classes of sets.lua, or any other object with `#dataset` and `dataset[i]`. A sample is a
--- value or a list of values, such as { x, y }; `collate` puts samples together.

local check = require "wrun.check"
local Class = require "wrun.class"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local batch

local function of_tensors(samples)
  local shape = check.shape_text(samples[1])
  for i, x in ipairs(samples) do
    if not check.is_tensor(x) or check.shape_text(x) ~= shape then
      fail("collate: sample %d: expected a tensor %s as the first one, got %s", i, shape,
        check.describe(x))
    end
  end
  return wrun.stack(samples, 1)
end

-- The values of every field, batched; a list of a sample's fields has them all.
local function of_tables(samples, depth)
  local result = {}
  for key in pairs(samples[1]) do
    local column = {}
    for i, sample in ipairs(samples) do
      column[i] = type(sample) == "table" and sample[key]
      if column[i] == nil or type(sample) ~= "table" then
        fail("collate: sample %d: expected a field %s as in the first one, got %s", i,
          tostring(key), check.describe(sample))
      end
    end
    result[key] = batch(column, depth + 1)
  end
  return result
end

function batch(samples, depth)
  local first = samples[1]
  check.nesting("collate", depth)
  if check.is_tensor(first) then
    return of_tensors(samples)
  elseif type(first) == "table" then
    return of_tables(samples, depth)
  end
  for i, value in ipairs(samples) do
    if type(value) ~= type(first) then
      fail("collate: sample %d: expected a %s as the first one, got %s", i, type(first),
        check.describe(value))
    end
  end
  return type(first) == "string" and samples or wrun.tensor(samples)
end

--- Returns samples put together: tensors stacked, numbers and booleans as a tensor, strings as a
--- list, and of lists and other tables each field so.
--- shapes  n tensors [...] -> [n, ...]; n numbers -> [n]
--- domain  one or more samples of the same kind; integers become int64, floats float32
---     local x, y = table.unpack(data.collate { { wrun.zeros(3), 1 }, { wrun.ones(3), 2 } })
---     print(x, y)
---@param samples table
---@return any
function M.collate(samples)
  if type(samples) ~= "table" or #samples == 0 then
    fail("collate: argument 1: expected a list of samples, got %s", check.describe(samples))
  end
  return batch(samples, 1)
end

--- Where samples come from. `select` returns the fields of a batch as a list; if it `scales`, samples
--- of bytes are numbers from 0 to 1 there.
---@class wrun.data.source.Source: wrun.Class
---@field count integer
---@field converts boolean? does the loader make rows of numbers from 0 to 1 of it?
---@field sample fun(self: any, i: integer): any
---@field select fun(self: any, indices: wrun.Tensor, scales?: boolean): table
local Source = Class:extend("Source")
M.Source = Source

-- Index i, counted from the end when it is negative.
local function index(name, i, count)
  if i < -count or i > count or i == 0 then
    fail("%s: expected an index from 1 to %d or from -%d to -1, got %d", name, count, count, i)
  end
  return i < 0 and count + i + 1 or i
end
M.index = index

--- The tensors of a table { x =, y = }, or any list of tensors of as many samples.
local Tensors = Source:extend("Tensors")

function Tensors:init(tensors, converts)
  self.tensors = tensors
  self.count = tensors[1]:size(1)
  self.converts = converts
end

function Tensors:sample(i)
  local values = {}
  for k, tensor in ipairs(self.tensors) do
    values[k] = tensor[i]
  end
  return values
end

function Tensors:select(indices, scales)
  local values = {}
  for k, tensor in ipairs(self.tensors) do
    values[k] = scales and k == 1 and tensor.dtype == "uint8"
        and unrecorded._index_scale(tensor, 1, indices)
      or tensor:index_select(1, indices)
  end
  return values
end

M.Tensors = Tensors

--- Any object with # and integers as keys.
local Object = Source:extend("Object")

function Object:init(name, object)
  self.object = object
  local count = #object
  if math.type(count) ~= "integer" or count < 0 then
    fail("%s: argument 1: expected a data set of 0 or more samples, got %s", name,
      check.describe(count))
  end
  self.count = count
end

function Object:sample(i)
  return self.object[i]
end

function Object:select(indices)
  local samples = {}
  for k, i in ipairs(indices:tolist()) do
    samples[k] = self.object[i]
  end
  local values = M.collate(samples)
  return type(samples[1]) == "table" and #samples[1] > 0 and values or { values }
end

local function check_samples(name, field, value)
  if not check.is_tensor(value) or value.ndim == 0 then
    fail("%s: argument 1: expected field %s to be a tensor of samples, got %s", name, field,
      check.describe(value))
  end
end

local function of_fields(name, dataset)
  local x, y = dataset.x, dataset.y
  check_samples(name, "x", x)
  if y == nil then
    return Tensors({ x }, true)
  end
  check_samples(name, "y", y)
  if y:size(1) ~= x:size(1) then
    fail("%s: argument 1: expected as many targets as samples, got x %s and y %s", name,
      check.shape_text(x), check.shape_text(y))
  end
  return Tensors({ x, y }, true)
end

--- Returns the source of a data set; errors name the function `name`.
function M.of(name, dataset)
  if type(dataset) ~= "table" and type(dataset) ~= "userdata" or check.is_tensor(dataset) then
    fail("%s: argument 1: expected a data set, got %s", name, check.describe(dataset))
  end
  local class = getmetatable(dataset)
  if type(class) == "table" and class._source ~= nil then
    return rawget(dataset, "_source") or of_fields(name, dataset)
  elseif type(class) == "table" and class.__len or type(dataset) == "table" and #dataset > 0 then
    return Object(name, dataset)
  end
  return of_fields(name, dataset)
end

return M
