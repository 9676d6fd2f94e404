--- Linear: the product by hand, its start, and its shapes.

local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.Linear", function()
  it("computes x W^T + b over the last dimension", function()
    local layer = nn.Linear(3, 2, { dtype = "float64" })
    layer:load_state_dict({
      weight = wrun.tensor({ { 1, 2, 3 }, { -1, 0, 0.5 } }, { dtype = "float64" }),
      bias = wrun.tensor({ 10, 20 }),
    })
    local x = wrun.tensor({ { 1, 0, 0 }, { 0, 1, 2 } }, { dtype = "float64" })
    assert.same({ { 11.0, 19.0 }, { 18.0, 21.0 } }, layer(x):tolist())
    assert.same({ 11.0, 19.0 }, layer(x[1]):tolist())
    assert.same({ 4, 5, 2 }, layer(wrun.zeros(4, 5, 3, { dtype = "float64" })).shape)
    assert.same({ 0, 2 }, layer(wrun.zeros(0, 3, { dtype = "float64" })).shape)
  end)

  it("goes without a bias", function()
    local layer = nn.Linear(2, 2, { bias = false })
    assert.is_nil(layer.bias)
    assert.equal(1, #layer:parameters())
    assert.same({ { 0.0, 0.0 } }, layer(wrun.zeros(1, 2)):tolist())
  end)

  it("starts within 1 / sqrt(in), weight and bias alike", function()
    wrun.manual_seed(1)
    local layer = nn.Linear(100, 300, { dtype = "float64" })
    for _, parameter in ipairs(layer:parameters()) do
      local largest = parameter:abs():max():item()
      assert.is_true(largest <= 0.1 and largest > 0.09)
    end
    assert.near(0.1 / math.sqrt(3), layer.weight:std():item(), 0.001)
  end)

  it("draws the weight before the bias, as PyTorch does", function()
    -- The value PyTorch's own issue tracker publishes for seed 42: second row, first column.
    wrun.manual_seed(42)
    local layer = nn.Linear(2, 3)
    assert.equal(-0.16565565764904022, layer.weight[2][1]:item())
    local last_bias = layer.bias[3]:item()
    wrun.manual_seed(42)
    local draws = wrun.rand(9)
    local bound = 1 / math.sqrt(2)
    near.lists({ last_bias }, { (draws[9]:item() * 2 - 1) * bound }, { rtol = 1e-6, atol = 1e-7 })
  end)

  it("draws from the generator it is given", function()
    local function weights(seed)
      return nn.Linear(2, 3, { generator = wrun.Generator({ seed = seed }) }).weight:tolist()
    end
    assert.same(weights(3), weights(3))
    assert.are_not.same(weights(3), weights(4))
  end)

  it("starts anew when told", function()
    local layer = nn.Linear(2, 3)
    local before = layer.weight:tolist()
    layer:reset_parameters()
    assert.are_not.same(before, layer.weight:tolist())
  end)

  it("may have no inputs or no outputs", function()
    local warned = stub(_G, "warn")
    assert.same({ { 0.0, 0.0 } }, nn.Linear(0, 2)(wrun.zeros(1, 0)):tolist())
    assert.same({ 1, 0 }, nn.Linear(2, 0)(wrun.zeros(1, 2)).shape)
    assert.stub(warned).was.called(2)
    warned:revert()
  end)

  it("gives its parameters the gradients of the sum", function()
    local layer = nn.Linear(2, 1)
    layer(wrun.tensor({ { 1, 2 }, { 3, 4 } }, { dtype = "float32" })):sum():backward()
    assert.same({ { 4.0, 6.0 } }, layer.weight.grad:tolist())
    assert.same({ 2.0 }, layer.bias.grad:tolist())
  end)

  it("prints as PyTorch's does", function()
    assert.equal("Linear(in_features=784, out_features=256, bias=True)",
      tostring(nn.Linear(784, 256)))
    assert.equal("Linear(in_features=2, out_features=1, bias=False)",
      tostring(nn.Linear(2, 1, { bias = false })))
    assert.equal("Linear(2 -> 1)", nn.Linear(2, 1):label())
  end)

  it("refuses inputs of another width", function()
    assert.equal("linear: argument 1: expected [..., 784], got [32, 10]",
      refusal(nn.Linear(784, 4), wrun.zeros(32, 10)))
  end)

  it("refuses wrong widths and options", function()
    assert.equal("Linear: argument 1: expected an integer >= 0, got -1", refusal(nn.Linear, -1, 2))
    assert.equal("Linear: argument 2: expected an integer >= 0, got nil", refusal(nn.Linear, 1))
    assert.equal("Linear: argument 2: expected an integer >= 0, got 2.5",
      refusal(nn.Linear, 1, 2.5))
    assert.equal("Linear: option dtype: expected float32 or float64, got the string 'int64'",
      refusal(nn.Linear, 1, 1, { dtype = "int64" }))
    assert.equal("Linear: option biass: unknown; the options are bias, bias_init, dtype, "
      .. "generator, weight_init", refusal(nn.Linear, 1, 1, { biass = false }))
    assert.equal("Linear: expected a table of options, got false; write { bias = false }",
      refusal(nn.Linear, 1, 1, false))
  end)
end)
