--- Prints the fingerprint of each part of spec.support.portable_results. With processors of qemu's
--- named, as by `make portable`, it runs here and under each, and prints how the results compare with
--- the committed ones.

local child = require "spec.support.child"
local results = require "spec.support.portable_results"

if #arg == 0 then
  results.print()
  return
end

local command = child.quote(child.wrun) .. " spec/portable.lua 2>/dev/null"
local pipes = { assert(io.popen(command)) }
for i, processor in ipairs(arg) do
  pipes[i + 1] = assert(io.popen("qemu-x86_64 -cpu " .. processor .. " " .. command))
end

local found, differing = {}, 0
for i, pipe in ipairs(pipes) do
  found[i] = results.read(pipe:read("a"))
end
print(("%-16s %9s" .. ("%9s"):rep(#arg)):format("", "here", table.unpack(arg)))
for _, name in ipairs(results.names()) do
  local columns = {}
  for i = 1, #pipes do
    local is_same = found[i][name] == results.committed()[name]
    columns[i] = is_same and "same" or found[i][name] and "differs" or "missing"
    differing = differing + (is_same and 0 or 1)
  end
  print(("%-16s" .. ("%9s"):rep(#pipes)):format(name, table.unpack(columns)))
end
print(differing .. " differ")
os.exit(differing == 0)
