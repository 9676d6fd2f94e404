--- Where errors point: at the line of the script, whatever lies between it and the fault.

local core = require("wrun.core")
local child = require("spec.support.child")
local wrun = require("wrun")

--- The line of the caller.
local function here()
  return debug.getinfo(2, "l").currentline
end

--- Asserts that an error of wrun names this file, the line and the text.
local function assert_blames(line, text, ok, message)
  assert.is_false(ok)
  assert.equal(("spec/runtime/error_spec.lua:%d: %s"):format(line, text),
    message:match("spec/runtime/error_spec%.lua:.*"))
end

local NEGATIVE = "zeros: a size is negative: [-1]"

describe("an error blames the line of the script", function()
  it("that called a function of the core", function()
    local line
    local ok, message = pcall(function()
      line = here() + 1
      local x = wrun.zeros(-1)
      return x
    end)
    assert_blames(line, NEGATIVE, ok, message)
  end)

  it("that called a function written in Lua", function()
    local line
    local ok, message = pcall(function()
      line = here() + 1
      local x = wrun.zeros(2, 3):flatten(2, 1)
      return x
    end)
    assert_blames(line, "flatten: expected the first dimension before the last, got 2 and 1", ok,
      message)
  end)

  it("that called a function which called another, several levels down", function()
    local line
    local loss, x = wrun.nn.CrossEntropyLoss(), wrun.zeros(2, 3)
    local ok, message = pcall(function()
      line = here() + 1
      local y = loss(x, wrun.tensor({ 1, 4 }))
      return y
    end)
    assert.is_false(ok)
    assert.matches("^%.?/?spec/runtime/error_spec%.lua:" .. line .. ": ", message)
  end)

  it("that used an operator, a length, a field or an index", function()
    local x, lines = wrun.zeros(2), {}
    local uses = {
      function() lines[1] = here(); return x + {} end,
      function() lines[2] = here(); return #wrun.zeros() end,
      function() lines[3] = here(); x.shape = 1 end,
      function() lines[4] = here(); return x[3] end,
      function() lines[5] = here(); x[3] = 1 end,
    }
    for i, use in ipairs(uses) do
      local ok, message = pcall(use)
      assert.is_false(ok)
      assert.matches("^%.?/?spec/runtime/error_spec%.lua:" .. lines[i] .. ": ", message)
    end
  end)

  it("through pcall, when that was given the function itself", function()
    local line = here() + 1
    local ok, message = pcall(wrun.zeros, -1)
    assert_blames(line, NEGATIVE, ok, message)
  end)

  it("through table.sort, string.gsub and other functions of Lua that call back", function()
    local line
    local ok, message = pcall(string.gsub, "a", "a", function()
      line = here() + 1
      local x = wrun.zeros(-1)
      return x
    end)
    assert_blames(line, NEGATIVE, ok, message)
  end)

  it("inside a coroutine", function()
    local line
    local thread = coroutine.create(function()
      coroutine.yield(1)
      line = here() + 1
      local x = wrun.zeros(-1)
      return x
    end)
    coroutine.resume(thread)
    local ok, message = coroutine.resume(thread)
    assert_blames(line, NEGATIVE, ok, message)
  end)

  it("that called no_grad, inside the function it was given", function()
    local line
    local ok, message = pcall(wrun.no_grad, function()
      line = here() + 1
      local x = wrun.zeros(-1)
      return x
    end)
    assert_blames(line, NEGATIVE, ok, message)
  end)

  it("of backward, when the fault shows only there", function()
    local line
    local x = wrun.ones(2, { requires_grad = true })
    local y = x:exp()
    local sum = y:sum()
    y:detach():add_(1)
    local ok, message = pcall(function()
      line = here() + 1
      sum:backward()
    end)
    assert.is_false(ok)
    assert.matches("^%.?/?spec/runtime/error_spec%.lua:" .. line .. ": backward: result 1 of exp",
      message)
  end)

  it("that ends in a tail call", function()
    local line
    local ok, message = pcall(function()
      line = here() + 1
      return wrun.zeros(-1)
    end)
    assert_blames(line, NEGATIVE, ok, message)
  end)
end)

