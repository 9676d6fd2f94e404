--- Files and processes for specs: IDX and gzip bytes, scratch folders, SHA-256 by coreutils.

local core = require "wrun.core"
local lfs = require "lfs"
local refusal = require "spec.support.refusal"
local stub = require "luassert.stub"

local M = {}

--- Returns the bytes of an IDX file: element type, sizes, and the elements already packed.
function M.idx(element, shape, payload)
  local header = { string.char(0, 0, element, #shape) }
  for i, size in ipairs(shape) do
    header[i + 1] = string.pack(">I4", size)
  end
  return table.concat(header) .. payload
end

-- The check sum of gzip, bit by bit [RFC1952].
local function crc32(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc ~ bytes:byte(i)
    for _ = 1, 8 do
      crc = crc >> 1 ~ (crc & 1) * 0xedb88320
    end
  end
  return crc ~ 0xffffffff
end

--- Returns a gzip file of these bytes, in stored blocks, which need no compressor.
function M.gzip(bytes)
  local parts = { "\x1f\x8b\x08\0\0\0\0\0\0\xff" }
  for first = 1, math.max(#bytes, 1), 65535 do
    local block = bytes:sub(first, first + 65534)
    local is_last = first + 65535 > #bytes and 1 or 0
    parts[#parts + 1] = string.pack("<BI2I2", is_last, #block, ~#block & 0xffff) .. block
  end
  parts[#parts + 1] = string.pack("<I4I4", crc32(bytes), #bytes & 0xffffffff)
  return table.concat(parts)
end

--- Packs { name, bytes } each into a ZIP archive, stored.
function M.zip(members)
  local parts, directory, at = {}, {}, 0
  for i, member in ipairs(members) do
    local name, bytes = table.unpack(member)
    local about = string.pack("<I2I2I2I2I2I4I4I4I2I2", 20, 0, 0, 0, 33, crc32(bytes), #bytes,
      #bytes, #name, 0)
    parts[i] = "PK\3\4" .. about .. name .. bytes
    directory[i] = "PK\1\2\20\0" .. about .. string.pack("<I2I2I2I4I4", 0, 0, 0, 0, at) .. name
    at = at + #parts[i]
  end
  local index = table.concat(directory)
  return table.concat(parts) .. index
    .. string.pack("<c4I2I2I2I2I4I4I2", "PK\5\6", 0, 0, #members, #members, #index, at, 0)
end

--- Writes a file and returns its path.
function M.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
  return path
end

--- Returns the content of a file, nil when there is none.
function M.read(path)
  local file = io.open(path, "rb")
  if file then
    local bytes = file:read("a")
    file:close()
    return bytes
  end
end

--- Makes an empty folder and returns its path.
function M.folder()
  local path = os.tmpname()
  os.remove(path)
  assert(core.make_folder(path))
  return path
end

--- Removes a folder that M.folder made, with all that is in it.
function M.remove(folder)
  os.execute(("rm -rf -- '%s'"):format(folder))
end

--- Makes a folder for the cases of a spec, and hands its removal to busted's `teardown`. Returns the
--- folder, and the path of a file in it.
function M.scratch(teardown)
  local folder = M.folder()
  teardown(function()
    M.remove(folder)
  end)
  return folder, folder .. "/file"
end

--- Makes each case of a spec see a machine without image sets; the hooks are busted's. Returns it:
--- `root`, a new folder in each case, which holds the cache, and `environment`, what os.getenv knows.
function M.machine(before_each, after_each)
  local machine, getenv = {}, nil
  before_each(function()
    machine.root = M.folder()
    machine.environment = { XDG_CACHE_HOME = machine.root .. "/cache" }
    getenv = stub(os, "getenv")
    getenv.invokes(function(name)
      return machine.environment[name]
    end)
  end)
  after_each(function()
    getenv:revert()
    M.remove(machine.root)
  end)
  return machine
end

--- Returns what read(path, ...), whose errors begin with `name`, refuses a file with.
function M.refused(name, read, path, ...)
  local message, start = refusal(read, path, ...), name .. ": " .. path .. ": "
  assert(message:sub(1, #start) == start, message)
  return message:sub(#start + 1)
end

--- Returns how many files this process has open.
function M.open_count()
  local count = 0
  for _ in lfs.dir("/proc/self/fd") do
    count = count + 1
  end
  return count
end

--- Returns what a shell command prints, without the last newline.
function M.shell(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  pipe:close()
  return (output:gsub("\n$", ""))
end

--- Returns the SHA-256 of bytes, as coreutils computes it.
function M.sha256(bytes)
  local path = M.write(os.tmpname(), bytes)
  local digest = M.shell(("sha256sum < '%s'"):format(path)):match("^%x+")
  os.remove(path)
  return digest
end

--- The program that runs this spec.
M.interpreter = arg[-1]

--- Runs Lua code in a process of its own and returns its standard output, then its standard error.
--- `environment` is the front of the command, as in "A=1 B=2".
function M.run(environment, code)
  local script, errors = M.write(os.tmpname(), code), os.tmpname()
  local output = M.shell(("%s %s %s 2>%s"):format(environment, M.interpreter, script, errors))
  local error_output = M.read(errors)
  os.remove(script)
  os.remove(errors)
  return output, error_output
end

--- Returns the bytes that pairs of hexadecimal digits stand for.
function M.from_hex(digits)
  return (digits:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

return M
