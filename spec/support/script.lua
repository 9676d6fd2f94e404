--- Runs one of the scripts as a user does, on a small made-up set or on real data.

local interpreter = require "spec.support.interpreter"

-- Replaces MNIST: in class c, the row c + 5 of the image is bright and everything else is noise.
local SMALL_SET = [[
local wrun, data = require("wrun"), require("wrun.data")
local function set(n)
  local generator = wrun.Generator({ seed = n })
  local x = wrun.randint(0, 40, { n, 28, 28 }, { generator = generator }):byte()
  local y = wrun.randint(1, 11, { n }, { generator = generator })
  for i = 1, n do
    x[{ i, y[i]:item() + 5 }] = 250
  end
  return { x = x, y = y, classes = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" } }
end
data.mnist = function()
  return set(240), set(50)
end
]]

--- Returns what `wrun scripts/NAME OPTIONS` prints, and whether it succeeded; with `real`, on the
--- data sets of this machine; `environment` is set before.
return function(name, options, real, environment)
  local preload = ""
  local small = os.tmpname()
  if not real then
    local file = assert(io.open(small, "w"))
    file:write(SMALL_SET)
    file:close()
    preload = ("-e 'dofile(\"%s\")'"):format(small)
  end
  local command = ("%s %s %s scripts/%s %s 2>&1"):format(environment or "", interpreter(), preload,
    name, options)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  local ok = pipe:close()
  os.remove(small)
  return output, ok
end
