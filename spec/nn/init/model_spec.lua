--- Starts of whole models: what each promises of the signal.

local networks = require "spec.support.networks"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

local function deep(depth, activation)
  wrun.manual_seed(1)
  return networks.deep {
    inputs = 20, width = 64, depth = depth, outputs = 5, activation = activation,
    rule = function() end,
  }
end

-- The output of each matrix product, for a batch.
local function outputs(model, x)
  local list = {}
  for i = 1, #model do
    x = model[i](x)
    if i % 2 == 1 then
      list[#list + 1] = x:detach():double()
    end
  end
  return list
end

describe("nn.init.apply", function()
  it("starts every weight by a rule, and biases from zeros", function()
    local model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2, { bias = false }))
    local gain = model[2].weight:clone()
    assert.equal(model, init.apply(model, "ones"))
    assert.same({ 12.0, 0.0, 8.0 }, {
      model[1].weight:sum():item(), model[1].bias:sum():item(), model[3].weight:sum():item(),
    })
    assert.is_true(gain:equal(model[2].weight))
    init.apply(model, function(weight) init.constant_(weight, weight:size(2)) end)
    assert.equal(4, model[3].weight[1][1]:item())
  end)

  it("draws in the order of the modules", function()
    local model, other = deep(2, nn.ReLU), deep(2, nn.ReLU)
    wrun.manual_seed(4)
    init.apply(model, "xavier_normal")
    wrun.manual_seed(4)
    for i = 1, 5, 2 do
      init.xavier_normal_(other[i].weight)
      assert.is_true(other[i].weight:equal(model[i].weight))
    end
  end)

  it("refuses what is no model, and no rule", function()
    assert.equal("apply: argument 1: expected a module, got 3", refusal(init.apply, 3, "ones"))
    local wrong = { ["the string 'ones_'"] = "ones_", ["the string 'x'"] = "x", ["3"] = 3 }
    for got, rule in pairs(wrong) do
      assert.equal("apply: argument 2: expected a function of a tensor or the name of one, like "
        .. '"xavier_uniform", got ' .. got, refusal(init.apply, nn.Linear(1, 1), rule))
    end
  end)
end)

describe("nn.init.lsuv_ #many", function()
  it("gives each layer's output the variance 1, whatever the activation", function()
    for _, activation in ipairs { nn.ReLU, nn.Tanh, nn.Sigmoid, nn.SiLU } do
      local model = deep(30, activation)
      local x = wrun.randn(100, 20)
      assert.equal(model, init.lsuv_(model, x))
      for _, y in ipairs(outputs(model, x)) do
        assert.near(1, y:var():item(), 0.021)
      end
    end
  end)

  it("scales a layer that is used twice for its first use; leaves modes and generator", function()
    local layer = nn.Linear(8, 8)
    local model = nn.Sequential(layer, nn.Dropout(0.5), layer)
    local x = wrun.randn(50, 8)
    local state = wrun.get_rng_state()
    init.lsuv_(model, x, { generator = wrun.Generator({ seed = 1 }) })
    assert.is_true(state:equal(wrun.get_rng_state()))
    assert.near(1, layer(x):var():item(), 0.021)
    assert.is_true(model.training)
    assert.is_false(rawget(layer, "_hooks"))
  end)

  it("refuses what it cannot scale", function()
    local model = deep(1, nn.ReLU)
    assert.equal("lsuv_: argument 1: expected a module, got 3",
      refusal(init.lsuv_, 3, wrun.ones(1)))
    assert.equal("lsuv_: argument 2: expected a tensor, got 3", refusal(init.lsuv_, model, 3))
    assert.equal("lsuv_: argument 2: expected a batch [rows, ...] with elements, got "
      .. "a float32 tensor [0, 20]", refusal(init.lsuv_, model, wrun.ones(0, 20)))
    assert.equal("lsuv_: 1: expected outputs that differ, got the variance 0.0",
      refusal(init.lsuv_, model, wrun.zeros(5, 20)))
    assert.equal("lsuv_: option tol: unknown; the options are generator, most, tolerance",
      refusal(init.lsuv_, model, wrun.ones(5, 20), { tol = 1 }))
  end)
end)

