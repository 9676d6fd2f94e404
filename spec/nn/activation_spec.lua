--- Activations and layers without parameters, against their formulas and PyTorch.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

local CLOSE = { rtol = 1e-6, atol = 1e-7 }

-- Sums of terms that cancel near a zero: 4 steps of what the size 1 has. At -infinity PyTorch
-- multiplies it by 0, and the limit stands here (spec/tensor/elementwise_extremes_spec.lua).
local ACTIVATIONS = {
  float32 = { ulp = 4, scale = 1, limits = true },
  float64 = { rtol = 1e-12, atol = 1e-15, limits = true },
  gradients = cases.SUMS,
}

describe("fixtures of activation #many", function()
  for claim, check in cases.each(require "spec.fixtures.activation", ACTIVATIONS) do
    it(claim, check)
  end
end)

describe("Softmax2d", function()
  it("is the softmax over channels", function()
    local x = wrun.randn(2, 3, 4, 5)
    assert.is_true(nn.Softmax2d()(x):equal(x:softmax(2)))
    assert.is_true(nn.Softmax2d()(x[1]):equal(x[1]:softmax(1)))
  end)

  it("refuses what is no picture", function()
    assert.equal("Softmax2d: argument 1: expected [n, channels, height, width] or "
      .. "[channels, height, width], got [2, 3]", refusal(nn.Softmax2d(), wrun.zeros(2, 3)))
  end)
end)

describe("the layer", function()
  local x = wrun.tensor({ -1, 0, 2 }, { dtype = "float32" })

  it("ReLU keeps what is positive", function()
    assert.same({ 0.0, 0.0, 2.0 }, nn.ReLU()(x):tolist())
  end)

  it("Sigmoid is 1 / (1 + exp(-x))", function()
    local want = { 1 / (1 + math.exp(1)), 0.5, 1 / (1 + math.exp(-2)) }
    near.lists(want, nn.Sigmoid()(x):tolist(), CLOSE)
  end)

  it("Tanh is (exp(2x) - 1) / (exp(2x) + 1)", function()
    local function tanh(v)
      return (math.exp(2 * v) - 1) / (math.exp(2 * v) + 1)
    end
    near.lists({ tanh(-1), 0.0, tanh(2) }, nn.Tanh()(x):tolist(), CLOSE)
  end)

  it("Softsign is x / (1 + |x|)", function()
    near.lists({ -1 / 2, 0.0, 2 / 3 }, nn.Softsign()(x):tolist(), CLOSE)
  end)

  it("Identity returns its input, and takes any arguments", function()
    assert.equal(x, nn.Identity(54, { unused = true })(x))
  end)

  it("without settings prints empty brackets and refuses options", function()
    for _, name in ipairs({ "ReLU", "Sigmoid", "Tanh" }) do
      assert.equal(name .. "()", tostring(nn[name]()))
      assert.equal(name .. ": option inplace: unknown; there are no options",
        refusal(nn[name], { inplace = true }))
    end
    assert.equal("Identity()", tostring(nn.Identity()))
  end)

  it("with settings checks them, and refuses options", function()
    assert.equal("LeakyReLU: argument 1: expected a number, got the string 'a'",
      refusal(nn.LeakyReLU, "a"))
    assert.equal("LeakyReLU: option inplace: unknown; there are no options",
      refusal(nn.LeakyReLU, 0.1, { inplace = true }))
    assert.equal("Softplus: argument 1: expected a number > 0, got 0", refusal(nn.Softplus, 0))
    assert.equal("Softshrink: argument 1: expected a number >= 0, got -1",
      refusal(nn.Softshrink, -1))
    assert.equal("Threshold: argument 2: expected a number, got nil", refusal(nn.Threshold, 1))
    assert.equal("GELU: argument 1: expected none or tanh, got the string 'erf'",
      refusal(nn.GELU, "erf"))
    for _, name in ipairs({ "Softmax", "LogSoftmax", "Softmin" }) do
      assert.equal(name .. ": argument 1: expected an integer, got nil", refusal(nn[name]))
      assert.equal(name .. "(dim=2)", tostring(nn[name](2)))
    end
  end)

  it("PReLU learns its slopes, one or one for each channel", function()
    local layer = nn.PReLU(3, 0.5, { dtype = "float64" })
    assert.same({ 0.5, 0.5, 0.5 }, layer.weight:tolist())
    assert.equal("float64", layer.weight.dtype)
    assert.is_true(layer.weight.requires_grad)
    local input = wrun.tensor({ { -1, 2, -3 } }, { dtype = "float64" })
    layer(input):sum():backward()
    assert.same({ -1.0, 0.0, -3.0 }, layer.weight.grad:tolist())
    assert.equal("PReLU: argument 1: expected an integer >= 1, got 0", refusal(nn.PReLU, 0))
    assert.equal("PReLU: argument 2: expected a number, got true", refusal(nn.PReLU, 1, true))
    assert.equal("PReLU: option inplace: unknown; the options are dtype",
      refusal(nn.PReLU, 1, 0.25, { inplace = true }))
    assert.equal("prelu: argument 2: expected a weight [2] or [1], got [3]",
      refusal(layer, wrun.zeros(1, 2)))
  end)

  it("names the function that its input does not suit", function()
    assert.equal("relu: argument 1: expected a tensor, got nil", refusal(nn.ReLU()))
  end)
end)
