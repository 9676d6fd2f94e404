--- Messages of every public function and method: they name what was called, and say to write a colon
--- where a method was called with a dot.

local core = require "wrun.core"
local every_call = require "spec.support.calls"
local public_items = require "spec.support.public_items"
local wrun = require "wrun"

--- the error of a script of one line, which names `script:1`
local function error_of(code, ...)
  local ok, message = pcall(assert(load(code, "=script")), ...)
  return ok and "accepted" or message
end

describe("a method of tensors called with a dot", function()
  local names = {}
  for name in pairs(core.methods) do
    names[#names + 1] = not name:find("^_") and name or nil
  end
  table.sort(names)

  it("says to write a colon", function()
    -- their first argument is a list; that of isin may be a number
    local others = { cat = true, isin = true }
    for _, name in ipairs(names) do
      for _, argument in ipairs(others[name] and {} or { "", "1" }) do
        local code = ("local x = ...; local y = x[%q](%s)"):format(name, argument)
        local message = error_of(code, wrun.ones(3, 3))
        assert.matches("^script:1: ", message)
        local remedy = ("; write x:%s(), not x.%s()"):format(name, name)
        assert.is_truthy(message:find(remedy, 1, true), code .. " says " .. message)
      end
    end
    assert.is_true(#names > 300)
  end)

  it("says nothing of colons where there was one, or the function was wrun's", function()
    local x = wrun.ones(3)
    assert.equal("script:1: reshape: expected a shape for the 3 elements of [3], got [2]",
      error_of("local x = ...; local y = x:reshape(2)", x))
    assert.equal("script:1: exp: argument 1: expected a tensor, got nil",
      error_of("local wrun = ...; local y = wrun.exp()", wrun))
  end)
end)

describe("a method of a class called with a dot", function()
  -- what makes a class, and what is no method although a class has it
  local OTHERS = { extend = true, is_class = true, is_instance = true }

  it("says to write a colon", function()
    local count = 0
    for _, item in ipairs(public_items()) do
      local name = item.name:match(":([%w_]+)$")
      local method = item.kind == "method" and not item.name:find("^x:") and item.value
      local first = method and debug.getlocal(method, 1)
      if first == "self" and not OTHERS[name] then
        for _, argument in ipairs { "", "{}", "'text'" } do
          local message = error_of(("local f = ...; f(%s)"):format(argument), method)
          local remedy = ("; write %%w+:%s%%(%%), not %%w+.%s%%(%%)$"):format(name, name)
          assert.is_truthy(message:find("^script:1: [%w.]+: " .. name .. ": expected an object of ")
            and message:find(remedy), item.name .. " says " .. message)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 200, count)
  end)
end)

describe("a message", function()
  local FACES = { wrun = true, linalg = true, ["nn.init"] = true, ["nn.functional"] = true }
  -- what begins otherwise: a walk backward is of the graph, and these call what they are given
  local OTHERS = {
    gradgradcheck = true, no_grad = true, enable_grad = true, fork_rng = true, save = true,
  }
  local script = load("local f, a = ...; local y = f(table.unpack(a, 1, a.n))", "=script")

  it("names the function that was called, whichever refuses #many", function()
    local bad = { "text", 2.5, true, {}, wrun.ones(2, 3, { dtype = "int64" }) }
    local calls, names_of, count = every_call.all(), {}, 0
    for _, call in ipairs(calls) do -- some functions have two names
      names_of[call.f] = names_of[call.f] or {}
      names_of[call.f][call.name:match("[%w_]+$")] = true
    end
    for _, call in ipairs(calls) do
      local face, name = call.name:match("^(.*)%.([%w_]+)$")
      if FACES[face] ~= nil and not OTHERS[name] and call.item.kind == "function" then
        local sample = call.samples[1]
        for i = 1, sample.n do
          for _, value in ipairs(bad) do
            local arguments = table.move(sample, 1, sample.n, 1, { n = sample.n })
            arguments[i] = value
            local ok, message = pcall(script, call.f, arguments)
            if not ok and tostring(message):find("^script:1: ") then
              count = count + 1
              local is_named = message:find("^script:1: %w+%[") ~= nil -- the path of a container
              for other in pairs(names_of[call.f]) do
                is_named = is_named or message:find(": " .. other .. ": ") ~= nil
              end
              assert.is_true(is_named, call.name .. " says " .. message)
            end
          end
        end
      end
    end
    assert.is_true(count > 1000, count)
  end)
end)
