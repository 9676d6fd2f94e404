--- What the benchmarks keep: a file of JSON lines, the machine first, then a row for each line of
--- the table; and how such a file is read again.

local wrun = require "wrun"

local M = {}

local function output(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local text = pipe:read("l")
  pipe:close()
  return text
end

--- Returns what the measures depend on: the processor, OpenBLAS and its kernel, threads, the date,
--- the commit, and PyTorch's version, where there is one.
function M.machine(program, torch_version)
  return {
    processor = output("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo"),
    blas = output(program .. " --version | grep ^OpenBLAS"),
    threads = wrun.get_num_threads(),
    date = os.date("!%Y-%m-%dT%H:%M:%SZ"),
    commit = output("git describe --always --dirty"),
    torch = torch_version,
  }
end

--- Returns a machine as one line of text.
function M.describe(machine)
  return ("%s; %s; %d threads; %s; %s"):format(machine.processor or "a processor without a name",
    machine.blas, machine.threads, machine.torch and "PyTorch " .. machine.torch or "no PyTorch",
    machine.commit or "no commit")
end

--- Returns a log to which rows are written; a new file begins with the machine.
function M.open(path, machine)
  local file = io.open(path)
  if file then
    file:close()
  end
  local log = wrun.logbook.open(path, { format = "jsonl", append = true })
  if not file then
    log:write(machine)
  end
  return log, file == nil
end

-- Reading --------------------------------------------------------------------

local ESCAPED = { n = "\n", t = "\t" }

-- The table that one line stands for, a flat JSON object; nil where it is none.
local function object(line)
  line = line:gsub("\\(.)", function(c) -- so that a quote ends a text
    return ("\\%03d"):format((ESCAPED[c] or c):byte())
  end)
  local fields, at = {}, line:match("^{%s*()")
  while at do
    local name, text, after = line:match('^"([%w_]+)":%s*"([^"]*)"%s*()', at)
    if text then
      fields[name] = text:gsub("\\(%d%d%d)", string.char)
    else
      name, text, after = line:match('^"([%w_]+)":%s*([^%s",}]+)%s*()', at)
      if name then
        fields[name] = tonumber(text)
      end
    end
    if line:find("^}%s*$", after) and name then
      return fields
    end
    at = name and line:match("^,%s*()", after)
  end
end

--- Returns the machine and the rows of a file, nil and a message where it is no result.
function M.read(path)
  local file, message = io.open(path)
  if not file then
    return nil, message
  end
  local rows, is_whole = {}, true
  for line in file:lines() do
    local row = object(line)
    is_whole = is_whole and row ~= nil
    rows[#rows + 1] = row
  end
  file:close()
  local machine = table.remove(rows, 1)
  local is_result = is_whole and machine and machine.blas and machine.threads
  for _, row in ipairs(rows) do
    is_result = is_result and row.part and row.name and row.unit and type(row.value) == "number"
  end
  if not is_result then
    return nil, path .. ": is no result of make bench"
  end
  return machine, rows
end

return M
