--- What layers with a weight share.

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
end)
