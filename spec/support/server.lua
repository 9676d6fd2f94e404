--- Starts and stops the web server of the download specs.

local M = {}

--- Starts a server over `folder`: a handle with its `address`, or nil where there is no python3.
function M.start(folder)
  local has_python = os.execute("python3 --version > /dev/null 2>&1")
  if not has_python then
    return nil
  end
  local command = "echo $$; exec python3 spec/support/server.py '%s'"
  local pipe = assert(io.popen(command:format(folder)))
  local pid, port = pipe:read("n", "n")
  return { pid = pid, pipe = pipe, address = ("http://127.0.0.1:%d/"):format(port) }
end

--- Returns an `it` for cases that need a server, which `server()` returns; busted's own two are given.
function M.it(it, pending, server)
  return function(name, case)
    it(name, function()
      if not server() then
        pending("needs python3 for a web server")
      end
      case()
    end)
  end
end

--- Stops a server; nil is fine.
function M.stop(server)
  if server then
    os.execute(("kill %d"):format(server.pid))
    server.pipe:close()
  end
end

return M
