--- The memory of a process: blocks that are used again, and running out.

local child = require "spec.support.child"

--- Runs a script, its arguments in `...`; returns its output, which must come without errors.
local function run(script, ...)
  local result = child.run({ "--threads", "1", "-", ... }, { input = script })
  assert.equal("", result.err)
  assert.equal(0, result.status)
  return result.out
end

--- Functions for the scripts: memory of the process, in MB, and page faults so far.
local MEASURE = [[
local wrun = require "wrun"
local function memory(field)
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^" .. field .. ":%s*(%d+)")
    if kb then return kb // 1024 end
  end
end
local function faults()
  local stat = io.open("/proc/self/stat"):read("a"):gsub("^.*%) ", "")
  local field = 0
  for value in stat:gmatch("%S+") do
    field = field + 1
    if field == 8 then return math.tointeger(value) end -- minflt
  end
end
]]

-- What is tagged #memory measures the process, which a sanitizer or valgrind makes larger.
describe("the allocator", function()
  it("keeps what a block holds while it grows and shrinks across all sizes", function()
    local out = run([[
      local list = {}
      for i = 1, 3000000 do list[i] = i end -- doubles from a few bytes to 48 MB
      for i = 1, #list do assert(list[i] == i) end
      for i = #list, 101, -1 do list[i] = nil end
      for step = 1, 3 do list.step = step list.step = nil collectgarbage() end
      local sum = 0
      for i = 1, #list do sum = sum + list[i] end
      print(sum)
      local parts, size = {}, 0
      for i = 1, 300 do parts[i] = string.char(97 + i % 26):rep(i * 1000) size = size + i * 1000 end
      local text = table.concat(parts)
      local from = 1
      for i = 1, 300 do
        assert(text:sub(from, from + i * 1000 - 1) == parts[i])
        from = from + i * 1000
      end
      print(#text == size)]])
    assert.equal("5050\ntrue\n", out)
  end)

  it("keeps what more small blocks than its slabs have hold, while others come and go", function()
    local out = run([[
      local function fill(n, first)
        local texts = {}
        for i = 1, n do texts[i] = ("%d "):format(first + i):rep(1 + i % 60) end
        return texts
      end
      local function check(texts, first)
        for i, text in pairs(texts) do
          assert(text == ("%d "):format(first + i):rep(1 + i % 60))
        end
      end
      local kept = fill(60000, 0) -- some 12 MB
      for i = 1, 60000, 2 do kept[i] = nil end
      collectgarbage()
      for round = 1, 3 do
        local others = fill(30000, round * 100000)
        check(others, round * 100000)
        check(kept, 0)
        others = nil
        collectgarbage()
      end
      print("whole")]])
    assert.equal("whole\n", out)
  end)

  it("hands large blocks out again instead of asking the system #memory", function()
    -- malloc returns such blocks and takes them anew: 8 page faults for each of these tensors.
    local out = run(MEASURE .. [[
      local a = wrun.ones(100, 1000)
      local function round() for _ = 1, 20 do local _ = a + a end end
      round()
      local before = faults()
      for _ = 1, 25 do round() end
      print(faults() - before)]])
    assert.is_true(tonumber(out) < 500, out .. " page faults")
  end)

  it("gives back what exceeds its cache #memory", function()
    local out = run(MEASURE .. [[
      local before = memory("VmRSS")
      local list = {}
      for i = 1, 300 do list[i] = wrun.ones(512, 512) end
      local full = memory("VmRSS")
      list = nil
      collectgarbage()
      print(full - before, memory("VmRSS") - before)]])
    local full, kept = out:match("(%d+)%s+(%-?%d+)")
    assert.is_true(tonumber(full) >= 300, full .. " MB in use")
    assert.is_true(tonumber(kept) <= 32 + 16, kept .. " MB kept")
  end)

  it("lets a block wait that its cache would not hold, for the next of its size #memory", function()
    -- 50 MB are 25 huge pages, or 12,207 others.
    local out = run(MEASURE .. [[
      local a = wrun.ones(12500000)
      local function round() for _ = 1, 5 do local _ = a + a end end
      round()
      local before = faults()
      for _ = 1, 4 do round() end
      print(faults() - before)]])
    assert.is_true(tonumber(out) < 100, out .. " page faults")
  end)

  it("makes the peak no higher for what waits #memory", function()
    local script = MEASURE .. [[
      local first, second = ...
      for _, count in ipairs { tonumber(first) * 250000, tonumber(second) * 250000 } do
        wrun.ones(count)
        collectgarbage()
      end
      print(memory("VmHWM"))]]
    local alone, then_larger, then_cached =
      run(script, "100", "0"), run(script, "100", "120"), run(script, "100", "20")
    assert.is_true(tonumber(then_larger) <= alone + 20 + 4, then_larger .. " after " .. alone)
    assert.is_true(tonumber(then_cached) <= alone + 4, then_cached .. " after " .. alone)
  end)

  it("lets none wait that was beside a fresh block of its cache #memory", function()
    local out = run(MEASURE .. [[
      local before = memory("VmRSS")
      local large, small = wrun.ones(12500000), wrun.ones(1250000)
      large = nil
      collectgarbage()
      print(memory("VmRSS") - before, small:numel())]])
    local kept = out:match("%d+")
    assert.is_true(tonumber(kept) <= 5 + 8, kept .. " MB kept")
  end)

  it("lets so much wait and no more #memory", function()
    local out = run(MEASURE .. [[
      local before = memory("VmRSS")
      local list = {}
      for i = 1, 12 do list[i] = wrun.ones(12500000) end
      list = nil
      collectgarbage()
      print(memory("VmRSS") - before)]])
    assert.is_true(tonumber(out) <= 256 + 16, out .. " MB kept")
  end)

  it("keeps the peak of a loop near what it needs #memory", function()
    local script = MEASURE .. [[
      local live = {}
      for i = 1, tonumber((...)) do live[i] = wrun.ones(512, 512) end
      local a, b = wrun.ones(100, 1000), wrun.ones(100, 1000)
      for _ = 1, 5000 do local _ = a + b end
      print(memory("VmHWM"))]]
    local alone, beside = run(script, "0"), run(script, "200")
    assert.is_true(tonumber(alone) <= 64, alone .. " MB")
    assert.is_true(tonumber(beside) <= 300, beside .. " MB")
  end)
end)

describe("running out of memory", function()
  it("is an error that pcall catches, after which all works as before", function()
    local result = child.run({ "-" }, { input = MEASURE .. [[
      local function refused(ok, message)
        return not ok and tostring(message):match("not enough memory")
      end
      for _ = 1, 3 do
        print(refused(pcall(wrun.zeros, 1 << 20, 1 << 20)), wrun.ones(1000, 1000):sum():item())
      end]] })
    assert.equal(("not enough memory\t1000000.0\n"):rep(3), result.out)
  end)

  local refuse = child.wrun:gsub("[^/]+$", "refuse.so")

  local function needs_refuse()
    local file = io.open(refuse) or pending("this build has no refuse.so")
    file:close()
  end

  --- Runs spec/alloc.lua, which refuses every 499th request; its report must find no fault.
  local function check_requests(env)
    needs_refuse()
    local result = child.run({ "--threads", "1", "spec/alloc.lua", "--step", "499" },
      { env = ("LUA_CPATH=%s %s"):format(child.quote(refuse:gsub("refuse", "?")), env) })
    assert.equal("", result.err)
    assert.equal(0, result.status, result.out)
    for program in ("training rbm parts"):gmatch("%a+") do
      local caught = result.out:match(program .. ": %d+ runs, (%d+) errors caught, %d+ unharmed, "
        .. "0 crashes, 0 broken afterwards, 0 wrong messages\n")
      assert.is_true(tonumber(caught or 0) > 40, result.out)
    end
  end

  it("may happen at any moment to Lua #many", function()
    check_requests("")
  end)

  -- A sanitizer and valgrind put a malloc of their own before this one: #memory.
  it("may happen at any moment, also in other libraries #memory", function()
    check_requests("LD_PRELOAD=" .. child.quote(refuse))
  end)

  it("ends an interpreter that cannot start #memory", function()
    needs_refuse()
    local counts = {
      ["wrun: cannot create state: not enough memory\n"] = 0,
      ["wrun: not enough memory\n"] = 0,
      ["right\n"] = 0,
    }
    for at = 1, 120 do
      local result = child.run({ "-E", "-e", "print('right')" },
        { env = ("REFUSE=%d LD_PRELOAD=%s"):format(at, child.quote(refuse)) })
      local outcome = result.err .. result.out
      assert.is_number(counts[outcome], ("request %d: %s"):format(at, outcome))
      assert.equal(result.err == "" and 0 or 1, result.status)
      counts[outcome] = counts[outcome] + 1
    end
    assert.is_true(counts["wrun: not enough memory\n"] > 5)
  end)
end)