describe("nn.init.data_dependent_ #many", function()
  it("gives every unit mean 0 and variance 1 over the batch", function()
    local model, x = deep(5, nn.ReLU), wrun.randn(100, 20)
    local before = model[1].weight:detach():clone()
    assert.equal(model, init.data_dependent_(model, x))
    for _, y in ipairs(outputs(model, x)) do
      assert.is_true(y:mean(1):abs():max():item() < 1e-5)
      assert.is_true((y:std(1, false) - 1):abs():max():item() < 1e-4)
    end
    local cosine = nn.functional.cosine_similarity(before, model[1].weight:detach())
    assert.is_true(cosine:min():item() > 1 - 1e-6) -- directions stay
  end)

  it("only shifts units that are constant, and only scales where there is no bias", function()
    local layer = nn.Linear(2, 2)
    init.zeros_(layer.weight)
    init.constant_(layer.bias, 7)
    init.data_dependent_(layer, wrun.randn(5, 2))
    assert.same({ 0.0, 0.0 }, layer.bias:tolist())
    local bare, x = nn.Linear(2, 2, { bias = false }), wrun.randn(5, 2)
    init.data_dependent_(bare, x)
    assert.is_true((bare(x):std(1, false) - 1):abs():max():item() < 1e-5)
  end)
end)

describe("nn.init.fixup_ #many", function()
  it("has branches add nothing at first, and learn at a rate that depth leaves alone", function()
    -- one step at the same rate changes the output of 4 branches and of 100 about as much
    local function change(count)
      wrun.manual_seed(2)
      local branches, bare = {}, { bias = false }
      for i = 1, count do
        branches[i] = nn.Sequential(nn.Linear(16, 16, bare), nn.ReLU(), nn.Linear(16, 16, bare))
      end
      assert.equal(branches, init.fixup_(branches))
      local function forward(x)
        for _, branch in ipairs(branches) do
          x = x + branch(x)
        end
        return x
      end
      local x, y = wrun.randn(20, 16), wrun.randn(20, 16)
      assert.is_true(forward(x):equal(x))
      local rate = 0.01
      for _ = 1, 2 do -- the first step moves the last layers only
        local parameters = nn.ModuleList(branches):parameters()
        local gradients = { wrun.autograd.grad(((forward(x) - y) ^ 2):mean(), parameters) }
        wrun.no_grad(function()
          for i, parameter in ipairs(parameters) do
            parameter:sub_(gradients[i] * rate)
          end
        end)
      end
      return (forward(x) - x):norm():item()
    end
    local few, many = change(4), change(100)
    assert.is_true(many < 2 * few and many > few / 2, few .. " and " .. many)
  end)

  it("scales all layers but the last by L^(-1 / (2 m - 2))", function()
    local function first_spread(count)
      local branches = {}
      for i = 1, count do
        branches[i] = nn.Sequential(nn.Linear(200, 200), nn.Linear(200, 200), nn.Linear(200, 200))
      end
      init.fixup_(branches)
      assert.equal(0, branches[count][3].weight:abs():max():item())
      return branches[1][1].weight:std():item()
    end
    local he = math.sqrt(2 / 200)
    assert.near(he, first_spread(1), he * 0.03)
    assert.near(he * 16 ^ (-1 / 4), first_spread(16), he * 0.03)
  end)

  it("refuses what is no list of modules", function()
    assert.equal("fixup_: argument 1: expected a list of modules, got 3", refusal(init.fixup_, 3))
    assert.equal("fixup_: argument 1: expected a module, got 3", refusal(init.fixup_, { 3 }))
    assert.equal("fixup_: argument 1: expected a list of modules, got an object of Linear",
      refusal(init.fixup_, nn.Linear(2, 2)))
  end)
end)
