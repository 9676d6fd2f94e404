--- Fields that are nearly right: when reading one is an error, and when it is nil.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim

describe("an absent field", function()
  local layer = nn.Linear(2, 2, { bias = false })
  local model = nn.Sequential(layer, nn.ReLU())

  local function read(object, name)
    return refusal(function() return object[name] end)
  end

  it("is an error where its name is nearly that of one that is there", function()
    assert.equal("Linear: no name 'wieght'; did you mean weight?", read(layer, "wieght"))
    assert.equal("Linear: no name 'Weight'; did you mean weight?", read(layer, "Weight"))
    assert.equal("Sequential: no name 'paramters'; did you mean parameters?",
      read(model, "paramters"))
    local optimizer = optim.SGD(layer:parameters())
    assert.equal("SGD: no name 'zero_gard'; did you mean zero_grad?", read(optimizer, "zero_gard"))
    local loader = wrun.data.loader { x = wrun.ones(2, 2) }
    assert.equal("Loader: no name 'batchs'; did you mean batches?", read(loader, "batchs"))
    local set = wrun.data.TensorDataset(wrun.ones(2, 2))
    assert.equal("TensorDataset: no name 'tensers'; did you mean tensors?", read(set, "tensers"))
  end)

  it("is an error where others have it elsewhere", function()
    local optimizer = optim.Adam(layer:parameters())
    assert.equal("Adam: no name 'lr'; the option belongs to a group; "
      .. "write optimizer.param_groups[1].lr", read(optimizer, "lr"))
    assert.equal("Linear: no name 'cuda'; wrun computes on the processor alone",
      read(layer, "cuda"))
    assert.equal("Sequential: no name 'fit'; training is a loop over loader:batches()",
      read(model, "fit"))
  end)

  it("is an error where a class is asked for what makes one", function()
    assert.equal("Linear: no name 'new'; a class is called to make an object: Class(...)",
      read(nn.Linear, "new"))
    assert.equal("Module: no name 'extends'; did you mean extend?", read(nn.Module, "extends"))
  end)

  it("is nil where the name is another one", function()
    assert.is_nil(layer.bias)
    assert.is_nil(model.weight)
    assert.is_nil(layer.running_mean)
    assert.is_nil(nn.ReLU.weight)
    assert.is_nil(layer[1])
    assert.is_nil(layer._wieght)
    assert.is_nil(rawget(layer, "wieght"))
  end)

  it("is nil where a digit tells the names of a row apart", function()
    local Net = nn.Module:extend("Net")
    function Net:init() self.fc1 = nn.Linear(1, 1) end
    assert.is_nil(Net().fc2)
    assert.equal("Net: no name 'fd1'; did you mean fc1?", read(Net(), "fd1"))
  end)

  it("is looked for in the object that is read, wherever a function has it", function()
    local Net = nn.Module:extend("Net")
    local one, two = Net(), Net()
    one.encoder = nn.Linear(1, 1)
    local text = "Net: no name 'encodr'; did you mean encoder?"
    assert.equal(text, refusal(function() return one.encodr end)) -- a variable from outside
    assert.equal(text, refusal(function() return ({ one })[1].encodr end)) -- what was computed
    assert.equal(text, refusal(function(net) return net.encodr end, one)) -- an argument
    assert.is_nil(two.encoder) -- what another has is no slip
    assert.is_nil(select(2, pcall(function() return two.encodr end)))
  end)

  it("is nil to the object's own methods", function()
    local Net = nn.Module:extend("Net")
    function Net:init() self.layers = nn.ModuleList() end
    function Net:forward() return self.layer, self.trainin, self.lyers end
    assert.same({ n = 3 }, table.pack(Net()(1)))
  end)

  it("is nil to C and to the library", function()
    assert.equal("", table.concat(layer, "", 1, 0))
    assert.has_no.errors(function()
      wrun.fingerprint(model)
      return tostring(model) .. tostring(optim.SGD(layer:parameters()))
    end)
  end)
end)
