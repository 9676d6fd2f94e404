--- The path of the module that failed, in front of an error.

local modules = require "spec.support.modules"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local Net = modules.Net

describe("an error inside a Sequential", function()
  it("has the index of the failing module in front", function()
    local model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(784, 128))
    assert.equal("Sequential[3] Linear(784 -> 128): "
      .. "linear: argument 1: expected [..., 784], got [32, 4]",
      refusal(model, wrun.zeros(32, 4)))
  end)

  it("names every container on the way", function()
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

  it("has nothing in front once the container has been left", function()
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
end)

describe("an error of a module", function()
  it("says where the module that failed stands", function()
    local net = Net()
    assert.equal("Net.first Linear(4 -> 3): linear: argument 1: expected [..., 4], got [1, 9]",
      refusal(net.first, wrun.zeros(1, 9)))
    assert.equal("linear: argument 1: expected [..., 4], got [1, 9]",
      refusal(net.first.forward, net.first, wrun.zeros(1, 9)))
    local moved = nn.Sequential(net.first)
    net.first = nil
    assert.equal("Sequential[1] Linear(4 -> 3): linear: argument 1: expected [..., 4], got [1, 9]",
      refusal(moved[1], wrun.zeros(1, 9)))
  end)

  it("keeps nothing alive by knowing where it stands", function()
    local layer = nn.Linear(2, 2)
    local holders = setmetatable({ nn.Sequential(layer) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_nil(holders[1])
    assert.equal("Linear(2 -> 2): linear: argument 1: expected [..., 2], got [3]",
      refusal(layer, wrun.zeros(3)))
  end)

  it("says where it stands in containers that only hold, and in their copies", function()
    local Holder = nn.Module:extend("Net")
    function Holder:init()
      self.layers = nn.ModuleList(nn.Linear(4, 3), nn.Linear(5, 2))
      self.head = nn.Sequential({ "last", nn.Linear(7, 1) })
      self.ends = nn.ModuleDict({ left = nn.Linear(6, 1) })
    end
    local net = Holder()
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
