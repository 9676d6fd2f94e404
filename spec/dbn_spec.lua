--- Stacks: trained greedily, turned into networks that share their memory, and unrolled.

local refusal = require "spec.support.refusal"
local script = require "spec.support.script"
local wrun = require "wrun"

local dbn = wrun.dbn

-- Rows of which half of the units repeat the others: something to learn.
local function data(n)
  local half = wrun.rand(n, 6, { generator = wrun.Generator({ seed = n }) }):lt(0.4):float()
  return wrun.cat({ half, half }, 2)
end

local function trained(options)
  options = options or {}
  options.sizes, options.seed = { 12, 8, 5 }, 1
  return dbn.new(options):fit(data(200), { method = "cd", epochs = 30, batch_size = 20 })
end

describe("dbn", function()
  it("trains each layer on the hidden probabilities of the one below", function()
    local x = data(200)
    local stack = trained()
    local bottom = wrun.rbm.new { visible = 12, hidden = 8, seed = 2 }
    bottom:fit(x, { method = "cd", epochs = 30, batch_size = 20 })
    local top = wrun.rbm.new { visible = 8, hidden = 5, seed = 3 }
    top:fit(bottom:hidden(x), { method = "cd", epochs = 30, batch_size = 20 })
    assert.is_true(stack.layers[1].weight:equal(bottom.weight))
    assert.is_true(stack.layers[2].weight:equal(top.weight))
    assert.is_true(stack:up(x):equal(top:hidden(bottom:hidden(x))))
  end)

  it("gives every layer the options that are its own", function()
    local seen = {}
    dbn.new({ sizes = { 12, 8, 5 }, seed = 1 }):fit(data(40), {
      epochs = 2, layers = { { lr = 0.5 }, { lr = 0.25, epochs = 3 } },
      callback = function(info)
        seen[#seen + 1] = ("%d %d %g"):format(info.layer, info.epoch, info.lr)
      end,
    })
    assert.same({ "1 1 0.5", "1 2 0.5", "2 1 0.25", "2 2 0.25", "2 3 0.25" }, seen)
  end)

  it("becomes a network that computes the same and shares its memory", function()
    local stack = trained()
    local x = data(10)
    local net = stack:to_nn()
    assert.is_true(net(x):allclose(stack:up(x), { atol = 1e-6 }))
    local classifier = stack:to_nn { classes = 3 }
    assert.same({ 10, 3 }, classifier(x).shape)
    local optimizer = wrun.optim.SGD(classifier:parameters(), { lr = 1 })
    local before = stack.layers[1].weight:clone()
    classifier(x):square():sum():backward()
    optimizer:step()
    assert.is_false(before:equal(stack.layers[1].weight))
    assert.is_true(net(x):allclose(stack:up(x), { atol = 1e-6 }))
  end)

  it("unrolls: up as the stack, down as each machine's visible units", function()
    local stack = trained { code_units = "gaussian" }
    local x = data(10)
    local model = stack:unroll()
    local code = stack:up(x)
    assert.is_true(model[1](x):allclose(code, { atol = 1e-5 }))
    local back = stack.layers[1]:visible(stack.layers[2]:visible(code))
    assert.is_true(model(x):allclose(back, { atol = 1e-5 }))
  end)

  it("generates data like what it has learnt", function()
    local v = trained():sample(300, 200)
    assert.same({ 300, 12 }, v.shape)
    local first, second = v:narrow(2, 1, 6), v:narrow(2, 7, 6)
    assert.is_true((first - second):abs():mean():item() < 0.25)
  end)

  it("refuses what is no stack", function()
    assert.equal("dbn.new: option sizes: expected a list of at least two integers >= 1, got {3}",
      refusal(dbn.new, { sizes = { 3 } }))
    assert.equal("fit: option layers: expected at most 2 tables, got 3", refusal(function()
      dbn.new({ sizes = { 12, 8, 5 } }):fit(data(40), { layers = { {}, {}, {} } })
    end))
    assert.equal("up: argument 2: expected an integer from 0 to 2, got 3", refusal(function()
      dbn.new({ sizes = { 12, 8, 5 } }):up(data(4), 3)
    end))
    assert.equal("load_state_dict: argument 1: expected a list of 2 states, got a list of 1",
      refusal(function()
        local one = dbn.new { sizes = { 3, 2 } }
        dbn.new({ sizes = { 12, 8, 5 } }):load_state_dict(one:state_dict())
      end))
  end)
end)

describe("dbn_mnist.lua", function()
  it("compares a pretrained network with random starts, and says who wins", function()
    local output, ok = script("dbn_mnist.lua",
      "--sizes 30,20 --labels 200 --pretraining 2 --steps 200 --starts dbn,relu")
    assert(ok, output)
    assert.is_truthy(output:find("DBN, sigmoid +200 labels +test error +[%d.]+ %%"))
    assert.is_truthy(output:find("He, ReLU +200 labels +test error +[%d.]+ %%"))
    assert.is_truthy(output:find("with 200 labels pretraining %a+: "))
  end)
end)
