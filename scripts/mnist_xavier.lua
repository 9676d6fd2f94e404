#!/usr/bin/env wrun
--- A network on MNIST, 784-256-256-10 with ReLU between, started with Xavier's draws.
---
--- It is the program `mnist_nn_xavier` of a course on PyTorch, in Lua.

local argparse = require "argparse"
local wrun = require "wrun"
local data, nn, optim = wrun.data, wrun.nn, wrun.optim
local progress = wrun.progress

local parser = argparse("mnist_xavier.lua", "Trains a network from Xavier's draws and tests it.")
parser:option("--epochs", "Passes over the training set.", "15", math.tointeger)
parser:option("--batch-size", "Images a step.", "100", math.tointeger)
parser:option("--lr", "Learning rate.", "0.001", tonumber)
parser:option("--order", "Shuffle as PyTorch 0.4.1 to about 1.6 did, or as it does today.",
  "pytorch-0.4"):choices { "pytorch-0.4", "pytorch" }
data.options(parser, { seed = 777 })
local args = parser:parse()

local train, test = data.images(args)
local loader = data.loader(train, {
  batch_size = args.batch_size, shuffle = true, drop_last = true, order = args.order,
})

local linear1, linear2, linear3 = nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)
nn.init.xavier_uniform_(linear1.weight)
nn.init.xavier_uniform_(linear2.weight)
print(nn.init.xavier_uniform_(linear3.weight))

local model = nn.Sequential(linear1, nn.ReLU(), linear2, nn.ReLU(), linear3)
local criterion = nn.CrossEntropyLoss()
local optimizer = optim.Adam(model:parameters(), { lr = args.lr })

for epoch = 1, args.epochs do
  local cost = 0
  for x, y in progress(loader:batches(), #loader, "epoch " .. epoch) do
    optimizer:zero_grad()
    local loss = criterion(model(x), y)
    loss:backward()
    optimizer:step()
    cost = cost + loss:item() / #loader
  end
  print(("Epoch: %04d cost = %.9f"):format(epoch, cost))
end
print("Learning finished")

wrun.no_grad(function()
  local guess = model(test.x:flatten(2) / 255):argmax(2)
  print(("Accuracy: %.16g"):format(guess:eq(test.y):float():mean():item()))
  local i = wrun.randint(1, #test.y + 1, { 1 }):item()
  print("Label: " .. test.classes[test.y[i]:item()])
  print("Prediction: " .. test.classes[guess[i]:item()])
end)
