--- What a module holds: its fields by kind, in order, each once, under their names.

local modules = require "spec.support.modules"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local Net, names_of, keys_of = modules.Net, modules.names_of, modules.keys_of

describe("what a module holds", function()
  it("registers by assignment, own parameters first, then children in order", function()
    local net = Net()
    assert.same({ "scale", "second.weight", "second.bias", "first.weight" },
      names_of(net:named_parameters()))
    assert.equal(4, #net:parameters())
    assert.equal(net.scale, net:parameters()[1])
    assert.equal(net.first.weight, net:parameters()[4])
  end)

  it("can leave out what is below, and put a prefix before the names", function()
    local net = Net()
    assert.same({ "scale" }, names_of(net:named_parameters({ recurse = false })))
    assert.equal(1, #net:parameters({ recurse = false }))
    assert.same({ "net.count", "net.scratch" },
      names_of(net:named_buffers({ prefix = "net", recurse = false })))
    assert.equal("net.second.weight", names_of(net:named_parameters({ prefix = "net" }))[2])
    assert.equal(2, #net:buffers({ recurse = true }))
    assert.equal(0, #nn.Sequential(net):buffers({ recurse = false }))
    for _, name in ipairs { "parameters", "named_parameters", "buffers", "named_buffers" } do
      assert.equal(name .. ": option deep: unknown; the options are prefix, recurse",
        refusal(net[name], net, { deep = true }))
    end
  end)

  it("leaves plain tensors and values alone", function()
    local net = Net()
    net.cache = wrun.zeros(3)
    assert.equal(4, #net:parameters())
    assert.same({ "count", "scratch" }, names_of(net:named_buffers()))
  end)

  it("follows reassignment and removal", function()
    local net = Net()
    local new = nn.Linear(3, 9)
    net.second = new
    assert.equal(new.weight, net:parameters()[2])
    net.second = nil
    assert.same({ "scale", "first.weight" }, names_of(net:named_parameters()))
    net.second = new
    assert.equal("second.weight", names_of(net:named_parameters())[2])
  end)

  it("counts a shared parameter once, and writes it under every name", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[1].weight
    assert.equal(3, #net:parameters())
    assert.same({ "1.weight", "1.bias", "2.weight", "2.bias" }, keys_of(net:state_dict()))
    local twice = nn.Sequential(net[1], net[1])
    assert.equal(2, #twice:parameters())
    assert.equal(2, #twice:modules())
  end)

  it("names children and modules", function()
    local net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert.same({ 1, 2 }, names_of(net:named_children()))
    assert.same({ "", "1", "2", "2.1" }, names_of(net:named_modules()))
    assert.equal(net[2], net:children()[2])
    assert.equal(net, net:modules()[1])
    assert.equal(4, #net:modules())
  end)
end)

describe("a field of a module", function()
  it("may be given another parameter or module, or nil", function()
    local layer, net = nn.Linear(2, 3), nn.Sequential(nn.ReLU())
    layer.weight = nn.Parameter(wrun.ones(3, 2))
    layer.bias = nil
    net[1] = nn.Linear(2, 1)
    assert.same({ "weight" }, names_of(layer:named_parameters()))
    assert.same({ 3, 2 }, layer:state_dict().weight.shape)
    assert.same({ "1.weight", "1.bias" }, names_of(net:named_parameters()))
  end)

  it("keeps what it is given later, trains and saves it", function()
    local net = nn.Module:extend("Net")()
    for width = 1, 2 do
      net.inner = nn.Linear(1, width)
      net.scale = nn.Parameter(wrun.zeros(1))
      net.later = width == 2 and nn.Linear(width, 1)
    end
    assert.same({ "scale", "inner.weight", "inner.bias", "later.weight", "later.bias" },
      keys_of(net:state_dict()))
    local optimizer = wrun.optim.SGD(net:parameters(), { lr = 1 })
    net.later(net.inner(wrun.ones(1, 1)) * net.scale):sum():backward()
    optimizer:step()
    assert.not_equal(0, net.scale:item())
    assert.equal(net.scale:item(), net:state_dict().scale:item())
    assert.equal(net.later.bias:item(), net:clone().later.bias:item())
  end)

  it("is no parameter, module or buffer any more by mistake", function()
    local layer, net = nn.Linear(2, 3), Net()
    assert.equal("Linear: field weight: expected a parameter as before, or nil, got a float32 "
      .. "tensor [2, 4]; write nn.Parameter(tensor), or weight:copy_(tensor) inside wrun.no_grad",
      refusal(function() layer.weight = wrun.ones(2, 4) end))
    assert.equal("Net: field first: expected a module as before, or nil, got a function",
      refusal(function() net.first = print end))
    assert.equal("Net: field count: expected a tensor as before, or nil, got 5",
      refusal(function() net.count = 5 end))
    net.count = wrun.tensor { 7 }
    assert.equal(7, net:state_dict().count:item())
    assert.same({ "weight", "bias" }, keys_of(layer:state_dict()))
  end)

  it("may have another value once it is nil", function()
    local layer = nn.Linear(2, 2, { bias_init = "zeros" })
    layer.weight = nil
    layer.weight = wrun.ones(2, 2)
    assert.same({ "bias" }, keys_of(layer:state_dict()))
    assert.same({ 2, 2 }, layer(wrun.ones(1, 2))[1]:tolist())
  end)

  it("keeps its kind in every class that has one", function()
    local arguments = { { 3, 2, 2 }, { 3, 2 }, { 4 }, { { 4 } }, { nn.Linear(1, 1) }, {} }
    local count = 0
    for _, class in pairs(nn) do
      for _, given in ipairs(nn.Module:is_class(class) and arguments or {}) do
        local made, module = pcall(class, table.unpack(given))
        for _, names in ipairs(made and { module.named_parameters, module.named_children,
          module.named_buffers } or {}) do
          for name in names(module, names ~= module.named_children and { recurse = false }
            or nil) do
            for _, value in ipairs { 1, "text", true, {}, print, nn.Linear } do
              assert.equal("string", type(refusal(function() module[name] = value end)))
            end
            count = count + 1
          end
        end
      end
    end
    assert.is_true(count > 25, count)
  end)

  it("does not hide what would not be trained", function()
    local inner = nn.Linear(1, 1)
    local function complaint(value)
      local net = nn.Module:extend("Net")()
      net.value = value
      local ok, message = pcall(net.parameters, net)
      return ok or message:match("Net: .*$")
    end
    local text = "Net: field value: %s is not found; write %s"
    assert.equal(text:format("an object of Linear in a plain table",
      "nn.ModuleList(list) or nn.ModuleDict(table)"), complaint { first = inner })
    assert.equal(text:format("a float32 tensor [1, 1] in a plain table",
      "nn.ParameterList(list)"), complaint { inner.weight })
    assert.equal(text:format("a float32 tensor [2]", "nn.Parameter(tensor)"),
      complaint(wrun.ones(2, { requires_grad = true })))
    for _, harmless in ipairs { wrun.ones(2), { wrun.ones(2), 1 }, inner, inner.weight } do
      assert.is_true(complaint(harmless))
    end
  end)

  it("may name again what is found elsewhere", function()
    local net = nn.Module:extend("Net")()
    net.inner = nn.Linear(1, 1)
    net.order = { net.inner, net.inner.weight }
    assert.equal(2, #net:parameters())
  end)
end)

it("a walk of children ends though modules are added on it", function()
  local net = nn.Sequential(nn.ReLU(), nn.Tanh())
  for _, child in net:named_children() do
    net:append(child)
  end
  assert.equal(4, #net)
end)
