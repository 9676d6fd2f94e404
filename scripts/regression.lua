#!/usr/bin/env wrun
--- Linear regression from a CSV file with a header: the last column from the others.

local wrun = require "wrun"
local data, nn, optim = wrun.data, wrun.nn, wrun.optim

local rows, names = data.csv(arg[1] or error("usage: regression.lua FILE.csv"), { header = true })
local features = #names - 1
local x, y = rows:narrow(2, 1, features), rows:narrow(2, features + 1, 1)

wrun.manual_seed(1)
local model = nn.Linear(features, 1)
local criterion = nn.MSELoss()
local optimizer = optim.Adam(model:parameters(), { lr = 0.1 })

for step = 1, 1000 do
  optimizer:zero_grad()
  local loss = criterion(model(x), y)
  loss:backward()
  optimizer:step()
  if step % 250 == 0 then
    print(("step %4d  loss %.6f"):format(step, loss:item()))
  end
end

for i, weight in ipairs(model.weight[1]:tolist()) do
  print(("%s: %.4f"):format(names[i], weight))
end
print(("constant: %.4f"):format(model.bias:item()))
