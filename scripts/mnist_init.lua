#!/usr/bin/env wrun
--- The network of mnist_xavier.lua, 784-256-256-10 with ReLU, from eight starts and several seeds
--- each: what is learnt, how sure that is, and why a start is bad.

local argparse = require "argparse"
local wrun = require "wrun"
local data, dbn, nn, optim, plot = wrun.data, wrun.dbn, wrun.nn, wrun.optim, wrun.plot
local init, progress = nn.init, wrun.progress

local NAMES = {
  "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "normal", "lsuv", "rbm", "zeros",
}

local parser = argparse("mnist_init.lua", "Compares eight starts of one network.")
parser:option("--starts", "What to compare.", table.concat(NAMES, ","))
parser:option("--seeds", "Runs of each start.", "5", data.whole("--seeds", 1))
parser:option("--epochs", "Passes over the training set.", "3", data.whole("--epochs", 1))
parser:option("--pretraining", "Epochs of each Boltzmann machine before.", "1",
  data.whole("--pretraining", 1))
data.options(parser, { out = true })
local args = parser:parse()

local train, test = data.images(args)
local x_test = test.x:flatten(2):float() / 255
local batch = train.x:narrow(1, 1, math.min(500, #train.y)):flatten(2):float() / 255

-- Machines that learn the images, then what the first one makes of them: their weights and hidden
-- biases are those of the hidden layers. The last layer, which they know nothing of, is Xavier's.
local function start_from_machines(model, seed)
  local stack = dbn.new { sizes = { 784, 256, 256 }, seed = seed }
  stack:fit(train.x, {
    method = "cd", lr = { 0.1, 0.01 }, momentum = 0.5, epochs = args.pretraining,
  })
  init.apply(model, "xavier_uniform")
  wrun.no_grad(function()
    for i, machine in ipairs(stack.layers) do
      model[2 * i - 1].weight:copy_(machine.weight)
      model[2 * i - 1].bias:copy_(machine.hidden_bias)
    end
  end)
end

-- All start biases from 0, but for the machines.
local STARTS = {
  lsuv = function(model)
    init.lsuv_(init.apply(model, "zeros"), batch)
  end,
  rbm = start_from_machines,
}
for _, name in ipairs(NAMES) do
  STARTS[name] = STARTS[name] or function(model)
    init.apply(model, name)
  end
end

local names = {}
for name in args.starts:gmatch("[^,]+") do
  if not STARTS[name] then
    parser:error(("option '--starts': no start called '%s'"):format(name))
  end
  names[#names + 1] = name
end

local figure = plot.Figure { title = "learning", x = "epoch", y = "cost", log = "y" }
if args.out then -- before the work, if it cannot be done
  local ok, reason = plot.has_gnuplot()
  if not ok then
    parser:error("option '--out': " .. reason)
  end
end

local function started(name, seed)
  wrun.manual_seed(seed)
  local model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
    nn.Linear(256, 10))
  STARTS[name](model, seed)
  return model
end

local POINTS = 10 -- of the curve, an epoch
local LEAST = 1e-9 -- cost that is drawn: a batch's may round to 0

-- Trains a model, and returns the mean cost of each tenth of an epoch, and the test error in %.
local function learn(model)
  local loader = data.loader(train, { batch_size = 100, shuffle = true, drop_last = true })
  local optimizer = optim.Adam(model:parameters(), { lr = 0.001 })
  local criterion = nn.CrossEntropyLoss()
  local each, costs, step, sum = math.max(#loader // POINTS, 1), {}, 0, 0
  for _ = 1, args.epochs do
    for x, y in loader:batches() do
      optimizer:zero_grad()
      local cost = criterion(model(x), y)
      cost:backward()
      optimizer:step()
      step, sum = step + 1, sum + cost:item()
      if step % each == 0 then
        costs[#costs + 1], sum = math.max(sum / each, LEAST), 0
      end
    end
  end
  local guess = wrun.no_grad(model, x_test):argmax(2)
  return costs, 100 * guess:ne(test.y):float():mean():item(), #loader / each
end

-- The mean of the rows of a table, and their standard deviation, which one row has not.
local function mean_and_deviation(rows)
  local x = wrun.tensor(rows, { dtype = "float64" })
  return x:mean(1), #rows > 1 and x:std(1) or x:mean(1) * 0
end

local timer = wrun.timer()
local means, deviations, faults = {}, {}, {}
do
  local bar <close> = progress.bar { label = "runs", count = #names * args.seeds }
  for i, name in ipairs(names) do
    local curves, errors, points = {}, {}, nil
    for k = 1, args.seeds do
      local model = started(name, args.seed + k - 1)
      if k == 1 then
        local y = train.y:narrow(1, 1, #batch)
        faults[name] = init.report(model, batch, { target = y }).faults
      end
      curves[k], errors[k], points = learn(model)
      bar:update((i - 1) * args.seeds + k)
    end
    local mean, deviation = mean_and_deviation(errors)
    means[i], deviations[i] = mean:item(), deviation:item()
    -- costs multiply, so their logarithms are what has a mean
    local middle, width = mean_and_deviation(wrun.tensor(curves):log():tolist())
    local epochs = wrun.arange(1, #middle + 1, { dtype = "float64" }) / points
    figure:line(epochs, middle:exp(), {
      label = name, low = (middle - width):exp(), high = (middle + width):exp(),
    })
  end
end

print(("test error after %d epochs, %d seeds"):format(args.epochs, args.seeds))
for i, name in ipairs(names) do
  print(("  %-16s %6.2f %% +- %.2f"):format(name, means[i], deviations[i]))
end
for _, name in ipairs(names) do
  for _, fault in ipairs(faults[name]) do
    print(("%s: %s"):format(name, fault))
  end
end
print(("%.1f s"):format(timer:seconds()))

if args.out then
  local is_log = math.min(table.unpack(means)) > 0
  local errors = plot.Figure { title = "test error", y = "%", log = is_log and "y" or nil }
    :bars(names, means, { error = deviations })
  plot.grid({ figure, errors }, { columns = 2 }):save(args.out .. "/mnist_init.png")
  print("mnist_init.png is in " .. args.out)
end
