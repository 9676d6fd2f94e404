--- Hands a data set out in batches of which each rank gets its shards.

local check = require "wrun.check"
local core = require "wrun.core"
local DataLoader = require "wrun.data.loader"
local method = require "wrun.method"
local save = require "wrun.save"
local shards = require "wrun.mpi.shards"
local world = require "wrun.mpi.world"

local fail = check.fail

---@class wrun.mpi.Batch
---@field count integer of its samples, on all ranks
---@field shards wrun.mpi.Shard[] those of this rank, each with its `values`
--- A batch, of which this rank has some shards: what a `wrun.mpi.loader` gives.
local Batch = method.object("Batch")

-- "Batch(100 samples, 8 shards here)"
function Batch:__tostring()
  return ("Batch(%d samples, %d shards here)"):format(self.count, #self.shards)
end

---@class wrun.mpi.Loader: wrun.data.Loader
local Loader = DataLoader:extend("Loader")
Loader.BATCH = check.rule(nil, "a batch of mpi.loader", function(value)
  return core.is_object(value, Batch) and value or nil
end)

-- What must be the same on all ranks: the options that are values, and the samples.
local function identity(loader, given)
  local plain = {}
  for name, value in pairs(given or {}) do
    plain[name] = type(value) ~= "table" and type(value) ~= "function" and value or nil
  end
  local parts = { (save.encode(plain)), ("%d samples"):format(loader._source.count) }
  local dataset = loader.dataset
  for _, name in ipairs { "x", "y" } do
    local tensor = type(dataset) == "table" and rawget(dataset, name)
    if check.is_tensor(tensor) then
      parts[#parts + 1] = check.describe(tensor)
      parts[#parts + 1] = tensor:detach():contiguous()
    end
  end
  return core.digest(parts)
end

--- Makes a loader: `wrun.mpi.loader` does, and says more.
--- domain  as wrun.mpi.loader
--- raises  as wrun.mpi.loader
function Loader:init(dataset, options)
  DataLoader.init(self, dataset, options)
  local size = self.batch_sampler.batch_size
  if size and size < world.size then
    fail("loader: option batch_size: expected at least a sample for each of %d ranks, got %d; "
      .. "it is the size of the batch of all ranks together", world.size, size)
  end
  world.agree("loader", "data or options", identity(self, options))
end

-- A batch: of the samples at `indices` only those of this rank's shards are read.
function Loader:_batch(indices)
  local count = indices:numel()
  local own = shards.shards(count)
  for _, shard in ipairs(own) do
    shard.values = table.pack(DataLoader._batch(self, indices:narrow(1, shard.first, shard.count)))
  end
  return setmetatable({ count = count, shards = own }, Batch)
end

return Loader
