--- Containers: what each builds, runs, holds and prints.

local modules = require "spec.support.modules"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local names_of = modules.names_of

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

  it("refuses what is no module, with its index", function()
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

describe("nn.ReZero", function()
  it("adds alpha times what its branch gives", function()
    local branch, x = nn.Linear(3, 3), wrun.randn(5, 3)
    local block = nn.ReZero(branch)
    assert.is_true(block(x):equal(x))
    wrun.no_grad(function() block.alpha:fill_(0.5) end)
    assert.same((x + branch(x) * 0.5):tolist(), block(x):tolist())
    assert.same({ "alpha", "branch.weight", "branch.bias" }, names_of(block:named_parameters()))
  end)

  it("starts networks of any depth as the identity, and they learn", function()
    wrun.manual_seed(1)
    local function deep(wrap)
      local model = nn.Sequential()
      for _ = 1, 60 do
        model:append(wrap(nn.Sequential(nn.Linear(8, 8, { weight_init = "xavier_normal" }),
          nn.ReLU())))
      end
      return model
    end
    local x = wrun.randn(50, 8)
    local y = x:matmul(wrun.randn(8, 8))
    local function cost_after(model)
      local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.01 })
      for _ = 1, 100 do
        optimizer:zero_grad()
        nn.functional.mse_loss(model(x), y):backward()
        optimizer:step()
      end
      return nn.functional.mse_loss(model(x), y):item()
    end
    local model = deep(nn.ReZero)
    local singular = nn.init.report(model, x).jacobian
    assert.same({ 1, 1 }, { singular.min, singular.max })
    local blind = y:var():item() -- the cost of a constant
    assert.is_true(cost_after(model) < 0.2 * blind)
    assert.is_true(cost_after(deep(function(branch) return branch end)) > 0.8 * blind)
  end)

  it("refuses what is no module", function()
    assert.equal("ReZero: argument 1: expected a module, got nil", refusal(nn.ReZero))
  end)
end)

describe("nn.ModuleList", function()
  it("prints equal neighbours in one line", function()
    assert.equal("ModuleList(\n  (1-2): 2 x Linear(in_features=2, out_features=2, bias=True)\n"
      .. "  (3): ReLU()\n)", tostring(nn.ModuleList(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU())))
    assert.equal("ModuleList()", tostring(nn.ModuleList()))
    assert.equal("ModuleList(\n  (a): ReLU()\n  (2): ReLU()\n)",
      tostring(nn.ModuleList({ "a", nn.ReLU() }, nn.ReLU())))
  end)

  it("does not run", function()
    assert.equal("ModuleList: forward: not defined; call the modules in it",
      refusal(nn.ModuleList(), 1))
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
    for _, name in ipairs { "a", "c" } do
      assert.equal(("ModuleDict.%s: expected a module, got 1"):format(name),
        refusal(function() dict[name] = 1 end))
    end
    local Own = nn.ModuleDict:extend("Own")
    function Own:init(width) self.width = width end
    assert.equal(3, Own(3).width)
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
