--- Wall-clock time, in seconds.

local core = require "wrun.core"
local method = require "wrun.method"

local M = {}

---@class wrun.Timer
--- A clock that runs from its making or its last reset, made by `wrun.timer`.
local Timer = method.object("Timer")

--- Returns the seconds since the timer was made or last reset.
---     local timer = wrun.timer()
---     print(timer:seconds() >= 0) -- true
---@return number
function Timer:seconds()
  return core.clock() - self.started
end

--- Starts the timer anew.
---     local timer = wrun.timer()
---     print(timer:reset(), timer:seconds() < 10)
function Timer:reset()
  self.started = core.clock()
end

--- Returns a timer that counts wall-clock seconds from now. It never goes back, whatever happens to
--- the time of day.
--- source  clock_gettime(CLOCK_MONOTONIC)
---     local timer = wrun.timer()
---     wrun.randn(100, 100):matmul(wrun.randn(100, 100))
---     print(timer:seconds() > 0) -- true
---@return wrun.Timer
function M.timer()
  return setmetatable({ started = core.clock() }, Timer)
end

return M
