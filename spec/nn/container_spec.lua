--- Sequential: building, running, and the path that its errors name.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.Sequential", function()
  it("feeds each module with the output of the one before", function()
    local model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    local x = wrun.randn(5, 3)
    assert.same(model[3](model[2](model[1](x))):tolist(), model(x):tolist())
  end)

  it("returns its input when it is empty", function()
    local x = wrun.ones(2)
    assert.equal(x, nn.Sequential()(x))
  end)

  it("takes its modules as arguments or as a list", function()
    local relu, tanh = nn.ReLU(), nn.Tanh()
    for _, model in ipairs({ nn.Sequential(relu, tanh), nn.Sequential({ relu, tanh }) }) do
      assert.equal(2, #model)
      assert.equal(relu, model[1])
      assert.equal(tanh, model[2])
    end
    assert.equal(1, #nn.Sequential(nn.Sequential(relu, tanh)))
  end)

  it("is read, grown, changed and walked like a list", function()
    local model = nn.Sequential(nn.ReLU())
    assert.equal(model, model:append(nn.Tanh()))
    model[3] = nn.Sigmoid()
    model[1] = nn.Identity()
    local names = {}
    for i, module in ipairs(model) do
      names[i] = module.__name
    end
    assert.same({ "Identity", "Tanh", "Sigmoid" }, names)
    assert.equal(3, #model)
    assert.near(1 / (1 + math.exp(-0.7615941559557649)), model(wrun.ones(1)):item(), 1e-6)
  end)

  it("puts the index of the failing module in front of an error", function()
    local model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(784, 128))
    assert.equal("Sequential[3] Linear(784 -> 128): "
      .. "linear: argument 1: expected [..., 784], got [32, 4]",
      refusal(model, wrun.zeros(32, 4)))
  end)

  it("names every container on the way to it", function()
    local model = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(3, 2), nn.Linear(5, 1)))
    assert.equal("Sequential[2] Sequential: Sequential[2] Linear(5 -> 1): "
      .. "linear: argument 1: expected [..., 5], got [1, 2]", refusal(model, wrun.zeros(1, 3)))
  end)

  it("names the module that stands there by then", function()
    local model = nn.Sequential(nn.Linear(2, 2))
    model(wrun.zeros(1, 2))
    model[1] = nn.Linear(7, 2)
    assert.equal("Sequential[1] Linear(7 -> 2): linear: argument 1: expected [..., 7], got [1, 2]",
      refusal(model, wrun.zeros(1, 2)))
  end)

  it("forgets the index once it has been left", function()
    local layer = nn.Linear(2, 2)
    local model = nn.Sequential(layer)
    pcall(model, wrun.zeros(1, 3))
    assert.equal("Sequential[1] Linear(2 -> 2): linear: argument 1: expected [..., 2], got [1, 3]",
      refusal(layer, wrun.zeros(1, 3)))
    model[1] = nn.ReLU()
    assert.equal("Linear(2 -> 2): linear: argument 1: expected [..., 2], got [1, 3]",
      refusal(layer, wrun.zeros(1, 3)))
    assert.equal("linear: argument 1: expected [..., 2], got [1, 3]",
      refusal(nn.Linear(2, 2), wrun.zeros(1, 3)))
  end)

  it("refuses what is no module, with its place", function()
    assert.equal("Sequential[2]: expected a module, got a function",
      refusal(nn.Sequential, nn.ReLU(), wrun.relu))
    assert.equal("Sequential[2]: expected a module, got nil",
      refusal(nn.Sequential, nn.ReLU(), nil, nn.ReLU()))
    assert.equal("Sequential[1]: expected a module, "
      .. "got the class ReLU; write ReLU(...) to make one",
      refusal(nn.Sequential, nn.ReLU))
    local model = nn.Sequential()
    assert.equal("Sequential[1]: expected a module, got 3", refusal(model.append, model, 3))
  end)
end)

