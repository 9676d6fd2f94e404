--- Prints the seconds of the better of two epochs: of a network with the activation named, or of an
--- RBM.

package.path = arg[0]:match("^(.*)/") .. "/?.lua;" .. package.path

local core = require "wrun.core"
local mnist = require "mnist"
local wrun = require "wrun"

local nn = wrun.nn
local what = arg[1]
local train = mnist.load()
local epoch

if what == "RBM" then
  local machine = wrun.rbm.new { visible = 784, hidden = 500, center = false, seed = 1 }
  local trainer = machine:trainer(train.x, {
    method = "cd", epochs = 1000, lr = 0.01, binarize = "stochastic",
  })
  function epoch()
    trainer:run_epoch()
  end
else
  wrun.manual_seed(1)
  local model = nn.Sequential(nn.Linear(784, 256), nn[what](), nn.Linear(256, 256), nn[what](),
    nn.Linear(256, 10))
  local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.001 })
  local criterion = nn.CrossEntropyLoss()
  local loader = wrun.data.loader(train, { batch_size = 100, shuffle = true })
  function epoch()
    for x, y in loader:batches() do
      optimizer:zero_grad()
      criterion(model(x), y):backward()
      optimizer:step()
    end
  end
end

local least = math.huge
for _ = 1, 2 do
  local start = core.clock()
  epoch()
  least = math.min(least, core.clock() - start)
end
print(least)
