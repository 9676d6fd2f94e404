--- Reads files in the IDX format of MNIST.

local check = require "wrun.check"
local core = require "wrun.core"

local PATH = check.string()

--- Returns the tensor that an IDX file holds, plain or compressed with gzip.
--- domain  uint8, float32 and float64 stay as they are; signed integers become int64
--- raises  `idx: argument 1: expected a string`; `idx: PATH: ...` for a file that is missing or bad
---
---     local images = data.idx("train-images-idx3-ubyte.gz")
---@param path string
---@return wrun.Tensor
local function idx(path)
  check.argument("idx", 1, path, PATH)
  local tensor, message = core.idx_read(path)
  return tensor or core.fail("idx: %s", message)
end

return idx
