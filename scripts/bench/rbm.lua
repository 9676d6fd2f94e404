--- Seconds of a Restricted Boltzmann Machine's work, 784-500: an epoch beside its bare products and
--- beside PyTorch; exact likelihoods, annealed importance sampling and long chains by themselves.

local bare = require "bare"
local harness = require "harness"
local mnist = require "mnist"
local wrun = require "wrun"

local ROUNDS = 3
local STEPS = 600

local train = mnist.load()
local machine = bare.new_machine()

-- Returns a contestant: an epoch of stochastically binarised images, in batches of 100.
local function epoch(method)
  local r = wrun.rbm.new { visible = 784, hidden = 500, center = false, seed = 1 }
  local trainer = r:trainer(train.x, {
    method = method, epochs = 1000, lr = 0.01, binarize = "stochastic",
  })
  return function()
    return harness.seconds(trainer.run_epoch, trainer)
  end
end

local function products(threads)
  return function()
    local seconds = harness.seconds(bare.run_machine, machine, STEPS, threads)
    os.execute("sleep 0.1")
    return seconds
  end
end

local contestants = {
  cd = epoch("cd"), pcd = epoch("pcd"), bare1 = products(1), bare2 = products(2),
}
local torch = harness.torch()
if torch then
  torch:ask("load", train.folder)
  local seconds = {}
  for threads = 1, 2 do
    torch:ask("threads", threads)
    torch:ask("machine_epoch", "pcd")
    seconds[threads] = torch:ask("machine_epoch", "pcd")
  end
  torch:ask("threads", seconds[1] <= seconds[2] and 1 or 2)
  contestants.torch_cd = torch:asking("machine_epoch", "cd")
  contestants.torch_pcd = torch:asking("machine_epoch", "pcd")
end

local times = harness.take_turns(ROUNDS, contestants)
local least = harness.best(times.bare1, times.bare2)
harness.heading("an epoch of an RBM 784-500 on " .. train.name, "products")
harness.compare("CD-1; products at their best threads", times.cd, least, "<= 1.1")
harness.compare("PCD-1; products at their best threads", times.pcd, least, "<= 1.1")
if torch then
  harness.heading("an epoch of an RBM 784-500 on " .. train.name, "PyTorch")
  harness.compare("CD-1; PyTorch at its best threads", times.cd, times.torch_cd, "<= 0.65")
  harness.compare("PCD-1; PyTorch at its best threads", times.pcd, times.torch_pcd, "<= 0.65")
  torch:close()
end

-- Weights of a size that training reaches.
local function trained(hidden)
  return wrun.rbm.new { visible = 784, hidden = hidden, std = 0.1, seed = 1 }
end

local function once(f)
  return { harness.seconds(f) }
end

local large = trained(500)
harness.heading("scores and samples")
for _, hidden in ipairs { 20, 25 } do
  local small = trained(hidden)
  harness.compare(("exact log Z of %d hidden units"):format(hidden), once(function()
    small:log_z()
  end), nil, hidden == 20 and "<= 1 s" or "<= 15 s")
end
harness.compare("AIS, 100 chains x 14,500 steps", once(function()
  large:ais()
end), nil, "<= 40 s")
local chains = large:chains(100)
harness.compare("Gibbs sampling, 100 chains x 10,000 steps", once(function()
  chains:step(10000)
end), nil, "<= 40 s")
