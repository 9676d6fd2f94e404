--- What layers with a weight share.

local refusal = require "spec.support.refusal"
local weights = require "wrun.nn.weights"
local wrun = require "wrun"

describe("a layer's weights", function()
  local function made(options, ...)
    local layer = { reset_parameters = function(self, generator) self.filled_by = generator end }
    weights.make(layer, options, ...)
    return layer
  end

  it("have the sizes asked for, the bias the first of them", function()
    local layer = made({ bias = true, dtype = "float64" }, 2, 3)
    assert.same({ 2, 3 }, layer.weight.shape)
    assert.same({ 2 }, layer.bias.shape)
    assert.equal("float64", layer.weight.dtype)
    assert.is_true(layer.weight.requires_grad and layer.bias.requires_grad)
  end)

  it("have no bias where options say so, and are filled from the options' generator", function()
    local generator = wrun.Generator()
    local layer = made({ bias = false, dtype = "float32", generator = generator }, 4, 1, 2)
    assert.is_nil(layer.bias)
    assert.equal(generator, layer.filled_by)
  end)

  it("start afterwards as options say, by name or by function", function()
    local layer = made({
      bias = true, dtype = "float32", weight_init = wrun.nn.init.ones_,
      bias_init = function(bias) bias:detach():fill_(3) end,
    }, 2, 3)
    assert.same({ { 1.0, 1.0, 1.0 }, { 1.0, 1.0, 1.0 } }, layer.weight:tolist())
    assert.same({ 3.0, 3.0 }, layer.bias:tolist())
    wrun.manual_seed(3)
    local named = wrun.nn.Linear(4, 5, { weight_init = "xavier_uniform", bias_init = "zeros" })
    wrun.manual_seed(3)
    local by_hand = wrun.nn.Linear(4, 5)
    wrun.nn.init.xavier_uniform_(by_hand.weight)
    assert.same(by_hand.weight:tolist(), named.weight:tolist())
    assert.same({ 0.0, 0.0, 0.0, 0.0, 0.0 }, named.bias:tolist())
    assert.is_nil(wrun.nn.Linear(4, 5, { bias = false, bias_init = "zeros" }).bias)
  end)

  it("say which start they do not know", function()
    assert.equal("Linear: option weight_init: expected a function of a tensor or the name of one, "
      .. "like \"xavier_uniform\", got the string 'xavier'",
      refusal(wrun.nn.Linear, 4, 5, { weight_init = "xavier" }))
  end)
end)
