--- Runs a script with its arguments, then says on standard error how much memory that took at most.

local script = table.remove(arg, 1)
assert(loadfile(script))(table.unpack(arg))

local status = assert(io.open("/proc/self/status")):read("a")
io.stderr:write("peak: ", status:match("VmHWM:%s*(%d+) kB"), " kB\n")
