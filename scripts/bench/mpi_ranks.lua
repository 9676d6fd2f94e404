--- What each rank of the part `mpi` does: mpi_ranks.lua ROUNDS BATCH THREADS. Rank 0 prints the
--- seconds of each round, `NAME SECONDS`: of the sum of the gradients of the course's network over
--- the ranks, by the fixed tree and by MPI_Allreduce, and of a step with either; all of it by turns.
--- One rank alone has no Open MPI to stand beside.

local folder = arg[0]:match("^(.*)/") or "."
local build = arg[-1]:match("^(.*)/") or "."
package.path = folder .. "/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local bare = require "bare"
local core = require "wrun.core"
local shards = require "wrun.mpi.shards"
local wrun = require "wrun"

local mpi, nn = wrun.mpi, wrun.nn
local rounds, batch, threads = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local SUMS, STEPS = 20, 10 -- a round

wrun.set_num_threads(threads)
wrun.manual_seed(1)
local model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
  nn.Linear(256, 10))
local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.001 })
local own, samples = mpi.shards(batch), {}
for i, shard in ipairs(own) do
  samples[i] = { wrun.rand(shard.count, 784), wrun.randint(1, 11, { shard.count }) }
end
local gradient = nn.utils.parameters_to_vector(model:parameters()):detach()
local block = bare.new_block(gradient:numel())

-- The gradient of one shard, in one piece.
local function part_of(i)
  optimizer:zero_grad()
  nn.functional.cross_entropy(model(samples[i][1]), samples[i][2]):backward()
  local parts = {}
  for j, parameter in ipairs(model:parameters()) do
    parts[j] = parameter.grad:reshape(-1)
  end
  return wrun.cat(parts)
end

local CONTESTANTS = {
  { "sum_tree", SUMS, function()
    local sum = shards.sum(gradient)
    sum:add(own[1].index, gradient:clone())
    sum:finish()
  end },
  { "sum_mpi", SUMS, function()
    bare.reduce(block, gradient:clone():numel())
  end },
  { "step_tree", STEPS, function()
    local sum = shards.sum(gradient)
    for i, shard in ipairs(own) do
      sum:add(shard.index, part_of(i))
    end
    sum:finish()
    optimizer:step()
  end },
  { "step_mpi", STEPS, function()
    local total
    for i in ipairs(own) do
      local part = part_of(i)
      total = total and total:add_(part) or part
    end
    bare.reduce(block, total:numel())
    optimizer:step()
  end },
}

for round = 0, rounds do
  for _, contestant in ipairs(CONTESTANTS) do
    local name, count, run = table.unpack(contestant)
    mpi.barrier()
    local start = core.clock()
    for _ = 1, (mpi.size() > 1 or name == "step_tree") and count or 0 do
      run()
    end
    if round > 0 then
      print(name, (core.clock() - start) / count)
    end
  end
end
