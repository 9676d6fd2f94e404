--- Memory: loops stay near what they need, and running out is an ordinary error.
---
--- allocator_spec looks at the blocks below; here it is tensors and graphs.

local child = require("spec.support.child")
local refusal = require("spec.support.refusal")
local wrun = require("wrun")

--- Runs a script in a process of its own and returns the most memory it ever had, in MB.
local function peak(script, ...)
  local measured = [[local wrun = require("wrun") ]] .. script .. [[
    for line in io.lines("/proc/self/status") do
      local kilobytes = line:match("^VmHWM:%s*(%d+)")
      if kilobytes then
        print(kilobytes // 1000)
      end
    end]]
  local path = child.write(measured)
  local result = child.run({ "--threads", "1", path, ... })
  os.remove(path)
  assert.equal("", result.err)
  return assert(tonumber(result.out), result.out)
end

local TEMPORARIES = [[
  local live = {}
  for i = 1, tonumber((...)) do
    live[i] = wrun.ones(1000, 1000)
  end
  local x = wrun.ones(100, 1000)
  for _ = 1, 20000 do
    local _ = x + 1
  end
]]

-- What is tagged #memory measures the process, which a sanitizer or valgrind makes larger.
describe("a loop of 20,000 temporaries of 400 KB #memory", function()
  it("stays under 64 MB", function()
    local most = peak(TEMPORARIES, "0")
    assert(most <= 64, most .. " MB")
  end)

  it("stays under 300 MB beside 200 MB that live", function()
    local most = peak(TEMPORARIES, "50")
    assert(most <= 300, most .. " MB")
    assert(most >= 200, "the process is not measured: " .. most .. " MB")
  end)
end)

-- What a whole collection meets is old at once, so results that it met would wait for the next.
describe("a loop of large results", function()
  it("holds one at a time, beside many objects and little else", function()
    local result = child.run({ "-e", [[
      local wrun = require("wrun")
      local objects, least, most = {}, math.huge, 0
      for i = 1, 40000 do
        objects[i] = { i }
      end
      local live = wrun.ones(5000000)
      local x = live:narrow(1, 1, 1000000)
      for i = 1, 40 do
        local _ = x:double()
        local megabytes = collectgarbage("count") / 1024
        if i > 20 then
          least, most = math.min(least, megabytes), math.max(most, megabytes)
        end
      end
      print(#objects == 40000 and most - least < 4 or most - least)]] })
    assert.same({ "true\n", "" }, { result.out, result.err })
  end)
end)

-- Lua 5.4.4 waits, after a whole collection, for as much garbage as that has found.
describe("a loop of small results", function()
  for _, count in ipairs { 1, 8 } do
    it("holds little after 400 MB in " .. count .. " were dropped and collected", function()
      local result = child.run({ "-e", [[
        local wrun = require("wrun")
        for _, bytes in ipairs { 400, 4000, 40000, 400000 } do
          local dropped, most = {}, 0
          for i = 1, ]] .. count .. [[ do
            dropped[i] = wrun.empty(100000000 // ]] .. count .. [[)
          end
          dropped = nil
          collectgarbage()
          for _ = 1, 4000 do
            local _ = wrun.empty(bytes // 4)
            most = math.max(most, collectgarbage("count") / 1024)
          end
          print(most < 20 or ("%d bytes: %.0f MB"):format(bytes, most))
        end]] })
      assert.same({ ("true\n"):rep(4), "" }, { result.out, result.err })
    end)
  end
end)

-- A reader has buffers, and a file that is refused makes no tensor.
describe("a loop of 4,000 files that are refused #memory", function()
  it("stays under 64 MB", function()
    child.with_file("PK\3\4", function(path)
      local most = peak([[
        for _ = 1, 2000 do
          pcall(wrun.data.npz, (...))
          pcall(wrun.load, (...))
        end
      ]], path)
      assert(most <= 64, most .. " MB")
    end)
  end)
end)

describe("the gradients of a step that are large", function()
  it("are collected when the next begins", function()
    local path = child.write([[
      local wrun = require("wrun")
      local w = wrun.nn.Parameter(wrun.ones(512, 1024))
      local optimizer, seen = wrun.optim.SGD({ w }), setmetatable({}, { __mode = "k" })
      for _ = 1, 5 do
        optimizer:zero_grad()
        print(next(seen))
        w:sum():backward()
        seen[w.grad] = true
        optimizer:step()
      end]])
    local result = child.run({ path })
    os.remove(path)
    assert.equal("", result.err)
    assert.equal(("nil\n"):rep(5), result.out)
  end)
end)

describe("the collector's mode", function()
  -- The mode before wrun is loaded, and after tensors beyond what changes the collector's pace.
  local SHOW = [[
    local before = collectgarbage("%s")
    local wrun = require("wrun")
    for _ = 1, 100 do
      wrun.ones(100, 1000)
    end
    print(before, collectgarbage("incremental"))]]

  local function shown(mode, options)
    local result = child.run({ "-e", SHOW:format(mode) }, options)
    assert.equal("", result.err)
    return result.out
  end

  it("is generational, and stays as a script sets it", function()
    assert.equal("generational\tgenerational\n", shown("generational"))
    assert.equal("generational\tincremental\n", shown("incremental"))
  end)

  it("of a host that loads the module stays as it is", function()
    local host = child.host(pending)
    for _, mode in ipairs(host and { "generational", "incremental" } or {}) do
      assert.equal("generational\t" .. mode .. "\n", shown(mode, host))
    end
  end)
end)

describe("a loop of recorded steps #memory", function()
  it("lets go of each graph", function()
    local most = peak([[
      local w = wrun.ones(100, 1000, { requires_grad = true })
      for _ = 1, 500 do
        (w * 2):tanh():exp():square():sum():backward()
      end
    ]])
    assert(most <= 64, most .. " MB")
  end)

  it("lets go of graphs that were never walked", function()
    local most = peak([[
      local w = wrun.ones(100, 1000, { requires_grad = true })
      for _ = 1, 1000 do
        local _ = (w * 2):exp():square()
      end
    ]])
    assert(most <= 64, most .. " MB")
  end)
end)

describe("running out of memory", function()
  -- One element shown 2^46 times: a copy of it needs more bytes than there are addresses.
  local one = wrun.ones(1, 1)
  local tall, wide = one:expand(1 << 46, 1), one:expand(1, 1 << 46)

  it("raises an error that pcall catches, whatever was asked for #many", function()
    local needs = {
      function() return wrun.zeros(1 << 46) end,
      function() return wrun.empty(1 << 23, 1 << 23) end,
      function() return wrun.randn(1 << 46) end,
      function() return wrun.arange(1 << 46) end,
      function() return tall:clone() end,
      function() return tall:contiguous() end,
      function() return tall:double() end,
      function() return tall + 1 end,
      function() return one + wide end,
      function() return tall:gt(0) end,
      function() return tall:sum() end,
      function() return tall:max(1) end,
      function() return tall:softmax(1) end,
      function() return tall:matmul(one) end,
      function() return wrun.linear(one, tall) end,
      function() return wrun.cat({ tall, tall }, 1) end,
      function() return wrun.stack({ tall, tall }) end,
      function() return tall:index_select(2, wrun.tensor({ 1, 1 })) end,
    }
    for i, need in ipairs(needs) do
      local ok, message = pcall(need)
      assert.is_false(ok, "case " .. i)
      assert.matches("^spec/.*:%d+: [%w_]+: not enough memory for a tensor %[.*%] of %d+ bytes$",
        message, "case " .. i)
      assert.same({ { 1 } }, one:tolist())
    end
    local x = wrun.ones(300, 300)
    assert.equal(300 * 300 * 300, x:matmul(x):sum():item())
  end)

  it("is no end of a coroutine's caller", function()
    local ok, message = coroutine.resume(coroutine.create(function()
      return wrun.zeros(1 << 46)
    end))
    assert.is_false(ok)
    assert.matches("zeros: not enough memory for a tensor [70368744177664] of 281474976710656 "
      .. "bytes", message, 1, true)
  end)

  it("in the middle of recorded steps leaves recording as it was", function()
    local w = wrun.ones(1, 1, { requires_grad = true })
    assert.is_false(pcall(wrun.no_grad, function() return wrun.zeros(1 << 46) end))
    assert.is_true(wrun.is_grad_enabled())
    local y = w:expand(1 << 46, 1)[{ { 1, 3 } }]:sum()
    assert.is_false(pcall(y.backward, y)) -- the gradient of the whole would have to be made
    assert.is_true(wrun.is_grad_enabled())
    assert.is_nil(w.grad)
    w:sum():backward()
    assert.same({ { 1 } }, w.grad:tolist())
  end)
end)

describe("a result whose size overflows", function()
  it("is refused by name", function()
    local tall = wrun.ones(1, 1):expand(1 << 40, 1)
    local wide = wrun.ones(1, 1):expand(1, 1 << 40)
    local shape = "[1099511627776, 1099511627776]"
    assert.equal("add: the sizes overflow: " .. shape, refusal(wrun.add, tall, wide))
    assert.equal("mul: the sizes overflow: " .. shape, refusal(wrun.mul, wide, tall))
    assert.equal("where: the sizes overflow: " .. shape,
      refusal(wrun.where, wrun.tensor({ { true } }):expand(1 << 40, 1), wide, 0))
  end)
end)
