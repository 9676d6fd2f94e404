#!/usr/bin/env wrun
--- Exclusive or, which no single layer can learn: two inputs, eight hidden units, one logit.

local wrun = require "wrun"
local nn, optim = wrun.nn, wrun.optim

wrun.manual_seed(1)
local x = wrun.tensor { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } }:float()
local y = wrun.tensor { { 0 }, { 1 }, { 1 }, { 0 } }:float()

local model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
local criterion = nn.BCEWithLogitsLoss()
local optimizer = optim.Adam(model:parameters(), { lr = 0.1 })

for step = 1, 200 do
  optimizer:zero_grad()
  local loss = criterion(model(x), y)
  loss:backward()
  optimizer:step()
  if step % 50 == 0 then
    print(("step %3d  loss %.4f"):format(step, loss:item()))
  end
end

local guess = model(x):detach():sigmoid():round()
for i = 1, 4 do
  local a, b = table.unpack(x[i]:long():tolist())
  print(("%d xor %d = %d"):format(a, b, guess[i]:item() // 1))
end
