--- How to test a layer of one's own: shapes, values, gradients, and what it is made for.

local Residual = require "spec.examples.residual"
local wrun = require "wrun"

require "wrun.testing"

describe("a Residual layer", function()
  local layer, x

  before_each(function()
    wrun.manual_seed(1) -- every test draws the same numbers, whichever run first
    layer, x = Residual(6), wrun.randn(50, 6)
  end)

  it("keeps the shape of its input", function()
    assert.shape(layer(x), { 50, 6 })
    assert.shape(layer(x[1]), { 6 })
  end)

  it("is the identity where its gain is 0", function()
    wrun.nn.init.zeros_(layer.gain)
    assert.same_bits(x, layer(x))
  end)

  it("adds what its parameters say", function()
    wrun.nn.init.zeros_(layer.inner.weight)
    wrun.nn.init.ones_(layer.inner.bias)
    assert.tensor_near(x + 0.1 * wrun.ones(6):tanh(), layer(x))
  end)

  it("has the gradients that finite differences give, of its input and its parameters", function()
    assert.gradients(layer, x[{ { 1, 4 } }])
  end)

  it("keeps the spread of its input through forty layers", function()
    local y = x
    for _ = 1, 40 do
      y = Residual(6)(y)
    end
    assert.tensor_near(x:std(), y:std(), { rtol = 0.5 })
    assert.is_not.tensor_near(x, y)
  end)
end)
