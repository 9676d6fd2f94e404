#!/usr/bin/env wrun
--- Exclusive or, which no single layer can learn: two inputs, eight hidden units, one logit.

local argparse = require "argparse"
local wrun = require "wrun"
local data, nn, optim = wrun.data, wrun.nn, wrun.optim

local parser = argparse("xor.lua", "Learns exclusive or.")
parser:option("--steps", "Steps of training.", "200", data.whole("--steps", 0))
parser:option("--seed", "Seed of every random draw.", "1", data.whole("--seed"))
local args = parser:parse()

wrun.manual_seed(args.seed)
local x = wrun.tensor { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } }:float()
local y = wrun.tensor { { 0 }, { 1 }, { 1 }, { 0 } }:float()

local model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
local criterion, optimizer = nn.BCEWithLogitsLoss(), optim.Adam(model:parameters(), { lr = 0.1 })
for step = 1, args.steps do
  optimizer:zero_grad()
  local loss = criterion(model(x), y)
  loss:backward()
  optimizer:step()
  if step % 50 == 0 then
    print(("step %3d  loss %.4f"):format(step, loss:item()))
  end
end

for i, guess in ipairs(model(x):detach():sigmoid():round():tolist()) do
  print(("%d xor %d = %d"):format(x[i][1]:item() // 1, x[i][2]:item() // 1, guess[1] // 1))
end
