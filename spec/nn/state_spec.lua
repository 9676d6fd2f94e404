--- State: saving, loading, mismatches listed all at once, and casts.

local modules = require "spec.support.modules"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local Net, names_of, keys_of = modules.Net, modules.names_of, modules.keys_of

local function two_layers()
  return nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
end

describe("state_dict", function()
  it("names parameters and persistent buffers in order, detached, on the same memory", function()
    local net = two_layers()
    net[2]:register_buffer("mean", wrun.zeros(1))
    net[2]:register_buffer("scratch", wrun.zeros(1), { persistent = false })
    local state = net:state_dict()
    assert.same({ "1.weight", "1.bias", "2.mean", "3.weight", "3.bias" }, keys_of(state))
    assert.is_false(state["1.weight"].requires_grad)
    nn.init.constant_(net[3].bias, 4)
    assert.same({ 4.0 }, state["3.bias"]:tolist())
  end)
end)

describe("load_state_dict", function()
  it("makes a copy of the other module", function()
    local from, to = two_layers(), two_layers()
    local result = to:load_state_dict(from:state_dict())
    assert.same({ missing_keys = {}, unexpected_keys = {} }, result)
    local x = wrun.randn(4, 3)
    assert.same(from(x):tolist(), to(x):tolist())
    nn.init.zeros_(from[1].weight)
    assert.is_true(to[1].weight:abs():sum():item() > 0)
  end)

  it("keeps the parameters the leaves that they are", function()
    local net = two_layers()
    local weight = net[1].weight
    net:load_state_dict(two_layers():state_dict())
    assert.equal(weight, net[1].weight)
    assert.is_true(weight.requires_grad)
    assert.is_true(weight.is_leaf)
  end)

  it("takes a plain table and casts its values", function()
    local net = nn.Linear(2, 1)
    local weight = wrun.tensor({ { 1, 2 } }, { dtype = "float64" })
    net:load_state_dict({ bias = wrun.tensor({ 3 }), weight = weight })
    assert.equal("float32", net.weight.dtype)
    assert.same({ { 1.0, 2.0 } }, net.weight:tolist())
    assert.same({ 3.0 }, net.bias:tolist())
  end)

  it("lists everything that is wrong at once, and changes nothing", function()
    local net = two_layers()
    local before = net[1].weight:tolist()
    local state = { ["1.weight"] = wrun.zeros(2, 3), ["1.bias"] = 5 }
    state["3.weight"] = wrun.zeros(2, 2)
    for name in ("hgfedcba"):gmatch(".") do
      state[name] = wrun.zeros(1)
    end
    assert.equal("Sequential: load_state_dict: missing 3.bias; unexpected a, b, c, d, e, f, g, h; "
      .. "1.bias: expected a tensor, got 5; 3.weight: expected [1, 2], got [2, 2]",
      refusal(net.load_state_dict, net, state))
    assert.same(before, net[1].weight:tolist())
  end)

  it("lets names pass with strict = false, but not shapes", function()
    local net = two_layers()
    local state = { ["1.bias"] = wrun.tensor({ 7, 8 }), other = wrun.zeros(1) }
    local result = net:load_state_dict(state, { strict = false })
    assert.same({ "1.weight", "3.weight", "3.bias" }, result.missing_keys)
    assert.same({ "other" }, result.unexpected_keys)
    assert.same({ 7.0, 8.0 }, net[1].bias:tolist())
    state["3.bias"] = wrun.zeros(2)
    assert.equal("Sequential: load_state_dict: 3.bias: expected [1], got [2]",
      refusal(net.load_state_dict, net, state, { strict = false }))
  end)

  it("refuses what is no table, and unknown options", function()
    local net = two_layers()
    assert.equal("Sequential: load_state_dict: argument 1: expected a table, got nil",
      refusal(net.load_state_dict, net))
    assert.equal("Sequential: load_state_dict: option stric: unknown; the options are strict",
      refusal(net.load_state_dict, net, {}, { stric = false }))
  end)
end)

describe("a module", function()
  it("is cast with its buffers and gradients, integers aside", function()
    local net = Net()
    net:register_buffer("mean", wrun.zeros(2))
    net(wrun.ones(1, 4)):sum():backward()
    assert.equal(net, net:double())
    assert.equal("float64", net.second.weight.dtype)
    assert.equal("float64", net.second.weight.grad.dtype)
    assert.equal("float64", net.mean.dtype)
    assert.equal("int64", net.count.dtype)
    assert.is_true(net.second.weight.requires_grad)
    assert.equal("float64", net(wrun.ones(1, 4, { dtype = "float64" })).dtype)
    assert.same({ "scale", "second.weight", "second.bias", "first.weight" },
      names_of(net:named_parameters()))
    assert.equal("float32", net:float().scale.dtype)
    assert.equal("to: argument 1: expected float32 or float64, got the string 'int64'",
      refusal(net.to, net, "int64"))
  end)

  it("shares after a cast what was shared before", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[1].weight
    net:requires_grad_(false):to("float64")
    assert.equal(net[1].weight, net[2].weight)
    assert.is_false(net[1].weight.requires_grad)
    local weight = net[1].weight
    net:to("float64")
    assert.equal(weight, net[1].weight)
  end)
end)

