#!/usr/bin/env wrun
--- The network of mnist_xavier.lua on several processes: `mpirun -n 4 wrun mnist_mpi.lua` learns the
--- same bits as `wrun mnist_mpi.lua`.

local argparse = require "argparse"
local wrun = require "wrun"
local data, mpi, nn, optim = wrun.data, wrun.mpi, wrun.nn, wrun.optim

-- How weights can start: what the initialisers of nn.init do, or too small to learn.
local STARTS = {
  small = function(weight) return nn.init.normal_(weight, 0, 1e-4) end,
  xavier_uniform = nn.init.xavier_uniform_,
  xavier_normal = nn.init.xavier_normal_,
  he_uniform = nn.init.he_uniform_,
  he_normal = nn.init.he_normal_,
  orthogonal = nn.init.orthogonal_,
}

local parser = argparse("mnist_mpi.lua",
  "Trains a network on several processes, started by mpirun, and tests it.")
parser:option("--init", "How the weights start.", "xavier_uniform"):choices {
  "small", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "orthogonal",
}
parser:option("--epochs", "Passes over the training set.", "15", data.whole("--epochs", 0))
parser:option("--batch-size", "Images a step, of all processes together.", "100",
  data.whole("--batch-size", 1))
parser:option("--lr", "Learning rate.", "0.001", data.number("--lr", 0))
parser:option("--order", "Shuffle as PyTorch 0.4.1 to about 1.6 did, or as it does today.",
  "pytorch-0.4"):choices { "pytorch-0.4", "pytorch" }
parser:option("--save", "File for the parameters, safetensors (default: they are not kept).")
parser:option("--log", "File for the costs, .csv or .jsonl (default: they are only printed).")
parser:option("--out", "Folder for checkpoints, log and pictures, where the run goes on when it is "
  .. "started again (default: they are not kept).")
data.options(parser, { seed = 777 })
local args = parser:parse()

-- Calls f(...), and blames an option for what that refuses.
local function with_option(option, f, ...)
  local ok, result = pcall(f, ...)
  return ok and result
    or parser:error(("option '%s': %s"):format(option, (result:gsub("^%S+:%d+: ", ""))))
end

local run <close> = wrun.experiment {
  name = "mnist_mpi", seed = args.seed, folder = args.out, keeps = args.out ~= nil,
  options = {
    init = args.init, batch_size = args.batch_size, lr = args.lr, order = args.order,
  },
}
local train, test = data.images(args)
if args.batch_size > #train.y then
  parser:error(("option '--batch-size': expected at most the %d images, got %d"):format(#train.y,
    args.batch_size))
end
local log <close> = args.log
  and with_option("--log", wrun.logbook.open, args.log, { fields = { "epoch", "cost" } })
local loader = mpi.loader(train, {
  batch_size = args.batch_size, shuffle = true, drop_last = true, order = args.order,
})

local linear1, linear2, linear3 = nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)
local start = STARTS[args.init]
start(linear1.weight)
start(linear2.weight)
print(start(linear3.weight))

local model = nn.Sequential(linear1, nn.ReLU(), linear2, nn.ReLU(), linear3)
local function save()
  if args.save and mpi.rank() == 0 then
    wrun.save(args.save, model:state_dict())
  end
  return true
end
with_option("--save", save) -- before the work, if it cannot be done
local criterion = nn.CrossEntropyLoss()
local optimizer = optim.Adam(model:parameters(), { lr = args.lr })
local team = mpi.distribute(model, optimizer)

run:keep { model = model, optimizer = optimizer }
for epoch, batches in run:loop(args.epochs, loader) do
  for batch in batches do
    optimizer:zero_grad()
    local loss = team:backward(batch, function(x, y)
      return criterion(model(x), y)
    end)
    optimizer:step()
    run:add { cost = loss }
  end
  local cost = run:mean("cost")
  print(("Epoch: %04d cost = %.9f"):format(epoch, cost))
  save()
  if log then
    log:write { epoch = epoch, cost = cost }
  end
end
print("Learning finished")

wrun.no_grad(function()
  local guess = model(test.x:flatten(2) / 255):argmax(2)
  print(("Accuracy: %.16g"):format(guess:eq(test.y):float():mean():item()))
  local i = wrun.randint(1, #test.y + 1, { 1 }):item()
  print("Label: " .. test.classes[test.y[i]:item()])
  print("Prediction: " .. test.classes[guess[i]:item()])
end)
if args.out then
  wrun.image.save(run:path("filters.png"), linear1.weight:detach():reshape(256, 28, 28),
    { columns = 16, range = "symmetric" })
end
print("Fingerprint: " .. wrun.fingerprint(model))