describe("an error without a script", function()
  it("has no index", function()
    local ok, message = coroutine.resume(coroutine.create(wrun.zeros), -1)
    assert.is_false(ok)
    assert.equal(NEGATIVE, message)
  end)

  it("in a statement of the command line names that", function()
    local result = child.run({ "-e", "require('wrun').zeros(-1)" })
    assert.matches("^wrun: %(command line%):1: zeros: a size is negative: %[%-1%]\n", result.err)
    assert.equal(1, result.status)
  end)

  it("in a script shows script, line and a traceback", function()
    local path = child.write("local wrun = require 'wrun'\nlocal x = wrun.zeros(2)\nx:view(3)\n")
    local result = child.run({ path })
    os.remove(path)
    assert.equal(1, result.status)
    assert.is_truthy(result.err:find("wrun: " .. path .. ":3: view: expected a shape for the 2 "
      .. "elements of [2], got [3]\nstack traceback:\n", 1, true))
  end)
end)

describe("a traceback", function()
  local program = [[
local wrun = require "wrun"
local model = wrun.nn.Sequential(wrun.nn.Linear(2, 2))
local function step(x)
  local y = model(x)
  return y
end
table.sort({ 2, 1 }, function() return step(wrun.ones(1, 3)) ~= nil end)
]]

  local function lines(env)
    local path = child.write(program)
    local result = child.run({ path }, { env = env })
    os.remove(path)
    local trace = result.err:match("\nstack traceback:\n(.*)$")
    return trace:gsub(path:gsub("%p", "%%%0"), "script")
  end

  it("leaves out the library's own functions", function()
    assert.equal("\tscript:4: in upvalue 'step'\n\tscript:7: in function <script:7>\n"
      .. "\t[C]: in function 'table.sort'\n\tscript:7: in main chunk\n\t[C]: in ?\n", (lines()))
  end)

  it("has them where WRUN_TRACE is 1", function()
    local trace = lines("WRUN_TRACE=1")
    assert.is_truthy(trace:find("\twrun.nn.linear:%d+: in "))
    assert.is_truthy(trace:find("\t[C]: in function 'wrun", 1, true))
    assert.equal((lines()), (lines("WRUN_TRACE=0")))
  end)
end)

describe("the path of containers", function()
  --- Code of wrun's own, as its chunk name says.
  local function library(code, ...)
    return load(code, "=wrun.imagined", "t")(...)
  end

  local failing = library("local zeros = ... return function() zeros(-1) end", wrun.zeros)

  --- A function of wrun's own that calls f within a context.
  local function within(context, f)
    return library([[
      local context, f = ...
      return function()
        local error_context = context
        f()
        return error_context
      end]], context, f)
  end

  it("comes after the index and before the message", function()
    local line = here() + 1
    local ok, message = pcall(within("Outer[2]", failing))
    assert_blames(line, "Outer[2]: " .. NEGATIVE, ok, message)
  end)

  it("names every container from the outermost", function()
    local line = here() + 1
    local ok, message = pcall(within("Outer[2]", within("Inner[1]", failing)))
    assert_blames(line, "Outer[2]: Inner[1]: " .. NEGATIVE, ok, message)
  end)

  it("ends at the first line of a script", function()
    local line
    local ok, message = pcall(within("Outer[2]", function()
      line = here() + 1
      failing()
    end))
    assert_blames(line, NEGATIVE, ok, message)
  end)

  it("is made of anything with a text, and only when there is an error", function()
    local made = 0
    local place = setmetatable({}, { __tostring = function()
      made = made + 1
      return "Place"
    end })
    within(place, wrun.zeros)()
    assert.equal(0, made)
    local line = here() + 1
    local ok, message = pcall(within(place, failing))
    assert_blames(line, "Place: " .. NEGATIVE, ok, message)
    assert.equal(1, made)
  end)
end)

describe("core.fail", function()
  it("raises as the core does, with string.format's rules", function()
    local line = here() + 1
    local ok, message = pcall(core.fail, "%s: %d of %g, %s and %s", "f", 2, 2.5, {} ~= nil, nil)
    assert_blames(line, "f: 2 of 2.5, true and nil", ok, message)
  end)

  it("writes tensors as tostring does", function()
    local ok, message = pcall(core.fail, "got %s", wrun.tensor({ 1, 2 }))
    assert.is_false(ok)
    assert.matches("got tensor%(%[1, 2%]%)$", message)
  end)
end)
