--- optim.swa_utils: averages of models, by hand.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim
local AveragedModel = optim.swa_utils.AveragedModel

local function model_of(value)
  local model = nn.Linear(2, 1)
  model:register_buffer("seen", wrun.zeros(1))
  model:register_buffer("count", wrun.tensor(0))
  return model, function(weight, bias)
    nn.init.constant_(model.weight, weight)
    nn.init.constant_(model.bias, bias or value)
    model.seen:fill_(weight)
    model.count:fill_(weight)
  end
end

-- The averages after updates of weights 1, 3 and 8.
local function averages(options)
  local model, set = model_of(5)
  local averaged = AveragedModel(model, options)
  local list = {}
  for i, weight in ipairs({ 1, 3, 8 }) do
    set(weight)
    averaged:update_parameters(model)
    list[i] = averaged.module.weight:tolist()[1][1]
  end
  return list, averaged, model
end

describe("AveragedModel", function()
  it("holds the mean of what it was shown", function()
    local list, averaged, model = averages()
    assert.same({ 1.0, 2.0 }, { list[1], list[2] })
    assert.near(4, list[3], 1e-6)
    assert.equal(3, averaged.n_averaged)
    assert.near(13, averaged(wrun.ones(1, 2)):item(), 1e-5)
    assert.same({ { 8.0, 8.0 } }, model.weight:tolist())
  end)

  it("or an exponential mean, which begins with the first", function()
    assert.same({ 1.0, 2.0, 5.0 }, (averages({ decay = 0.5 })))
    assert.same({ 1.0, 3.0, 8.0 }, (averages({ decay = 0 })))
    assert.same({ 1.0, 1.0, 1.0 }, (averages({ decay = 1 })))
  end)

  it("takes buffers as they are, or averages those of floats", function()
    local _, plain = averages()
    assert.same({ 8.0, 8 }, { plain.module.seen:item(), plain.module.count:item() })
    local _, averaged = averages({ decay = 0.5, use_buffers = true })
    assert.same({ 5.0, 8 }, { averaged.module.seen:item(), averaged.module.count:item() })
  end)

  it("goes on where it was saved", function()
    local _, one, model = averages()
    local two = AveragedModel(model)
    two:load_state_dict(one:state_dict())
    for _, averaged in ipairs({ one, two }) do
      averaged:update_parameters(model)
    end
    assert.is_true(one.module.weight:equal(two.module.weight))
    assert.equal(4, two.n_averaged)
    assert.equal("AveragedModel: load_state_dict: option n_averaged: expected an integer >= 0, "
      .. "got nil", refusal(two.load_state_dict, two, { module = {} }))
  end)

  it("refuses what is no module, and models that are not alike", function()
    assert.equal("AveragedModel: argument 1: expected a module, got 3", refusal(AveragedModel, 3))
    assert.equal("AveragedModel: option decay: expected a number from 0 to 1, got 2",
      refusal(AveragedModel, nn.Linear(1, 1), { decay = 2 }))
    local averaged = AveragedModel(nn.Linear(2, 1))
    local function text(model)
      return refusal(averaged.update_parameters, averaged, model)
    end
    assert.equal("AveragedModel: update_parameters: argument 1: expected a module, got nil", text())
    local liar = setmetatable({}, { __index = function(_, key) return key end })
    assert.equal("AveragedModel: update_parameters: argument 1: expected a module, got a table",
      text(liar))
    assert.equal("AveragedModel: update_parameters: expected a model with 2 parameters, got 1",
      text(nn.Linear(2, 1, { bias = false })))
    assert.equal("AveragedModel: update_parameters: parameters 1: expected [1, 2], got [1, 3]",
      text(nn.Linear(3, 1)))
    assert.equal(0, averaged.n_averaged)
  end)
end)
