--- What the benchmarks share: contestants timed in turns, the table, memory peaks, and PyTorch.
---
--- A machine is never quiet, so contestants take turns, and a ratio is the median of the rounds'
--- ratios: what slows a round slows both sides of it.

local core = require "wrun.core"

local M = {}

--- The wrun that runs this, the folder of these files, and a PyTorch to compare with.
M.program = arg[-1]
M.folder = arg[0]:match("^(.*)/") or "."
M.python = "/usr/bin/python3"

-------------------------------------------------------------------------------
-- Timing

--- Returns the seconds that f(...) takes.
function M.seconds(f, ...)
  local start = core.clock()
  f(...)
  return core.clock() - start
end

--- Returns a contestant for M.take_turns: the seconds of one of the `count` turns of f(count).
function M.each(f, count)
  return function()
    return M.seconds(f, count) / count
  end
end

--- Measures contestants { name = function that returns seconds } in turns; the first round is not
--- counted. Returns { name = seconds of every round }.
function M.take_turns(rounds, contestants)
  local names, times = {}, {}
  for name in pairs(contestants) do
    names[#names + 1] = name
    times[name] = {}
  end
  table.sort(names)
  for round = 0, rounds do
    for _, name in ipairs(names) do
      times[name][round] = contestants[name]()
    end
  end
  return times
end

--- Returns the median of a list.
function M.median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local n = #sorted
  return (sorted[(n + 1) // 2] + sorted[n // 2 + 1]) / 2
end

--- Returns whichever of two lists of times has the smaller median.
function M.best(a, b)
  return M.median(a) <= M.median(b) and a or b
end

-------------------------------------------------------------------------------
-- The table

local UNITS = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" }, { 1e-9, "ns" } }

local function duration(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= unit[1] or unit[2] == "ns" then
      return ("%.3g %s"):format(seconds / unit[1], unit[2])
    end
  end
end

local function megabytes(amount)
  return ("%.0f MB"):format(amount)
end

local function line(what, ours, beside, ratio, aim)
  local text = ("%-42s %10s %10s %8s   %s"):format(what, ours, beside, ratio, aim)
  print((text:gsub("%s+$", "")))
end

--- Begins a part of the table; `rival` says what wrun stands beside.
function M.heading(title, rival)
  print()
  line(title, "wrun", rival or "", rival and "ratio" or "", "aim")
end

--- Prints a line: the medians of two lists of times and their ratio (without `theirs`, ours alone),
--- and what is aimed at, a text.
function M.compare(what, ours, theirs, aim)
  local beside, ratio = "", ""
  if theirs then
    local ratios = {}
    for round, time in ipairs(ours) do
      ratios[round] = time / theirs[round]
    end
    beside, ratio = duration(M.median(theirs)), ("%.3g"):format(M.median(ratios))
  end
  line(what, duration(M.median(ours)), beside, ratio, aim or "")
end

--- Prints a line as M.compare does, of two amounts of memory in MB.
function M.memory(what, ours, theirs, aim)
  local beside, ratio = "", ""
  if theirs then
    beside, ratio = megabytes(theirs), ("%.3g"):format(ours / theirs)
  end
  line(what, megabytes(ours), beside, ratio, aim or "")
end

-------------------------------------------------------------------------------
-- Other processes

--- Returns the most memory, in MB, that wrun ever held while running a script of this folder.
function M.peak(command)
  local text = "%s %s/peak.lua %s 2>&1 >/dev/null"
  local pipe = assert(io.popen(text:format(M.program, M.folder, command)))
  local output = pipe:read("a")
  assert(pipe:close(), output)
  return assert(tonumber(output:match("peak: (%d+) kB")), output) / 1000
end

---@class bench.Torch
local Torch = {}
Torch.__index = Torch

--- Sends a command to PyTorch and returns the number it answers with, nil when it cannot do that.
function Torch:ask(...)
  self.commands:write(table.concat({ ... }, " "), "\n")
  self.commands:flush()
  local answer = assert(self.answers:read("l"), "PyTorch's side has ended")
  return tonumber(answer)
end

--- Returns a contestant for M.take_turns that asks PyTorch.
function Torch:asking(...)
  local command = table.pack(...)
  return function()
    return self:ask(table.unpack(command, 1, command.n))
  end
end

--- Ends the process.
function Torch:close()
  self.commands:close()
  self.answers:close()
end

--- Starts PyTorch, which waits for commands; nil where there is none.
function M.torch()
  if not os.execute(M.python .. " -c 'import torch' 2>/dev/null") then
    return nil
  end
  local pipe = os.tmpname()
  os.remove(pipe)
  assert(os.execute("mkfifo " .. pipe))
  local answers = assert(io.popen(("%s %s/torch_side.py <%s"):format(M.python, M.folder, pipe)))
  local torch = setmetatable({ commands = assert(io.open(pipe, "w")), answers = answers }, Torch)
  os.remove(pipe)
  return torch
end

return M
