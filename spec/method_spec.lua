--- Methods of the library's objects refuse to be called on anything else.

local Class = require "wrun.class"
local method = require "wrun.method"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim

-- A script, whose line errors must blame.
local function refusal(code)
  local _, message = pcall(load(code, "=script.lua", "t", setmetatable({
    nn = nn, optim = optim, wrun = wrun, data = wrun.data,
    sgd = optim.SGD({ wrun.zeros(1) }), layer = nn.Linear(2, 3),
  }, { __index = _G })))
  return message
end

describe("a method", function()
  it("refuses the class in the place of an object", function()
    assert.equal("script.lua:1: Dropout: forward: expected an object of Dropout before the colon, "
      .. "got the class Dropout", refusal("nn.Dropout:forward(wrun.ones(2))"))
  end)

  it("refuses what a dot for the colon makes of a call", function()
    assert.equal("script.lua:1: Optimizer: step: expected an object of Optimizer before the colon, "
      .. "got nil; write optimizer:step(), not optimizer.step()", refusal("sgd.step()"))
    assert.equal("script.lua:1: Linear: forward: expected an object of Linear before the colon, "
      .. "got a float32 tensor [1, 2]; write linear:forward(), not linear.forward()",
      refusal("layer.forward(wrun.ones(1, 2))"))
  end)

  it("refuses an object of another class, and takes one of a class below", function()
    assert.equal("script.lua:1: Linear: forward: expected an object of Linear before the colon, "
      .. "got an object of ReLU; write linear:forward(), not linear.forward()",
      refusal("nn.Linear.forward(nn.ReLU(), wrun.ones(1, 2))"))
    assert.is_nil(refusal("nn.Module.eval(layer)"))
  end)

  it("of what is no class does so too", function()
    for code, name in pairs {
      ["wrun.timer().seconds(1)"] = "Timer: seconds",
      ["layer:register_forward_hook(print).remove()"] = "Handle: remove",
      ["wrun.progress.bar().update({}, 1)"] = "Bar: update",
      ["local l <close> = wrun.logbook.open('/dev/null', { format = 'csv' }); l.write { a = 1 }"] =
        "Log: write",
    } do
      local expected = ": expected an object of %a+ before the colon, got "
      assert.matches("^script.lua:1: " .. name .. expected, refusal(code))
    end
  end)

  it("of a class of one's own is left as it is", function()
    local Net = nn.Module:extend("Net")
    local function forward(self, x)
      return x * self.by
    end
    Net.forward = forward
    assert.equal(forward, Net.forward)
    assert.equal(6, Net.forward({ by = 2 }, 3))
  end)

  it("gives back what was written", function()
    assert.equal("=wrun.nn.linear", debug.getinfo(method.original(nn.Linear.forward), "S").source)
    assert.equal(print, method.original(print))
    assert.equal(1, method.original(1))
  end)

  it("passes all arguments and results on", function()
    local source = [[
      local Class, method = ...
      local Object = Class:extend("Object")
      function Object:none() return 1, nil end
      function Object:one(a) return a, nil end
      function Object:two(a, b) return a, b end
      function Object:three(a, b, c) return a, b, c end
      function Object:any(...) return select("#", ...), ... end
      function Object:_own() return "mine" end
      return Object]]
    local Object = load(source, "=wrun.object")(Class, method)
    local object = Object()
    assert.same({ n = 2, 1 }, table.pack(object:none(1)))
    assert.same({ n = 2, 1 }, table.pack(object:one(1, 2)))
    assert.same({ n = 2, nil, 2 }, table.pack(object:two(nil, 2, 3)))
    assert.same({ n = 3, nil, nil, 3 }, table.pack(object:three(nil, nil, 3, 4)))
    assert.same({ n = 4, 3, nil, 2 }, table.pack(object:any(nil, 2, nil)))
    assert.equal("mine", Object._own(1))
    assert.has_error(function() Object.any(1) end)
  end)
end)

describe("class methods", function()
  it("refuse what is no class", function()
    assert.matches("^script.lua:1: extend: expected a class before the colon, got a table",
      refusal("nn.Module.extend({}, 'x')"))
    assert.matches("^script.lua:1: is_instance: expected a class before the colon, got nil",
      refusal("nn.Module.is_instance()"))
    assert.matches("^script.lua:1: is_class: expected a class before the colon, got 1",
      refusal("nn.Module.is_class(1)"))
    assert.matches("^script.lua:1: extend: argument 1: expected a string, got nil",
      refusal("nn.Module:extend()"))
  end)
end)
