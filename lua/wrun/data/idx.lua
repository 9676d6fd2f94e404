--- Reads files in the IDX format of MNIST.

local check = require "wrun.check"
local core = require "wrun.core"

local PATH = check.path()

--- Returns the tensor that an IDX file holds, plain or compressed with gzip.
--- shapes  -> the sizes that the file names
--- domain  uint8, int32, float32 and float64 stay as they are; shorter signed integers become int64
--- raises  `idx: PATH: ...` for a file that is missing or bad
---     local path = os.tmpname()
---     local file = assert(io.open(path, "wb")) -- two bytes in one dimension
---     file:write("\0\0\8\1\0\0\0\2\7\9"):close()
---     print(data.idx(path), os.remove(path))
local function idx(path)
  check.argument("idx", 1, path, PATH)
  local tensor, message = core.idx_read("idx", path)
  return tensor or check.fail("idx: %s", message)
end

return idx
