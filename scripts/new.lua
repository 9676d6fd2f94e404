#!/usr/bin/env wrun
--- A new experiment in a folder of its own: `wrun new demo`.
---
--- It has options, a loop that can be stopped and goes on, a plot, and a spec that passes; its data
--- and its model are there to be replaced.

local argparse = require "argparse"
local wrun = require "wrun"
local core = require "wrun.core"

local parser = argparse("new.lua", "Writes an experiment of your own to begin with.")
parser:argument("name", "Its folder, which must not be there yet."):convert(function(name)
  return name:find("^[%w_][%w_-]*$") and name
    or nil, ("name: expected letters, digits, - and _, got '%s'"):format(name)
end)
parser:option("--seed", "What its option --seed is by default.", "1", wrun.data.whole("--seed"))
local args = parser:parse()
local name = args.name

local FILES = {}

FILES["train.lua"] = [==[
#!/usr/bin/env wrun
--- NAME: a network learns which points of a square lie in a disc.

local argparse = require "argparse"
local network = require "model"
local wrun = require "wrun"
local data, nn, optim = wrun.data, wrun.nn, wrun.optim

local parser = argparse("train.lua", "Trains NAME.")
parser:option("--name", "Name of the run; all of it lies in runs/ and that.", "first")
parser:option("--seed", "Seed of every random draw.", "SEED", data.whole("--seed"))
parser:option("--epochs", "Passes over the training set.", "30", data.whole("--epochs", 0))
parser:option("--lr", "Learning rate.", "0.01", data.number("--lr", 0))
parser:option("--width", "Hidden units of a layer.", "32", data.whole("--width", 1))
local args = parser:parse()

-- Started again by the same name, it goes on where it was.
local run <close> = wrun.experiment {
  name = args.name, seed = args.seed, options = { lr = args.lr, width = args.width },
}

-- Your data goes here: x [samples, features], y [samples], classes from 1.
local x = wrun.rand(2500, 2) * 4 - 2
local y = x:square():sum(2):lt(2.5):long() + 1
local train = { x = x:narrow(1, 1, 2000), y = y:narrow(1, 1, 2000) }
local test = { x = x:narrow(1, 2001, 500), y = y:narrow(1, 2001, 500) }
local loader = data.loader(train, { batch_size = 50, shuffle = true })

local model = network(2, args.width, 2) -- in model.lua
local optimizer = optim.Adam(model:parameters(), { lr = args.lr })
local stopping = wrun.early_stopping(model, { patience = 5 })
run:keep { model = model, optimizer = optimizer, stopping = stopping }

-- The loss and the accuracy on the test set.
local function judge()
  return wrun.no_grad(function()
    local scores = model(test.x)
    return nn.functional.cross_entropy(scores, test.y):item(),
      wrun.metrics.accuracy(scores, test.y)
  end)
end

for epoch, batches in run:loop(args.epochs, loader) do
  for inputs, targets in batches do
    optimizer:zero_grad()
    local loss = nn.functional.cross_entropy(model(inputs), targets)
    loss:backward()
    optimizer:step()
    run:add { loss = loss }
  end
  local test_loss, accuracy = judge()
  run:set { test_loss = test_loss, accuracy = accuracy }
  print(("epoch %3d  loss %.4f  test loss %.4f  accuracy %.3f"):format(epoch, run:mean("loss"),
    test_loss, accuracy))
  if stopping:step(test_loss) then break end
end
stopping:restore()

local test_loss, accuracy = judge()
run:set { test_loss = test_loss, accuracy = accuracy }
print(("best: test loss %.4f  accuracy %.3f, in %s"):format(test_loss, accuracy, run.folder))

wrun.plot.Figure { title = run.name, x = "epoch", y = "loss", log = "y" }
  :line(run:column("loss"), { label = "training" })
  :line(run:column("test_loss"), { label = "test" })
  :save(run:path("loss.png"))
]==]

FILES["model.lua"] = [==[
--- The network of NAME.

local wrun = require "wrun"
local nn = wrun.nn

--- Returns a network: x [batch, inputs] -> scores [batch, classes].
return function(inputs, width, classes)
  local start = { weight_init = "he_normal", bias_init = "zeros" }
  return nn.Sequential(
    nn.Linear(inputs, width, start), nn.ReLU(),
    nn.Linear(width, width, start), nn.ReLU(),
    nn.Linear(width, classes))
end
]==]

FILES["spec/model_spec.lua"] = [==[
--- What must be true of the network of NAME.

local network = require "model"
local wrun = require "wrun"

require "wrun.testing"

describe("the network", function()
  wrun.manual_seed(1)
  local model = network(2, 32, 2)
  local x = wrun.randn(50, 2)

  it("gives a score for each class", function()
    assert.shape(model(x), { 50, 2 })
  end)

  it("starts well: neither signal nor gradient fades or grows", function()
    assert.healthy(model, x)
  end)

  it("has the gradients that finite differences give", function()
    assert.gradients(network(2, 4, 2), wrun.randn(3, 2))
  end)
end)
]==]

local function fail(message)
  io.stderr:write(("new.lua: %s\n"):format(message))
  os.exit(1)
end

if core.folder_names(name) or io.open(name) then
  fail(name .. ": is there already")
end
local made, message = core.make_folder(name .. "/spec")
for path, text in pairs(made and FILES or {}) do
  if made then
    text = text:gsub("NAME", name):gsub("SEED", args.seed)
    made, message = core.text_save(name .. "/" .. path, text)
  end
end
if not made then
  fail(message)
end
print((([[
@/train.lua           the experiment: data, options, loop, plot
@/model.lua           its network
@/spec/model_spec.lua what must be true of that

    cd @
    wrun train.lua                     trains; stopped by Ctrl-C and started again, it goes on
    busted --lua="$(command -v wrun)"  tests the network]]):gsub("@", name)))
