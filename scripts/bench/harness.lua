--- What the benchmarks share: contestants timed in turns, the table, memory peaks, and PyTorch.
---
--- A machine is never quiet, so contestants take turns, and a ratio is the median of the rounds'
--- ratios: what slows a round slows both sides of it.

local core = require "wrun.core"
local results = require "results"
local units = require "units"

local M = {}

--- The wrun that runs this, and the folder of these files.
M.program = arg[-1]
M.folder = arg[0]:match("^(.*)/") or "."

-- What `begin` finds: the Python that has PyTorch, if any, the log that rows go to, and the patterns
-- of which the names of rows hold one, where parts have many.
local python, log, patterns

--- The file that rows are kept in, if any.
---@type string?
M.results = nil

--- Looks for PyTorch, opens the file of the results and tells of the machine, all before the first
--- part. Without a path nothing is kept; a file that is there is gone on with. `rows` are patterns
--- between spaces.
function M.begin(path, command, rows)
  patterns = rows
  local look = [[%s -c "import sys, torch; print(sys.executable, torch.__version__)" 2>/dev/null]]
  local pipe = assert(io.popen(look:format(command)))
  local executable, version = (pipe:read("l") or ""):match("^(%S+) (%S+)$")
  pipe:close()
  python = executable
  local machine, is_new = results.machine(M.program, version), true
  if path then
    M.results = path
    log, is_new = results.open(path, machine)
  end
  if is_new then
    print(results.describe(machine))
  end
end

--- Is a row of this name asked for?
function M.wants(name)
  local wanted = not patterns:find("%S")
  for pattern in patterns:gmatch("%S+") do
    wanted = wanted or name:find(pattern) ~= nil
  end
  return wanted
end

-- Timing ---------------------------------------------------------------------

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

-- Seconds after which a machine is quiet: OpenMP's threads, PyTorch's for one, spin for some
-- milliseconds after the last work of a turn.
local PAUSE = 0.01

--- Returns a contestant whose turns begin on a quiet machine, with one that is not counted: where a
--- turn is so short that waking threads would be much of it.
function M.warmed(contestant)
  return function()
    core.sleep(PAUSE)
    contestant()
    return contestant()
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

--- Returns the rows of ops.def that scripts see.
function M.rows()
  local rows = {}
  for _, row in ipairs(core.elementwise_rows()) do
    rows[#rows + 1] = not row.name:find("^_") and row or nil
  end
  return rows
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

-- The table ------------------------------------------------------------------

local title, yardstick

local function line(what, ours, beside, ratio, aim)
  local text = ("%-42s %10s %10s %8s   %s"):format(what, ours, beside, ratio, aim)
  print((text:gsub("%s+$", "")))
end

--- Begins a part of the table; `rival` says what wrun stands beside.
function M.heading(part, rival)
  title, yardstick = part, rival
  print()
  line(title, "wrun", rival or "", rival and "ratio" or "", "aim")
end

-- A line of the table, which is a row of the results.
local function row(what, unit, ours, theirs, ratio, aim)
  line(what, units.text(ours, unit), theirs and units.text(theirs, unit) or "",
    ratio and ("%.3g"):format(ratio) or "", aim or "")
  if log then
    log:write {
      part = title, name = what, value = ours, unit = unit, yardstick = theirs and yardstick,
      yardstick_value = theirs, ratio = ratio,
    }
  end
end

--- Prints a line: the medians of two lists of times and their ratio (without `theirs`, ours alone),
--- and what is aimed at, a text.
function M.compare(what, ours, theirs, aim)
  local ratios = {}
  for round, time in ipairs(theirs and ours or {}) do
    ratios[round] = time / theirs[round]
  end
  row(what, "s", M.median(ours), theirs and M.median(theirs), theirs and M.median(ratios), aim)
end

--- Prints a line as M.compare does, of the shortest times: where a turn is so short that what
--- slows it down is seldom there.
function M.least(what, ours, theirs, aim)
  local time, other = math.min(table.unpack(ours)), theirs and math.min(table.unpack(theirs))
  row(what, "s", time, other, other and time / other, aim)
end

--- Prints a line as M.compare does, of two amounts of memory in MB.
function M.memory(what, ours, theirs, aim)
  row(what, "MB", ours, theirs, theirs and ours / theirs, aim)
end

--- Prints a line of an amount of instructions, and what is aimed at, a text.
function M.instructions(what, count, aim)
  row(what, "instructions", count, nil, nil, aim and "<= " .. aim)
end

-- Other processes ------------------------------------------------------------

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

--- Returns the command that runs Python with PyTorch, nil where there is none.
function M.python()
  return python
end

--- Starts PyTorch, which waits for commands; nil where there is none.
function M.torch()
  if not python then
    return nil
  end
  local pipe = os.tmpname()
  os.remove(pipe)
  assert(os.execute("mkfifo " .. pipe))
  local answers = assert(io.popen(("%s %s/torch_side.py <%s"):format(python, M.folder, pipe)))
  local torch = setmetatable({ commands = assert(io.open(pipe, "w")), answers = answers }, Torch)
  os.remove(pipe)
  return torch
end

return M
