#!/usr/bin/env wrun
--- A small autoencoder on MNIST; what it makes of the first 100 test images is saved for NumPy.

local argparse = require "argparse"
local wrun = require "wrun"
local data, nn, optim = wrun.data, wrun.nn, wrun.optim

local parser = argparse("autoencoder_npy.lua", "Trains an autoencoder and saves what it makes.")
parser:argument("file", "Where to write the images.", "reconstruction.npy"):args "?"
parser:argument("epochs", "Passes over the training set.", "3",
  data.whole("epochs", 0)):args "?"
data.options(parser)
local args = parser:parse()
assert(io.open(args.file, "ab")):close() -- refused before the work, not after it

local train, test = data.images(args)
local loader = data.loader(train, { batch_size = 100, shuffle = true })

local model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32),
  nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())
local criterion, optimizer = nn.MSELoss(), optim.Adam(model:parameters(), { lr = 0.001 })
for epoch = 1, args.epochs do
  local cost = 0
  for x in loader:batches() do
    optimizer:zero_grad()
    local loss = criterion(model(x), x)
    loss:backward()
    optimizer:step()
    cost = cost + loss:item() / #loader
  end
  print(("epoch %d  loss %.5f"):format(epoch, cost))
end

local x = test.x:narrow(1, 1, math.min(100, #test.y)):flatten(2) / 255
data.save_npy(args.file, model(x):detach():reshape(-1, 28, 28))
