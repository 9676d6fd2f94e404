--- Layers without parameters, against their formulas.

local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

local CLOSE = { rtol = 1e-6, atol = 1e-7 }

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

  it("Flatten keeps the batch, or folds the dimensions it is told", function()
    local images = wrun.zeros(4, 3, 2, 5)
    assert.same({ 4, 30 }, nn.Flatten()(images).shape)
    assert.same({ 12, 2, 5 }, nn.Flatten(1, 2)(images).shape)
    assert.same({ 120 }, nn.Flatten(1)(images).shape)
    assert.equal("Flatten(start_dim=1, end_dim=-2)", tostring(nn.Flatten(1, -2)))
  end)

  it("without settings prints empty brackets and refuses options", function()
    for _, name in ipairs({ "ReLU", "Sigmoid", "Tanh" }) do
      assert.equal(name .. "()", tostring(nn[name]()))
      assert.equal(name .. ": option inplace: unknown; there are no options",
        refusal(nn[name], { inplace = true }))
    end
    assert.equal("Identity()", tostring(nn.Identity()))
  end)

  it("names the function that its input does not suit", function()
    assert.equal("relu: argument 1: expected a tensor, got nil", refusal(nn.ReLU()))
    assert.equal("Flatten: argument 1: expected an integer, got the string 'a'",
      refusal(nn.Flatten, "a"))
  end)
end)