local function names_of(iterator)
  local names = {}
  for name in iterator do
    names[#names + 1] = name
  end
  return names
end

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

describe("nn.ModuleList", function()
  it("prints equal neighbours in one line", function()
    assert.equal("ModuleList(\n  (1-2): 2 x Linear(in_features=2, out_features=2, bias=True)\n"
      .. "  (3): ReLU()\n)", tostring(nn.ModuleList(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU())))
    assert.equal("ModuleList()", tostring(nn.ModuleList()))
    assert.equal("ModuleList(\n  (a): ReLU()\n  (2): ReLU()\n)",
      tostring(nn.ModuleList({ "a", nn.ReLU() }, nn.ReLU())))
  end)

  it("does not run, and its modules know where they stand", function()
    local Net = nn.Module:extend("Net")
    function Net:init()
      self.layers = nn.ModuleList(nn.Linear(4, 3), nn.Linear(5, 2))
      self.head = nn.Sequential({ "last", nn.Linear(7, 1) })
      self.ends = nn.ModuleDict({ left = nn.Linear(6, 1) })
    end
    local net = Net()
    assert.equal("ModuleList: forward: not defined; call the modules in it",
      refusal(nn.ModuleList(), 1))
    assert.equal("Net.layers[2] Linear(5 -> 2): linear: argument 1: expected [..., 5], got [1, 3]",
      refusal(net.layers[2], wrun.zeros(1, 3)))
    assert.equal("Net.ends.left Linear(6 -> 1): linear: argument 1: expected [..., 6], got [1, 3]",
      refusal(net.ends.left, wrun.zeros(1, 3)))
    assert.equal("Net.head Sequential: Sequential.last Linear(7 -> 1): linear: argument 1: "
      .. "expected [..., 7], got [1, 3]", refusal(net.head, wrun.zeros(1, 3)))
    local copy = net:clone()
    assert.equal("Net.layers[2] Linear(5 -> 2): linear: argument 1: expected [..., 5], got [1, 3]",
      refusal(copy.layers[2], wrun.zeros(1, 3)))
  end)
end)

describe("nn.ModuleDict", function()
  it("holds modules by name", function()
    local dict = nn.ModuleDict({ b = nn.ReLU(), a = nn.Linear(1, 1) })
    assert.same({ "a", "b" }, names_of(dict:items()))
    dict.c = nn.Tanh()
    dict.b = nil
    assert.equal(2, #dict)
    assert.same({ "a", "c" }, names_of(pairs(dict)))
    assert.equal(dict, dict:update({ b = nn.Sigmoid(), a = nn.Identity() }))
    assert.same({ "a", "b", "c" }, names_of(dict:named_children()))
    assert.equal("ModuleDict(\n  (a): Identity()\n  (b): Sigmoid()\n  (c): Tanh()\n)",
      tostring(dict))
    assert.equal(0, #nn.ModuleDict())
  end)

  it("refuses what is no module or no name, before it changes", function()
    local dict = nn.ModuleDict({ a = nn.ReLU() })
    assert.equal("ModuleDict.c: expected a module, got 1",
      refusal(dict.update, dict, { b = nn.ReLU(), c = 1 }))
    assert.equal(1, #dict)
    assert.equal("ModuleDict: expected a new field name without a dot, got the string 'eval'",
      refusal(nn.ModuleDict, { eval = nn.ReLU() }))
    assert.equal("ModuleDict: argument 1: expected a table, got 1", refusal(nn.ModuleDict, 1))
    assert.equal("ModuleDict: forward: not defined; call the modules in it",
      refusal(nn.ModuleDict(), 1))
  end)
end)

describe("containers of parameters", function()
  local p, q = nn.Parameter(wrun.zeros(2, 3)), nn.Parameter(wrun.ones(3))

  it("make them parameters of the module that holds them", function()
    local Net = nn.Module:extend("Net")
    function Net:init()
      self.list = nn.ParameterList(p, { "named", q })
      self.dict = nn.ParameterDict({ other = q })
    end
    local net = Net()
    assert.same({ "list.1", "list.named" }, names_of(net:named_parameters()))
    assert.equal(q, net.list[-1])
    assert.equal(q, net.list.named)
    local keys = {}
    for key in pairs(net:state_dict()) do
      keys[#keys + 1] = key
    end
    assert.same({ "list.1", "list.named", "dict.other" }, keys)
    net:double()
    assert.equal("float64", net.list.named.dtype)
    assert.equal(net.list.named, net.dict.other)
  end)

  it("print", function()
    assert.equal("ParameterList(\n  (1): Parameter containing: [float32 of size 2x3]\n"
      .. "  (2): Parameter containing: [float32 of size 3]\n)",
      tostring(nn.ParameterList({ p, q })))
    assert.equal("ParameterDict(\n  (k): Parameter containing: [float32 of size 3]\n)",
      tostring(nn.ParameterDict({ k = q })))
    assert.equal("ParameterList()", tostring(nn.ParameterList()))
  end)

  it("refuse what is no parameter", function()
    assert.equal("ParameterList[1]: expected a parameter, got a float32 tensor [2]",
      refusal(nn.ParameterList, wrun.zeros(2)))
    assert.equal("ParameterDict.k: expected a parameter, got a float32 tensor [2]",
      refusal(nn.ParameterDict, { k = wrun.zeros(2) }))
  end)
end)
