--- The maximal update parametrisation, against the table of its paper.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

require "wrun.testing"

local init, nn = wrun.nn.init, wrun.nn

local function network(width, inputs)
  return nn.Sequential(nn.Linear(inputs or 20, width), nn.ReLU(), nn.Linear(width, width),
    nn.ReLU(), nn.Linear(width, 10))
end

-- The rate of each parameter by its path.
local function rates(model, groups)
  local of, list = {}, {}
  for _, group in ipairs(groups) do
    for _, parameter in ipairs(group.params) do
      assert.is_nil(of[parameter])
      of[parameter] = group.lr
    end
  end
  for path, parameter in model:named_parameters() do
    list[path] = of[parameter]
  end
  return list
end

describe("nn.init.mup_", function()
  it("is He's start with one rate for a model as wide as its base", function()
    for _, optimizer in ipairs { "adam", "sgd" } do
      local model, other = network(32), network(32)
      wrun.manual_seed(3)
      local groups = init.mup_(model, network(32), { lr = 0.1, optimizer = optimizer })
      wrun.manual_seed(3)
      network(32) -- the base draws too
      init.apply(other, "he_normal")
      assert.equal(1, #groups)
      assert.equal(0.1, groups[1].lr)
      assert.equal(6, #groups[1].params)
    end
    local model, other, base = network(32), network(32), network(32)
    wrun.manual_seed(3)
    init.mup_(model, base, { lr = 0.1 })
    wrun.manual_seed(3)
    init.apply(other, "he_normal")
    assert.equal(wrun.fingerprint(other), wrun.fingerprint(model))
  end)

  it("has the rates of table 3", function()
    -- n = 8: Adam 1, 1 / n, 1 / n for input, hidden and output weights, and 1 for biases;
    -- gradient descent n, 1, 1 / n, and n for biases, but 1 for those of the output
    local model, base = network(256), network(32)
    assert.same({
      ["1.weight"] = 1, ["1.bias"] = 1, ["3.weight"] = 1 / 8, ["3.bias"] = 1, ["5.weight"] = 1 / 8,
      ["5.bias"] = 1,
    }, rates(model, init.mup_(model, base, { lr = 1 })))
    assert.same({
      ["1.weight"] = 8, ["1.bias"] = 8, ["3.weight"] = 1, ["3.bias"] = 8, ["5.weight"] = 1 / 8,
      ["5.bias"] = 1,
    }, rates(model, init.mup_(model, base, { lr = 1, optimizer = "sgd" })))
  end)

  it("starts with the variances of table 3", function()
    wrun.manual_seed(1)
    local model = network(800, 200)
    init.mup_(model, network(50, 200), { lr = 1 })
    -- 2 / fan_in, for the output weights over the ratio of widths once more
    assert.near(math.sqrt(2 / 200), model[1].weight:std():item(), 0.002)
    assert.near(math.sqrt(2 / 800), model[3].weight:std():item(), 0.0005)
    assert.near(math.sqrt(2 / 800 / 16), model[5].weight:std():item(), 0.0005)
    assert.equal(0, model[3].bias:abs():max():item())
    init.mup_(model, network(50, 200), { lr = 1, rule = "ones" })
    assert.same({ 1.0, 1.0, 0.25 }, {
      model[1].weight:max():item(), model[3].weight:max():item(), model[5].weight:min():item(),
    })
  end)

  it("knows embeddings, scalars and norms", function()
    local function make(width)
      return nn.Sequential(nn.Embedding(9, width), nn.ReZero(nn.Sequential(nn.Linear(width, width),
        nn.LayerNorm(width))), nn.Linear(width, 3))
    end
    local model = make(16)
    local rows = model[1].weight:detach():clone()
    local found = rates(model, init.mup_(model, make(4), { lr = 1, optimizer = "sgd" }))
    assert.is_true(rows:equal(model[1].weight))
    assert.same({
      ["1.weight"] = 4, ["2.alpha"] = 1, ["2.branch.1.weight"] = 1, ["2.branch.1.bias"] = 4,
      ["2.branch.2.weight"] = 4, ["2.branch.2.bias"] = 4, ["3.weight"] = 1 / 4, ["3.bias"] = 1,
    }, found)
  end)

  it("keeps the best learning rate, which usual starts do not #many", function()
    wrun.manual_seed(1)
    local x, y = wrun.randn(64, 20), wrun.randint(1, 11, { 64 })
    -- the rate with the least mean cost of 40 steps, as a power of 2
    local function best_power(width, is_mup)
      local best, least = nil, math.huge
      for power = -10, -1 do
        wrun.manual_seed(1)
        local model = init.apply(network(width), "he_normal")
        local lr = 2.0 ^ power
        local optimizer = wrun.optim.Adam(is_mup and init.mup_(model, network(16), { lr = lr })
          or model:parameters(), { lr = lr })
        local sum = 0
        for _ = 1, 40 do
          optimizer:zero_grad()
          local cost = nn.functional.cross_entropy(model(x), y)
          cost:backward()
          optimizer:step()
          sum = sum + cost:item()
        end
        if sum < least then
          best, least = power, sum
        end
      end
      return best
    end
    assert.is_true(math.abs(best_power(256, true) - best_power(16, true)) <= 1)
    assert.is_true(best_power(16, false) - best_power(256, false) >= 3) -- 16 times as wide
  end)

  it("gives groups that an optimiser takes", function()
    local model = network(64)
    local optimizer = wrun.optim.Adam(init.mup_(model, network(32), { lr = 0.01 }))
    assert.same({ 0.01, 0.005 }, {
      optimizer.param_groups[1].lr, optimizer.param_groups[2].lr,
    })
  end)

  it("refuses models that differ by more than their widths", function()
    local model = network(8)
    assert.equal("mup_: argument 1: expected a module, got 3",
      refusal(init.mup_, 3, model, { lr = 1 }))
    assert.equal("mup_: argument 2: expected a module, got 3",
      refusal(init.mup_, model, 3, { lr = 1 }))
    assert.equal("mup_: argument 2: expected a module like the first, with a parameter 3.weight "
      .. "of 2 dimensions, got nil", refusal(init.mup_, model, nn.Sequential(nn.Linear(20, 4)),
      { lr = 1 }))
    assert.equal("mup_: argument 2: expected a module like the first, which has no parameter "
      .. "1.weight", refusal(init.mup_, nn.Sequential(nn.ReLU()), nn.Sequential(
        nn.Linear(4, 4, { bias = false })), { lr = 1 }))
    assert.equal("mup_: option lr: expected a number > 0, got nil",
      refusal(init.mup_, model, network(4)))
    assert.equal("mup_: option optimizer: expected adam or sgd, got the string 'adamw'",
      refusal(init.mup_, model, network(4), { lr = 1, optimizer = "adamw" }))
    assert.equal("mup_: argument 2: expected parameters with elements, got none at weight",
      refusal(init.mup_, nn.Linear(2, 2), nn.Linear(0, 2), { lr = 1 }))
  end)
end)
