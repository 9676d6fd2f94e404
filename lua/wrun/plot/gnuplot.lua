--- Runs gnuplot: a script in, a picture out, one process a picture.

local check = require "wrun.check"
local core = require "wrun.core"

local M = {}

local NOT_FOUND = 127 -- the shell's status of a command that is not there

--- Returns text as gnuplot's string, in which nothing is special.
function M.quoted(text)
  return "'" .. check.escape(text):gsub("'", "''") .. "'"
end

--- Returns a number as gnuplot reads it; what is not finite is a gap.
function M.number(x)
  return x - x == 0 and core.number_text(x) or "NaN"
end

-- A file of its own that goes when it is closed.
local function temporary()
  local path = os.tmpname()
  return path, setmetatable({}, {
    __close = function()
      os.remove(path)
    end,
  })
end

--- Returns what gnuplot writes for the lines of a script, or nil and why it did not.
---@param lines string[]
---@return string? picture
---@return string? reason
function M.run(lines)
  local script, _ <close> = temporary()
  local complaints, _ <close> = temporary()
  local file = assert(io.open(script, "w"))
  local ok, reason = file:write(table.concat(lines, "\n"), "\n")
  if not (file:close() and ok) then
    return nil, reason or (script .. ": cannot be written")
  end
  -- -d: what the user has gnuplot do at its start does not count
  local pipe = assert(io.popen(("gnuplot -d '%s' 2>'%s'"):format(script, complaints)))
  local picture = pipe:read("a")
  local success, _, status = pipe:close()
  if success and picture ~= "" then
    return picture
  elseif status == NOT_FOUND then
    return nil, "gnuplot is not there; install Debian's package gnuplot-nox"
  end
  for line in io.lines(complaints) do
    if line:find("%w") then
      return nil, "gnuplot: " .. check.escape(line:gsub("^.-line %d+: ", ""))
    end
  end
  return nil, "gnuplot ended without a picture"
end

return M
