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

--- Returns the sets of the process and of its workers, with three threads.
local function run(prefix)
  local sets = {}
  local command = ("%s %s --threads 3 -"):format(prefix, child.quote(child.wrun))
  for line in child.shell(command, SCRIPT).out:gmatch("[^\n]+") do
    sets[#sets + 1] = line ~= "nil" and processors(line) or nil
  end
  assert.equal(3, #sets)
  return table.unpack(sets)
end

describe("workers that wake", function()
  it("leave the caller its processor", function()
    local own, first, second = run("")
    if count(own) == 1 then
      pending("this machine has one processor")
      return
    end
    assert.equal(count(own) - 1, count(first))
    assert.same(first, second)
    for processor in pairs(first) do
      assert.is_true(own[processor])
    end
  end)

  it("share the only one that there is", function()
    local own, first, second = run("taskset -c $(taskset -cp $$ | grep -o '[0-9]*$')")
    assert.equal(1, count(own))
    assert.same(own, first)
    assert.same(own, second)
  end)
end)
