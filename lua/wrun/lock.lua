--- Folders that one process has at a time.

local check = require "wrun.check"
local core = require "wrun.core"

local fail = check.fail

local function read(path)
  local file = io.open(path, "rb")
  return file and file:read("a"), file and file:close()
end

-- The number of this process; Linux tells it.
local function own_number()
  return (read("/proc/self/stat") or ""):match("^%d+") or "unknown"
end

--- Makes a folder, if it is not there, and keeps it to this process until the file that comes back
--- is closed. What has it otherwise, and what is to be done, the error says of a `kind`, such as
--- "run".
---@param fname string
---@param kind string
---@param folder string
return function(fname, kind, folder)
  local made, message = core.make_folder(folder)
  if not made then
    fail("%s: %s", fname, message)
  end
  local path = folder .. "/lock"
  local file
  file, message = io.open(path, "ab")
  if not file then
    fail("%s: %s", fname, message)
  elseif not core.file_lock(file) then
    local owner = (read(path) or ""):match("%d+")
    file:close()
    local is_own = owner == own_number()
    fail("%s: %s: is in use by %s; %s", fname, folder,
      is_own and "this process" or "process " .. (owner or "unknown"),
      (is_own and "close the %s that has it first" or "give this %s another name, or wait")
        :format(kind))
  end
  local note = io.open(path, "wb")
  if note then
    note:write(own_number()):close()
  end
  return file
end
