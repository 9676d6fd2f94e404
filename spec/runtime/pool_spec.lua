--- The pool's workers and the processors that they may run on.

local child = require "spec.support.child"

-- Prints, for the process and then for each worker, the processors that it may run on.
local SCRIPT = [[
local wrun = require "wrun"
local core = require "wrun.core"
local x = wrun.rand(100000)
local function work()
  return x:sqrt()
end
work()
core.sleep(0.05) -- until workers sleep
work()
core.sleep(0.05) -- until those that wake late are awake
local pipe = io.popen("cat /proc/" .. io.open("/proc/self/stat"):read("n") .. "/task/*/status")
for line in pipe:lines() do
  print(line:match("^Cpus_allowed_list:%s*(%S+)"))
end
]]

--- Returns the set of processors of a list like 0-2,5.
local function processors(list)
  local set = {}
  for first, rest in list:gmatch("(%d+)([-%d]*)") do
    for processor = tonumber(first), tonumber(rest:match("%d+") or first) do
      set[processor] = true
    end
  end
  return set
end

local function count(set)
  local n = 0
  for _ in pairs(set) do
    n = n + 1
  end
  return n
end

--- Returns the sets of the process and of its workers, with so many threads.
local function run(threads, prefix)
  local sets = {}
  local command = ("%s %s --threads %d -"):format(prefix, child.quote(child.wrun), threads)
  for line in child.shell(command, SCRIPT).out:gmatch("[^\n]+") do
    sets[#sets + 1] = line ~= "nil" and processors(line) or nil
  end
  assert.equal(threads, #sets)
  return table.unpack(sets)
end

describe("workers that wake", function()
  it("may run wherever the caller may, be they many or few", function()
    for _, threads in ipairs({ 2, 3 }) do
      local own, first, second = run(threads, "")
      assert.same(own, first)
      assert.same(threads == 3 and own or nil, second)
    end
  end)

  it("share the only processor that there is", function()
    local own, first = run(2, "taskset -c $(taskset -cp $$ | grep -o '[0-9]*$')")
    assert.equal(1, count(own))
    assert.same(own, first)
  end)
end)
