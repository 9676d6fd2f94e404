--- Wall-clock time, in seconds: how long something takes.

local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"

local M = {}

---@class wrun.Timer
--- A clock that runs from its making or its last reset, made by `wrun.timer`.
local Timer = method.object("Timer")

function Timer:__tostring()
  return ("Timer(%.3f s)"):format(self:seconds())
end

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

---@class wrun.Timing
---@field seconds number a call, in the quickest run
---@field mean number seconds a call, over all runs
---@field count integer calls a run
---@field runs integer
--- What `wrun.timeit` measured; prints with a unit that suits it.
local Timing = {}
Timing.__index = Timing

local UNITS = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" }, { 1e-9, "ns" } }

local function duration(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= unit[1] or unit[2] == "ns" then
      return ("%.3g %s"):format(seconds / unit[1], unit[2])
    end
  end
end

function Timing:__tostring()
  return ("%s a call, %s on average (%d runs of %d)"):format(duration(self.seconds),
    duration(self.mean), self.runs, self.count)
end

local function run(f, count)
  local start = core.clock()
  for _ = 1, count do
    f()
  end
  return core.clock() - start
end

-- How often to call f in a run: until that takes `least` seconds, or one call does.
local function count_for(f, least)
  local count, taken = 1, run(f, 1)
  while taken < least do
    count = math.min(count * 10, math.ceil(1.2 * count * least / math.max(taken, 1e-9)))
    taken = run(f, count)
  end
  return count
end

local TIMEIT = { runs = check.integer(5, 1), least = check.number(0.1, 0, 3600) }

-- A function as it is; a text as the function whose result, or whose body, it is.
local function callable(f)
  if type(f) ~= "string" then
    return check.argument("timeit", 1, f, check.callable())
  end
  check.argument("timeit", 1, f, check.string())
  local chunk, message = load("return " .. f, "=timeit", "t")
  if not chunk then
    chunk, message = load(f, "=timeit", "t")
  end
  return chunk or check.fail("timeit: argument 1: %s", message)
end

--- Measures how long a call of f takes: it is called so often that a run takes some time, several
--- times over, and the quickest run counts.
--- domain  a function, or a text of Lua, whose names are globals; options runs (5) and least, the
---   seconds of a run (0.1). One call longer than that is a run by itself
--- raises  what f raises
--- cost    about (runs + 1) times least, or runs + 1 calls
---     local a = wrun.ones(4)
---     print(wrun.timeit(function() return a + a end, { least = 0.001 }).seconds < 1) -- true
---@param f function|string
---@return wrun.Timing
function M.timeit(f, options)
  f = callable(f)
  local o = check.options("timeit", options, TIMEIT)
  local count = count_for(f, o.least)
  local best, sum = math.huge, 0
  for _ = 1, o.runs do
    local taken = run(f, count) / count
    best, sum = math.min(best, taken), sum + taken
  end
  return setmetatable({ seconds = best, mean = sum / o.runs, count = count, runs = o.runs }, Timing)
end

return M
