--- Seconds per epoch of mnist_xavier.lua's network, beside its bare products and beside PyTorch.

local bare = require "bare"
local harness = require "harness"
local mnist = require "mnist"
local wrun = require "wrun"

local ROUNDS = 5
local STEPS = 600

local nn, optim, data = wrun.nn, wrun.optim, wrun.data

-- Returns a function that trains for one epoch, as scripts/mnist_xavier.lua does.
local function trainer(train)
  local loader = data.loader(train, { batch_size = 100, shuffle = true, drop_last = true })
  local linear1, linear2, linear3 = nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)
  for _, linear in ipairs({ linear1, linear2, linear3 }) do
    nn.init.xavier_uniform_(linear.weight)
  end
  local model = nn.Sequential(linear1, nn.ReLU(), linear2, nn.ReLU(), linear3)
  local criterion = nn.CrossEntropyLoss()
  local optimizer = optim.Adam(model:parameters(), { lr = 0.001 })
  return function()
    local cost = 0
    for x, y in loader:batches() do
      optimizer:zero_grad()
      local loss = criterion(model(x), y)
      loss:backward()
      optimizer:step()
      cost = cost + loss:item() / #loader
    end
  end
end

local train = mnist.load()
local train_epoch = trainer(train)
local network = bare.new()

local function with_threads(threads)
  return function()
    wrun.set_num_threads(threads)
    return harness.seconds(train_epoch)
  end
end

-- OpenBLAS's second thread spins for a while after its work; whoever comes next should not pay.
local function products(threads)
  return function()
    local seconds = harness.seconds(bare.run, network, STEPS, threads)
    os.execute("sleep 0.1")
    return seconds
  end
end

local contestants = {
  wrun1 = with_threads(1),
  wrun2 = with_threads(2),
  bare1 = products(1),
  bare2 = products(2),
}

local torch, torch_threads = harness.torch(), nil
if torch then
  torch:ask("load", train.folder)
  local seconds = {}
  for threads = 1, 2 do
    torch:ask("threads", threads)
    torch:ask("epoch", 1)
    seconds[threads] = torch:ask("epoch", 1)
  end
  torch_threads = seconds[1] <= seconds[2] and 1 or 2
  torch:ask("threads", torch_threads)
  contestants.torch = torch:asking("epoch", 1)
end

local times = harness.take_turns(ROUNDS, contestants)

harness.heading("an epoch of " .. train.name, "products")
local least = harness.best(times.bare1, times.bare2)
local count = least == times.bare1 and "1 thread" or "2 threads"
harness.compare(("2 threads; products: %s, its best"):format(count), times.wrun2, least, "<= 1.2")
harness.compare("1 thread; products: 1 thread", times.wrun1, times.bare1, "<= 1.2")

if torch then
  harness.heading("an epoch of " .. train.name, "PyTorch")
  local theirs = torch_threads == 1 and "1 thread, its best" or "2 threads, its best"
  harness.compare("2 threads; PyTorch: " .. theirs, times.wrun2, times.torch, "<= 0.3")
  harness.compare("1 thread; PyTorch: " .. theirs, times.wrun1, times.torch)
  torch:close()
end
