--- A run that saves after each step, to be killed: `wrun killed.lua KIND FOLDER`. It prints the
--- fingerprint of all it has learnt, and what the default generator gives next.

local wrun = require "wrun"

local nn, optim, data = wrun.nn, wrun.optim, wrun.data
local kind, folder = ...

local run <close> = wrun.experiment { name = kind, seed = 7, folder = folder, every = 0 }
local x = wrun.rand(130, 12)

local kinds = {}

function kinds.network()
  local loader = data.loader({ x = x, y = x:sum(2):gt(6):long() + 1 },
    { batch_size = 10, shuffle = true })
  local model = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
  local optimizer = optim.Adam(model:parameters(), { lr = 0.01 })
  local scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, { T_max = 4 })
  local stopping = wrun.early_stopping(model, { patience = 3 })
  run:keep { model = model, optimizer = optimizer, scheduler = scheduler, stopping = stopping }
  for _, batches in run:loop(4, loader) do
    for inputs, targets in batches do
      optimizer:zero_grad()
      local loss = nn.functional.cross_entropy(model(inputs + wrun.randn(1) * 0.1), targets)
      loss:backward()
      optimizer:step()
      run:add { loss = loss }
    end
    scheduler:step()
    if stopping:step(run:mean("loss")) then
      break
    end
  end
  stopping:restore()
  return model:parameters()
end

local function machine(method, options)
  return function()
    local rbm = wrun.rbm.new { visible = 12, hidden = 8, seed = 7 }
    options.method, options.epochs, options.batch_size, options.run = method, 4, 10, run
    options.binarize, options.momentum = "stochastic", 0.5
    rbm:fit(x, options)
    return { rbm.weight, rbm.visible_bias, rbm.hidden_bias }
  end
end

kinds.pcd = machine("pcd", { chains = 20 })
kinds.fpcd = machine("fpcd", { chains = 20 })
kinds.pt = machine("pt", { chains = 10, temperatures = 4 })

local learnt = kinds[kind]()
print(wrun.fingerprint(learnt), #run.rows, wrun.randn(1):item())
