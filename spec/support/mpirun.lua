--- Runs scripts under Open MPI's mpirun.

local child = require "spec.support.child"

local M = {}

local is_there = child.shell("command -v mpirun && command -v orted").status == 0

-- A container's only user may be root, and it may have no network and forbid that processes read
-- each other's memory; more ranks than processors are wanted, whatever is here. Open MPI does not free
-- all that it asked for.
local SETTING = "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
  .. "OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none "
  .. "LSAN_OPTIONS=detect_leaks=0 "
local COMMAND = "mpirun --oversubscribe -n %d "

--- Are there several processes to be had? If not, pending(why) is called.
function M.is_there(pending)
  if not is_there then
    pending("mpirun is not installed (Debian package openmpi-bin)")
  end
  return is_there
end

--- What stands before a command that so many ranks are to run.
function M.command(ranks)
  return SETTING .. COMMAND:format(ranks)
end

--- Runs a script's text as so many ranks; returns { out, err, status }.
--- Options: threads of each, arguments (words for the script), seconds that it may take (300).
function M.run(ranks, text, options)
  options = options or {}
  local path = child.write(text)
  local words = {
    SETTING, "timeout", options.seconds or 300, COMMAND:format(ranks), child.quote(child.wrun),
    options.threads and "--threads " .. options.threads or "", path, options.arguments or "",
  }
  local result = child.shell(table.concat(words, " "))
  os.remove(path)
  return result
end

return M