describe("functional_call", function()
  it("computes with the tensors it is given, through which gradients flow", function()
    local layer, w = nn.Linear(2, 1), wrun.tensor({ { 3.0, 4.0 } }, { requires_grad = true })
    local weight, x = layer.weight, wrun.tensor { { 1.0, 2.0 } }
    local y = nn.functional_call(layer, { weight = w, bias = wrun.zeros(1) }, x)
    assert.equal(11, y:item())
    y:backward()
    assert.same({ { 1, 2 } }, w.grad:tolist())
    assert.is_nil(weight.grad)
    assert.is_true(rawequal(weight, layer.weight))
    assert.equal(2, #layer:parameters())
    assert.equal(nn.functional_call, wrun.func.functional_call)
  end)

  it("reaches below, by index and by name, and what stands twice in both places", function()
    local shared = nn.Linear(1, 1, { bias = false })
    local model = nn.Sequential(shared, { "head", nn.Linear(1, 1) }, shared)
    local y = nn.functional_call(model, {
      ["1.weight"] = wrun.tensor { { 2.0 } }, ["head.weight"] = wrun.tensor { { 3.0 } },
      ["head.bias"] = wrun.zeros(1),
    }, { wrun.ones(1, 1) })
    assert.equal(2 * 3 * 2, y:item())
  end)

  it("puts a module's own back after an error, too", function()
    local layer = nn.Linear(2, 1)
    local weight = layer.weight
    assert.is_false(pcall(nn.functional_call, layer, { weight = wrun.ones(1, 2) }, wrun.ones(1, 3)))
    assert.is_true(rawequal(weight, layer.weight))
    assert.same({ 1, 2 }, layer:state_dict().weight.shape)
  end)

  it("refuses names and values that fit nothing", function()
    local layer, text = nn.Linear(2, 1), "functional_call: argument "
    assert.equal(text .. "1: expected a module, got a table", refusal(nn.functional_call, {}, {}))
    assert.equal(text .. "2: wieght: expected the name of a parameter or buffer, got the string "
      .. "'wieght'", refusal(nn.functional_call, layer, { wieght = wrun.ones(1) }, {}))
    assert.equal(text .. "2: weight: expected a tensor, got 1",
      refusal(nn.functional_call, layer, { weight = 1 }, {}))
    assert.equal(text .. "2: expected all parameters and buffers, missing bias",
      refusal(nn.functional_call, layer, { weight = wrun.ones(1, 2) }, {}, { strict = true }))
  end)
end)

describe("load_state_dict", function()
  local function text(module, state)
    return refusal(module.load_state_dict, module, state):match("; (the names fit.*)$")
  end

  local function renamed(module, rename)
    local state = {}
    for name, tensor in pairs(module:state_dict()) do
      state[rename(name)] = tensor
    end
    return state
  end

  local function counted_from_0(name)
    return (name:gsub("%d+", function(digits) return math.tointeger(digits) - 1 end))
  end

  it("says which renaming would fit", function()
    local model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    assert.equal("the names fit with every number raised by 1",
      text(model, renamed(model, counted_from_0)))
    assert.equal("the names fit without 'module.' in front",
      text(model, renamed(model, function(name) return "module." .. name end)))
    assert.equal("the names fit without 'net.' in front and every number raised by 1",
      text(model, renamed(model, function(name) return "net." .. counted_from_0(name) end)))
    local net = nn.Sequential({ "encoder", model })
    assert.equal("the names fit with 'encoder.' in front", text(net, model:state_dict()))
    assert.equal("the names fit with 'encoder.' for 'body.' in front",
      text(net, renamed(net, function(name) return (name:gsub("encoder", "body")) end)))
  end)

  it("offers none where shapes or numbers differ", function()
    local model = nn.Linear(2, 3)
    assert.is_nil(text(model, { ["fc.weight"] = wrun.ones(3, 3), ["fc.bias"] = wrun.ones(3) }))
    assert.is_nil(text(model, { ["fc.weight"] = wrun.ones(3, 2) }))
    assert.is_nil(text(model, { w = wrun.ones(3, 2), b = wrun.ones(3) }))
  end)
end)
