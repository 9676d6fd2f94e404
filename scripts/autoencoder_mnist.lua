#!/usr/bin/env wrun
--- A deep autoencoder on MNIST, 784-1000-500-250-30: pretrained as a stack of machines, unrolled
--- and fine-tuned, beside the same network from random weights and beside PCA.
---
--- Errors are sums of squares an image, pixels from 0 to 1 [HintonSalakhutdinov2006].

local argparse = require "argparse"
local wrun = require "wrun"
local data, dbn, image, nn, optim = wrun.data, wrun.dbn, wrun.image, wrun.nn, wrun.optim
local progress = wrun.progress

local parser = argparse("autoencoder_mnist.lua", "A pretrained autoencoder beside PCA.")
parser:option("--sizes", "Units of the hidden layers; the last is the linear code.",
  "1000,500,250,30")
parser:option("--pretraining", "Epochs a layer.", "10", data.whole("--pretraining", 0))
parser:option("--epochs", "Passes of fine-tuning.", "40", data.whole("--epochs", 0))
parser:option("--lr", "Learning rate of fine-tuning, falling to 0 in a line.", "0.001",
  data.number("--lr", 0))
parser:option("--starts", "What to train beside PCA, of dbn and xavier.", "dbn,xavier")
parser:option("--images", "How many training images (default: all).",
  nil, data.whole("--images", 1))
data.options(parser, { out = true })
local args = parser:parse()

local train, test = data.images(args)
local x_train = train.x:narrow(1, 1, math.min(args.images or #train.y, #train.y))
local x_test = test.x:flatten(2):float() / 255

local sizes = { 784 }
for size in args.sizes:gmatch("[^,]+") do
  sizes[#sizes + 1] = math.tointeger(size)
    or parser:error("option '--sizes': expected whole numbers, got " .. args.sizes)
end
local code = sizes[#sizes]

-- PCA ------------------------------------------------------------------------

-- The mean, and the first `count` principal directions as columns.
local function principal(count)
  local sum = wrun.zeros(784, { dtype = "float64" })
  local squares = wrun.zeros(784, 784, { dtype = "float64" })
  local n = x_train:size(1)
  for first = 1, n, 10000 do
    local rows = x_train:narrow(1, first, math.min(10000, n - first + 1)):flatten(2):double() / 255
    sum, squares = sum + rows:sum(1), squares + rows:t():matmul(rows)
  end
  local mean = sum / n
  local covariance = squares / n - mean:outer(mean)
  local _, directions = wrun.linalg.eigh(covariance) -- the largest come last
  return mean:float(), directions:narrow(2, 784 - count + 1, count):float()
end

local function reconstruct_pca(mean, directions)
  return (x_test - mean):matmul(directions):matmul(directions:t()) + mean
end

-- Networks -------------------------------------------------------------------

local function xavier()
  local model = dbn.new { sizes = sizes, code_units = "gaussian", seed = args.seed }:unroll()
  for _, module in ipairs(model:modules()) do
    if nn.Linear:is_instance(module) then
      nn.init.xavier_uniform_(module.weight)
      nn.init.zeros_(module.bias)
    end
  end
  return model
end

local function pretrained()
  local stack = dbn.new { sizes = sizes, code_units = "gaussian", seed = args.seed }
  local bar <close> = progress.bar {
    label = "pretraining", count = args.pretraining * (#sizes - 1), unit = " epochs",
  }
  local done, layers = 0, {}
  layers[#sizes - 1] = { lr = { 0.002, 0 } } -- a linear code wants small steps
  for i = 1, #sizes - 2 do
    layers[i] = { lr = { 0.1, 0.01 } }
  end
  stack:fit(x_train, {
    method = "cd", epochs = args.pretraining, momentum = 0.5, l2 = 0.0002, layers = layers,
    callback = function(info)
      done = done + 1
      bar:set { layer = info.layer, error = info.reconstruction_error }
      bar:update(done)
    end,
  })
  return stack:unroll()
end

local function reconstruct(model)
  return wrun.no_grad(function()
    local y = wrun.empty(x_test.shape)
    for first = 1, #test.y, 1000 do
      local rows = math.min(1000, #test.y - first + 1)
      y:narrow(1, first, rows):copy_(model(x_test:narrow(1, first, rows)))
    end
    return y
  end)
end

local function error_of(y)
  return (y - x_test):square():sum(2):mean():item()
end

local function fine_tune(model, title)
  local loader = data.loader({ x = x_train }, {
    batch_size = 100, shuffle = true, drop_last = x_train:size(1) >= 100,
  })
  local optimizer = optim.Adam(model:parameters(), { lr = args.lr })
  local criterion = nn.MSELoss({ reduction = "sum" })
  local steps, step = args.epochs * #loader, 0
  local scheduler = optim.lr_scheduler.LinearLR(optimizer, {
    start_factor = 1, end_factor = 0, total_iters = steps,
  })
  local bar <close> = progress.bar { label = title, count = steps, unit = " steps" }
  for _ = 1, args.epochs do
    for x in loader:batches() do
      optimizer:zero_grad()
      local loss = criterion(model(x), x) / x:size(1)
      loss:backward()
      optimizer:step()
      scheduler:step()
      step = step + 1
      bar:set { loss = loss }
      bar:update(step)
    end
  end
end

-- The comparison -------------------------------------------------------------

local STARTS = {
  dbn = { "pretrained autoencoder", pretrained },
  xavier = { "autoencoder from Xavier", xavier },
}

local starts = {}
for name in args.starts:gmatch("[^,]+") do
  starts[#starts + 1] = STARTS[name]
    or parser:error(("option '--starts': no start called '%s'"):format(name))
end

local pictures = { x_test:narrow(1, 1, 20) }

local function report(title, y)
  pictures[#pictures + 1] = y:narrow(1, 1, 20)
  print(("%-36s %7.3f"):format(title, error_of(y)))
end

print(("%s, code of %d units: test error, sum of squares an image"):format(train.name, code))
report("mean image", (x_train:flatten(2):float():mean(1) / 255):expand(x_test.shape))
report(("PCA, %d components"):format(code), reconstruct_pca(principal(code)))
for _, start in ipairs(starts) do
  local title, make = start[1], start[2]
  local model = make()
  report(title .. ", not tuned", reconstruct(model))
  fine_tune(model, title)
  report(title, reconstruct(model))
end

if args.out then
  local rows = wrun.cat(pictures, 1):reshape(-1, 28, 28)
  image.save(args.out .. "/autoencoder.png", rows, { columns = 20, scale = 2 })
  print("autoencoder.png is in " .. args.out .. ": the images, then a row for each line above")
end
