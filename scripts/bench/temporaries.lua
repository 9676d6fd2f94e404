--- Makes 20,000 temporaries of 400 KB while as many MB as the argument says stay alive.

local wrun = require "wrun"

local live = wrun.ones(tonumber(arg[1]) * 250000)
local a = wrun.ones(100000)
for _ = 1, 20000 do
  local _ = a + a
end
assert(live:numel() >= 0)
