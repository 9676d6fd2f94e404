--- Copies of modules: of all they hold, with memory of its own.

local modules = require "spec.support.modules"
local wrun = require "wrun"

local nn = wrun.nn
local Net, keys_of = modules.Net, modules.keys_of

describe("nn.Module:clone", function()
  it("is cloned with everything it holds, and what was shared is shared again", function()
    local net = nn.Sequential(Net(), nn.Dropout(0.5))
    net[1].second.weight = net[1].first.weight
    net[1].first.weight.grad = wrun.ones(3, 4)
    net[1].settings = { sizes = { 1, 2 }, generator = net[2].generator }
    net[1].cache = net[1].scale * 2
    net[1].first.weight:requires_grad_(false)
    local calls = 0
    net[2]:register_forward_hook(function() calls = calls + 1 end)
    local copy = net:clone():eval()
    assert.same(keys_of(net:state_dict()), keys_of(copy:state_dict()))
    for name, tensor in pairs(net:state_dict()) do
      assert.is_true(copy:state_dict()[name]:equal(tensor))
    end
    assert.equal(copy[1].second.weight, copy[1].first.weight)
    assert.is_false(copy[1].first.weight.requires_grad)
    assert.same(net[1].first.weight.grad:tolist(), copy[1].first.weight.grad:tolist())
    copy[1].first.weight.grad:fill_(5)
    copy[1].first.weight:fill_(5)
    copy[1].count:fill_(7)
    copy[1].settings.sizes[1] = 9
    assert.equal(1.0, net[1].first.weight.grad[1][1]:item())
    assert.is_false(net[1].first.weight:equal(copy[1].first.weight))
    assert.same({ 5 }, net[1].count:tolist())
    assert.same({ 1, 2 }, net[1].settings.sizes)
    assert.is_false(copy[1].cache.requires_grad)
    assert.is_true(net.training)
    assert.equal(Net, getmetatable(copy[1]))
    copy[2](wrun.ones(1))
    assert.equal(1, calls)
  end)
end)
