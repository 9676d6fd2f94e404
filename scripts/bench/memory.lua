--- The most memory a process ever holds: training, and temporaries that must not pile up.

local harness = require "harness"
local mnist = require "mnist"

local EPOCHS = 15

local folder = mnist.folder()
local options = folder and " --data " .. folder or ""
local trained = harness.peak(("scripts/mnist_xavier.lua --epochs %d%s"):format(EPOCHS, options))

local torch, torch_peak = harness.torch(), nil
if torch then
  torch:ask("load", mnist.load().folder)
  torch:ask("epoch", EPOCHS)
  torch_peak = torch:ask("peak")
  torch:close()
end

harness.heading("most memory held", torch and "PyTorch")
harness.memory(EPOCHS .. " epochs of 784-256-256-10", trained, torch_peak, "<= 130 MB")
for _, case in ipairs({ { 0, "<= 64 MB" }, { 200, "<= 300 MB" } }) do
  local live, aim = table.unpack(case)
  local peak = harness.peak(("%s/temporaries.lua %d"):format(harness.folder, live))
  harness.memory(("20,000 temporaries beside %d MB"):format(live), peak, nil, aim)
end

local function steps(count)
  return harness.peak(("%s/steps.lua %d"):format(harness.folder, count))
end

harness.heading("most memory held", "1,000 steps")
harness.memory("100,000 training steps", steps(100000), steps(1000), "<= 1.02")
