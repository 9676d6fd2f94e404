--- Folders that one process has at a time.

local check = require "wrun.check"
local core = require "wrun.core"

local fail = check.fail

-- The number of the process that has the lock, as it has noted it.
local function owner_of(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("n")
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
    local owner = owner_of(path)
    file:close()
    local is_own = owner == core.process_id()
    fail("%s: %s: is in use by %s; %s", fname, folder,
      is_own and "this process" or "process " .. (owner or "unknown"),
      (is_own and "close the %s that has it first" or "give this %s another name, or wait")
        :format(kind))
  end
  local note = io.open(path, "wb")
  if note then
    note:write(core.process_id()):close()
  end
  return file
end
