--- Lists of modules, which Sequential and ModuleList are: indices, names, growth.

local modules = require "spec.support.modules"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local names_of = modules.names_of

local function classes_of(container)
  local names = {}
  for i, module in ipairs(container) do
    names[i] = module.__name
  end
  return names
end

for _, class in ipairs { nn.Sequential, nn.ModuleList } do
  describe("nn." .. class.__name, function()
    local relu, tanh, sigmoid = nn.ReLU(), nn.Tanh(), nn.Sigmoid()

    it("counts from the end too", function()
      local list = class(relu, tanh, sigmoid)
      assert.equal(sigmoid, list[-1])
      assert.equal(relu, list[-3])
      assert.is_nil(list[-4])
      assert.is_nil(list[4])
      list[-2] = nn.Identity()
      assert.same({ "ReLU", "Identity", "Sigmoid" }, classes_of(list))
    end)

    it("inserts, appends, extends and removes", function()
      local list = class(relu)
      assert.equal(list, list:insert(1, tanh):extend({ sigmoid, nn.Identity() }))
      assert.same({ "Tanh", "ReLU", "Sigmoid", "Identity" }, classes_of(list))
      list:insert(-1, nn.Softsign())
      assert.same({ "Tanh", "ReLU", "Sigmoid", "Softsign", "Identity" }, classes_of(list))
      assert.equal(tanh, list:remove(1))
      assert.equal("Softsign", list:remove(-2).__name)
      assert.equal("Identity", list:remove().__name)
      assert.same({ 1, 2 }, names_of(list:named_children()))
      assert.same({ "ReLU", "Sigmoid" }, classes_of(list:append(nn.Tanh()):slice(1, -2)))
    end)

    it("is sliced into a container of the same class that shares its items", function()
      local list = class(relu, tanh, sigmoid)
      local part = list:slice(2)
      assert.equal(class, getmetatable(part))
      assert.equal(tanh, part[1])
      assert.equal(2, #part)
      assert.equal(0, #list:slice(3, 2))
      assert.equal(3, #list:slice(-9, 9))
      assert.same({ "Tanh" }, classes_of(list:slice(-2, -2)))
    end)

    it("names its items when it is given pairs", function()
      local list = class({ "first", nn.Linear(2, 2) }, { "act", relu }, nn.Linear(2, 1))
      assert.equal(list[1], list.first)
      assert.equal(relu, list.act)
      assert.same({ "first", "act", 3 }, names_of(list:named_children()))
      assert.same({ "first.weight", "first.bias", "3.weight", "3.bias" },
        names_of(list:named_parameters()))
      list.act = tanh
      assert.equal(tanh, list[2])
      list:insert(2, sigmoid, "gate")
      assert.same({ "first", "gate", "act", 4 }, names_of(list:named_children()))
      assert.equal(sigmoid, list.gate)
      assert.equal(tanh, list.act)
      assert.equal(sigmoid, list:remove(2))
      assert.is_nil(list.gate)
      assert.equal(tanh, list.act)
      assert.same({ "act", 2 }, names_of(list:slice(2):named_children()))
      assert.truthy(tostring(list):find("\n  (act): Tanh()\n", 1, true))
      local fresh = class({ { "first", nn.Linear(2, 2) }, { "act", relu }, nn.Linear(2, 1) })
      fresh:load_state_dict(list:state_dict())
      assert.is_true(fresh.first.weight:equal(list.first.weight))
    end)

    it("can be extended as a class", function()
      local Mine = class:extend("Mine")
      function Mine:init(...)
        Mine.super.init(self, ...)
        self.scale = 2
      end
      local mine = Mine(relu, { "last", tanh })
      assert.equal(tanh, mine[-1])
      assert.equal(tanh, mine.last)
      assert.equal(2, mine.scale)
      assert.equal("Mine", getmetatable(mine).__name)
    end)

    it("refuses what is no module or no index", function()
      local name = class.__name
      local list = class(relu)
      assert.equal(name .. "[3]: expected a module, got 2",
        refusal(list.extend, list, { tanh, 2 }))
      assert.equal(1, #list)
      assert.equal("insert: argument 1: expected an index from 1 to 2, got 3",
        refusal(list.insert, list, 3, tanh))
      assert.equal("insert: argument 1: expected an index from 1 to 2, got 0",
        refusal(list.insert, list, 0, tanh))
      assert.equal(name .. "[1]: expected a module, got nil", refusal(list.insert, list, 1))
      assert.equal("remove: argument 1: expected an index from 1 to 1, got -2",
        refusal(list.remove, list, -2))
      assert.equal("remove: argument 1: expected an index from 1 to 0, got nil",
        refusal(list.remove, class()))
      assert.equal(name .. "[1]: a list has no gaps; write list:remove(1)",
        refusal(function() list:append(tanh)[1] = nil end))
      list[2] = nil -- the last may go
      assert.equal(1, #list)
      assert.equal(name .. "[1]: expected a module, got 2", refusal(function() list[1] = 2 end))
      assert.equal("slice: argument 1: expected an integer, got the string 'a'",
        refusal(list.slice, list, "a"))
      assert.equal("extend: argument 1: expected a table, got 1", refusal(list.extend, list, 1))
      assert.equal(name .. ": expected an index from 1 to 2, got 5", refusal(function()
        list[5] = tanh
      end))
      assert.equal(name .. "[2]: expected a module, got true", refusal(function()
        list[2] = true
      end))
      assert.equal(name .. ": expected a new field name without a dot, got the string 'a.b'",
        refusal(class, { { "a.b", relu } }))
      assert.equal(name .. ": expected a new field name without a dot, got the string 'forward'",
        refusal(class, { { "forward", relu } }))
      assert.equal(name .. ": expected a new field name without a dot, got the string 'a'",
        refusal(class, { { "a", relu }, { "a", relu } }))
    end)
  end)
end
