#!/usr/bin/env wrun
--- A deep belief network on MNIST: does pretraining still pay? Fine-tuned, it stands beside networks
--- of the same shape that start from Xavier's and He's draws, with few labels and with many.
---
--- The table at the end says what was found, also where pretraining loses.

local argparse = require "argparse"
local wrun = require "wrun"
local data, dbn, image, nn, optim = wrun.data, wrun.dbn, wrun.image, wrun.nn, wrun.optim
local progress = wrun.progress

local parser = argparse("dbn_mnist.lua", "Pretrained networks beside randomly started ones.")
parser:option("--sizes", "Units of the hidden layers.", "500,500,2000")
parser:option("--labels", "Labelled images to learn from, one or more numbers.", "1000,60000")
parser:option("--pretraining", "Epochs a layer; the top one gets twice as many.", "15",
  data.whole("--pretraining", 0))
parser:option("--steps", "Steps of fine-tuning at most, of 100 images each.", "18000",
  data.whole("--steps", 0))
parser:option("--dropout", "Share of the pixels left out in fine-tuning.", "0.4",
  data.number("--dropout", 0))
parser:option("--smoothing", "Share of a label that all classes get alike.", "0.1",
  data.number("--smoothing", 0))
parser:option("--lr", "Learning rate of fine-tuning, falling to 0 in a line.", "0.001",
  data.number("--lr", 0))
parser:option("--starts", "What to compare.", "dbn,sigmoid,tanh,relu")
data.options(parser, { out = true })
local args = parser:parse()

local function numbers(name, most)
  local list = {}
  for text in args[name]:gmatch("[^,]+") do
    local number = math.tointeger(text)
    if not number or number < 1 or number > most then
      parser:error(("option '--%s': expected whole numbers from 1 to %d, got '%s'"):format(name,
        most, args[name]))
    end
    list[#list + 1] = number
  end
  return list
end

local train, test = data.images(args)
local x_test = test.x:flatten(2):float() / 255
local sizes, counts = { 784, table.unpack(numbers("sizes", 1 << 20)) }, numbers("labels", #train.y)

-- A network of the sizes with an activation, started from an initialiser.
local function started(activation, initialise)
  local list = {}
  for i = 2, #sizes do
    local linear = nn.Linear(sizes[i - 1], sizes[i])
    initialise(linear.weight)
    nn.init.zeros_(linear.bias)
    list[#list + 1], list[#list + 2] = linear, activation()
  end
  list[#list + 1] = nn.Linear(sizes[#sizes], 10)
  nn.init.xavier_uniform_(list[#list].weight)
  nn.init.zeros_(list[#list].bias)
  return nn.Sequential(table.unpack(list))
end

local stack
local function pretrained()
  if not stack then
    stack = dbn.new { sizes = sizes, seed = args.seed }
    local bar <close> = progress.bar {
      label = "pretraining", count = args.pretraining * #sizes, unit = " epochs",
    }
    local done, layers = 0, {}
    for i = 1, #sizes - 2 do
      layers[i] = { method = "cd", lr = { 0.1, 0.01 }, momentum = 0.5, l2 = 0.0002 }
    end
    -- the top machine is what samples come from, so it is trained by its likelihood, and longer
    layers[#sizes - 1] = { method = "pcd", lr = { 0.05, 0 }, epochs = 2 * args.pretraining }
    stack:fit(train.x, {
      epochs = args.pretraining, layers = layers,
      callback = function(info)
        done = done + 1
        bar:set { layer = info.layer, error = info.reconstruction_error }
        bar:update(done)
      end,
    })
  end
  -- a copy, so that every fine-tuning starts from the same stack
  local copy = dbn.new { sizes = sizes, seed = args.seed }
  for i, layer in ipairs(stack.layers) do
    copy.layers[i]:load_state_dict(layer:state_dict())
  end
  return copy:to_nn { classes = 10 }
end

local STARTS = {
  dbn = { "DBN, sigmoid", pretrained },
  sigmoid = { "Xavier, sigmoid", function()
    return started(nn.Sigmoid, nn.init.xavier_uniform_)
  end },
  tanh = { "Xavier, tanh", function()
    return started(nn.Tanh, nn.init.xavier_uniform_)
  end },
  relu = { "He, ReLU", function()
    return started(nn.ReLU, function(weight)
      return nn.init.kaiming_normal_(weight, { nonlinearity = "relu" })
    end)
  end },
}

local function test_error(model)
  return wrun.no_grad(function()
    local wrong = 0
    for first = 1, #test.y, 1000 do
      local count = math.min(1000, #test.y - first + 1)
      local guess = model(x_test:narrow(1, first, count)):argmax(2)
      wrong = wrong + guess:ne(test.y:narrow(1, first, count)):sum():item()
    end
    return 100 * wrong / #test.y
  end)
end

local function fine_tune(model, labels, label)
  local set = { x = train.x:narrow(1, 1, labels), y = train.y:narrow(1, 1, labels) }
  local loader = data.loader(set, { batch_size = 100, shuffle = true, drop_last = labels >= 100 })
  local step, steps = 0, math.min(args.steps, 4000 + labels // 4)
  local optimizer = optim.Adam(model:parameters(), { lr = args.lr })
  local scheduler = optim.lr_scheduler.LinearLR(optimizer, {
    start_factor = 1, end_factor = 0, total_iters = steps,
  })
  local criterion = nn.CrossEntropyLoss({ label_smoothing = args.smoothing })
  local dropout = nn.Dropout(args.dropout)
  local bar <close> = progress.bar { label = label, count = steps, unit = " steps" }
  while step < steps do
    for x, y in loader:batches() do
      optimizer:zero_grad()
      local loss = criterion(model(dropout(x)), y)
      loss:backward()
      optimizer:step()
      scheduler:step()
      step = step + 1
      bar:set { loss = loss }
      bar:update(step)
      if step == steps then
        break
      end
    end
  end
end

local starts = {}
for name in args.starts:gmatch("[^,]+") do
  starts[#starts + 1] = STARTS[name]
    or parser:error(("option '--starts': no start called '%s'"):format(name))
end

local results = {}
for _, start in ipairs(starts) do
  local title, make = start[1], start[2]
  for _, labels in ipairs(counts) do
    local model = make()
    fine_tune(model, labels, ("%s, %d labels"):format(title, labels))
    results[#results + 1] = { title, labels, test_error(model) }
    print(("%-16s %6d labels  test error %6.2f %%"):format(table.unpack(results[#results])))
  end
end

for _, labels in ipairs(counts) do
  local best, own
  for _, result in ipairs(results) do
    if result[2] == labels then
      own = result[1] == STARTS.dbn[1] and result[3] or own
      best = result[1] ~= STARTS.dbn[1] and (not best or result[3] < best[3]) and result or best
    end
  end
  if own and best then
    print(("with %d labels pretraining %s: %.2f %% beside %.2f %% of the best random start (%s)")
      :format(labels, own < best[3] and "wins" or "loses", own, best[3], best[1]))
  end
end

if args.out and stack then
  image.save(args.out .. "/dbn_samples.png", stack:sample(100, 1000):reshape(100, 28, 28),
    { columns = 10, scale = 2 })
  print("dbn_samples.png is in " .. args.out)
end
