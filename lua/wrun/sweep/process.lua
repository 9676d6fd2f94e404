--- The processes of a study, on this machine and in the array job of a cluster.

local check = require "wrun.check"
local core = require "wrun.core"
local progress = require "wrun.progress"

local fail = check.fail

local M = {}

local POLL = 0.02 -- seconds between two looks at the processes
local VARIABLE = "WRUN_SWEEP" -- what a process is to do: "PARENT INDEX NAME"

--- What the command `wrun sweep` asks of the studies of its script: the words that started it, the
--- values it has set by name, the number of workers, whether for a cluster. `study`: the last one.
M.asked = { settings = {} }

-- The words that start this script anew, and the line for a shell.
local function command()
  local given = M.asked.command or arg
  if type(given) ~= "table" or type(given[0]) ~= "string" or given[0] == "-" or not given[-1] then
    fail("sweep: expected to be called by a script in a file; workers = 0 does the runs right here")
  end
  local first, words = -1, {}
  while given[first - 1] ~= nil do
    first = first - 1
  end
  for i = first, #given do
    words[#words + 1] = given[i]
  end
  return words
end

local function start(self, words, index)
  local row = self.rows[index]
  os.remove(row.path)
  row.status = "missing"
  local process, message = core.process_start(words,
    { ("%s=%d %d %s"):format(VARIABLE, core.process_id(), index, self.name) }, row.log)
  return process or fail("sweep: %s", message)
end

--- Does the runs of these indices, so many at a time; finish(self, row, how, number) hears of each.
function M.run(self, unfinished, workers, finish)
  local words, running, count, next_run = command(), {}, 0, 1
  local _ <close> = setmetatable({}, {
    __close = function()
      for process in pairs(running) do
        core.process_stop(process)
      end
      for process in pairs(running) do
        while not core.process_end(process) do
          core.sleep(POLL)
        end
      end
    end,
  })
  local bar <close> = progress.bar { label = self.name, count = #unfinished }
  while count > 0 or next_run <= #unfinished do
    while count < workers and next_run <= #unfinished do
      running[start(self, words, unfinished[next_run])] = self.rows[unfinished[next_run]]
      count, next_run = count + 1, next_run + 1
    end
    for process, row in pairs(running) do
      local how, number = core.process_end(process)
      if how then
        running[process], count = nil, count - 1
        finish(self, row, how, number)
      end
    end
    bar:update(next_run - 1 - count)
    core.sleep(POLL)
  end
end

-- "1-3,7"
local function ranges(list)
  local parts, i = {}, 1
  while i <= #list do
    local last = i
    while list[last + 1] == list[last] + 1 do
      last = last + 1
    end
    parts[#parts + 1] = i == last and tostring(list[i]) or ("%d-%d"):format(list[i], list[last])
    i = last + 1
  end
  return table.concat(parts, ",")
end

local function quoted(word)
  return word:find("^[%w_./=+-]+$") and word or "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Writes the array job of the runs that are not finished.
function M.write_job(self, unfinished)
  local words = {}
  for i, word in ipairs(command()) do
    words[i] = quoted(word)
  end
  self.job = self.folder .. "/array.sh"
  local file <close>, message = io.open(self.job, "wb")
  if not file then
    fail("sweep: %s", message)
  end
  file:write(("#!/bin/sh\n#SBATCH --job-name=%s\n#SBATCH --array=%s\n#SBATCH --cpus-per-task=1\n"
    .. "#SBATCH --output=%s/%%a.log\nexec %s\n"):format(quoted(self.name), ranges(unfinished),
    self.folder, table.concat(words, " ")))
end

--- The run that this process is to do, if it is a part of the study: its index, and the process that
--- started it, unless that was the cluster.
function M.own_index(self)
  local parent, index, name = (os.getenv(VARIABLE) or ""):match("^(%d+) (%d+) (.*)$")
  if parent then
    return name == self.name and math.tointeger(index), math.tointeger(parent)
  end
  return math.tointeger(os.getenv("SLURM_ARRAY_TASK_ID"))
end

return M
