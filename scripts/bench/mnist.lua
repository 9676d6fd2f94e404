--- The data set the benchmarks train on: MNIST where it can be had, else Fashion-MNIST.

local wrun = require "wrun"

local M = {}

-- Beside the tree, where no variable says otherwise.
local BESIDE = "../shared/data"

--- The folder that a script should be told of, nil for the usual places.
function M.folder()
  local file = not os.getenv("WRUN_DATA") and io.open(BESIDE .. "/mnist/train-images-idx3-ubyte.gz")
  if file then
    file:close()
    return BESIDE
  end
end

--- Returns the training set.
function M.load()
  return wrun.data.mnist({ split = "train", folder = M.folder(), otherwise = "fashion_mnist" })
end

return M
