--- A step of several ranks, whose walk backward takes a set time a layer, as on machines of their own:
--- mpi_overlap.lua [LAYERS WIDTH SECONDS], under mpirun or network.py. Rank 0 prints the seconds of the
--- walk of its shards, of the sum of the gradients alone, and of the step, in which they overlap.

local core = require "wrun.core"
local shards = require "wrun.mpi.shards"
local wrun = require "wrun"

local mpi, nn = wrun.mpi, wrun.nn
local layers, width = tonumber(arg[1] or 8), tonumber(arg[2] or 512)
local pause = tonumber(arg[3] or 0.02)
local ROUNDS, SHARDS = 5, 16

wrun.set_num_threads(1)
wrun.manual_seed(1)
local waiting = wrun.autograd.Function {
  forward = function(_, x) return x:clone() end,
  backward = function(_, g)
    core.sleep(pause)
    return g
  end,
}
local model = nn.ModuleList {}
for _ = 1, layers do
  model:append(nn.Linear(width, width))
end
local batch = mpi.loader({ x = wrun.rand(SHARDS, width) }, { batch_size = SHARDS }):batches()()
local team = mpi.distribute(model)
local gradient = nn.utils.parameters_to_vector(model:parameters()):detach()

local function loss_of(x)
  for layer = 1, layers do
    x = waiting(model[layer](x))
  end
  return x:square():mean()
end

local function add_up()
  local sum = shards.sum(gradient)
  sum:add(batch.shards[1].index, gradient:clone())
  sum:finish()
end

local function step()
  team:backward(batch, loss_of)
  for _, parameter in ipairs(model:parameters()) do
    parameter.grad = nil
  end
end

-- The median of the seconds of some rounds, after one that is not counted.
local function seconds_of(f)
  local times = {}
  for round = 0, ROUNDS do
    mpi.barrier()
    local start = core.clock()
    f()
    times[round] = core.clock() - start
  end
  table.sort(times)
  return times[ROUNDS // 2 + 1]
end

print(("%d ranks: walk %.3f s, sum %.3f s, step %.3f s"):format(mpi.size(),
  #batch.shards * layers * pause, seconds_of(add_up), seconds_of(step)))
