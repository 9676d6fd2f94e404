--- A run of several ranks that saves after each step: `wrun killed_ranks.lua FOLDER RANK STEP SIGNAL`.
--- In that step that rank sends itself the signal; in step 0 none does. Prints what is learnt.

local core = require "wrun.core"
local wrun = require "wrun"

local mpi, nn, optim = wrun.mpi, wrun.nn, wrun.optim
local folder, rank, step, signal = ...

local run <close> = wrun.experiment { name = "ranks", seed = 7, folder = folder, every = 0 }
local x = wrun.rand(130, 12)
local model = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
local optimizer = optim.Adam(model:parameters(), { lr = 0.01 })
local team = mpi.distribute(model, optimizer)
local loader = mpi.loader({ x = x, y = x:sum(2):gt(6):long() + 1 },
  { batch_size = 20, shuffle = true })

local steps = 0
run:keep { model = model, optimizer = optimizer }
for _, batches in run:loop(4, loader) do
  for batch in batches do
    steps = steps + 1
    optimizer:zero_grad()
    local loss = team:backward(batch, function(inputs, targets)
      if steps == tonumber(step) and mpi.rank() == tonumber(rank) then -- for the first shard
        step = 0
        os.execute(("kill -%s %d"):format(signal, core.process_id()))
      end
      return nn.functional.cross_entropy(model(inputs + wrun.randn(1) * 0.1), targets)
    end)
    optimizer:step()
    run:add { loss = loss }
  end
end
print(wrun.fingerprint(model), #run.rows, wrun.randn(1):item(), ("%.17g"):format(run.rows[4].loss))
