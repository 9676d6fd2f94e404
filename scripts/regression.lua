#!/usr/bin/env wrun
--- Linear regression from a CSV file with a header: the last column from the others.

local argparse = require "argparse"
local wrun = require "wrun"
local data, nn, optim = wrun.data, wrun.nn, wrun.optim

local parser = argparse("regression.lua", "Fits the last column of a table by the others.")
parser:argument("file", "CSV file with a header.")
parser:option("--steps", "Steps of training.", "1000", data.whole("--steps", 0))
parser:option("--seed", "Seed of every random draw.", "1", data.whole("--seed"))
local args = parser:parse()

wrun.manual_seed(args.seed)
local rows, names = data.csv(args.file, { header = true })
local features = #names - 1
local x, y = rows:narrow(2, 1, features), rows:narrow(2, features + 1, 1)

local model = nn.Linear(features, 1)
local criterion, optimizer = nn.MSELoss(), optim.Adam(model:parameters(), { lr = 0.1 })
for step = 1, args.steps do
  optimizer:zero_grad()
  local loss = criterion(model(x), y)
  loss:backward()
  optimizer:step()
  if step % 250 == 0 then
    print(("step %4d  loss %.6f"):format(step, loss:item()))
  end
end

for i, weight in ipairs(model.weight[1]:tolist()) do
  print(("%s: %.4f"):format(names[i]:gsub("%c", "?"), weight))
end
print(("constant: %.4f"):format(model.bias:item()))
