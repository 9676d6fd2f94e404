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

  it("puts the place of the failing module in front of an error", function()
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

  it("forgets the place once it has been left", function()
    local model = nn.Sequential(nn.Linear(2, 2))
    pcall(model, wrun.zeros(1, 3))
    assert.equal("linear: argument 1: expected [..., 2], got [1, 3]",
      refusal(model[1], wrun.zeros(1, 3)))
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
