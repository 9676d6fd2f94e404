--- Runs programs and collects what they leave: output, errors, exit status.

local interpreter = require "spec.support.interpreter"

local M = {}

--- The wrun under test, with its whole path, so that it is found from any folder.
M.wrun = interpreter()
if M.wrun:sub(1, 1) ~= "/" then
  local pwd = assert(io.popen("pwd"))
  M.wrun = pwd:read("l") .. "/" .. M.wrun
  pwd:close()
end

--- Quotes a word for the shell.
function M.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Returns what a file holds.
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

--- Writes a file and returns its name; without one, that of a temporary file.
function M.write(text, path)
  path = path or os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- Calls use(path) with a file of the given text, and removes it.
function M.with_file(text, use, path)
  path = M.write(text, path)
  local ok, message = pcall(use, path)
  os.remove(path)
  assert(ok, message)
end

--- Returns the name of a new temporary file, in memory where there is such a folder: what is saved
--- there waits for no disk.
function M.temporary()
  local path = os.tmpname()
  local quick = path:gsub("^.*/", "/dev/shm/")
  local file = io.open(quick, "w")
  if not file then
    return path
  end
  file:close()
  os.remove(path)
  return quick
end

--- Calls use(path) with a new folder, in memory if it is `quick`, and removes it.
function M.with_folder(use, quick)
  local path = quick and M.temporary() or os.tmpname()
  os.remove(path)
  assert(os.execute("mkdir -p " .. path))
  local ok, message = pcall(use, path)
  os.execute("rm -r " .. path)
  assert(ok, message)
end

--- Runs a shell command; returns { out, err, status }, status "signal 2" when one ended it.
function M.shell(command, input)
  local out, err, stdin = os.tmpname(), os.tmpname(), M.write(input or "")
  local _, how, status = os.execute(("{ %s; } >%s 2>%s <%s"):format(command, out, err, stdin))
  local result = {
    out = M.read(out),
    err = M.read(err),
    status = how == "exit" and status or how .. " " .. status,
  }
  os.remove(out)
  os.remove(err)
  os.remove(stdin)
  return result
end

--- Runs a program with arguments: wrun, found on PATH as users have it, so that its messages begin
--- with that name.
--- Options: program, input, env ("NAME=value ..."), after (more words for the shell).
function M.run(arguments, options)
  options = options or {}
  local folder, name = M.wrun:match("^(.*)/([^/]*)$")
  local words = {
    "PATH=" .. M.quote(folder) .. ":$PATH;",
    options.env or "",
    M.quote(options.program or name),
  }
  for _, argument in ipairs(arguments) do
    words[#words + 1] = M.quote(argument)
  end
  words[#words + 1] = options.after
  return M.shell(table.concat(words, " "), options.input)
end

--- Returns options of `run` with which a stock Lua finds wrun.so; where this build has none,
--- pending(why) is called, which busted gives to specs alone.
function M.host(pending)
  local module = M.wrun .. ".so"
  local file = io.open(module)
  if not file then
    pending("this build has no wrun.so")
    return nil
  end
  file:close()
  return {
    program = "lua5.4",
    env = "LUA_CPATH=" .. M.quote(module:gsub("wrun%.so$", "?.so")),
  }
end

return M
