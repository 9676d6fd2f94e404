--- Early stopping: when it ends, and what comes back.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

require "wrun.testing"

-- The step at which a list of values ends it, and what it thinks is best.
local function stopped_at(values, options)
  local model = nn.Linear(1, 1)
  local stopping = wrun.early_stopping(model, options)
  for step, value in ipairs(values) do
    wrun.no_grad(function() model.weight:fill_(step) end)
    if stopping:step(value) then
      stopping:restore()
      return step, stopping.best, model.weight:item()
    end
  end
end

describe("early_stopping", function()
  it("ends after so many steps without a better value, with the best weights", function()
    assert.same({ 5, 1, 2 }, { stopped_at({ 3, 1, 2, 1, 1.5, 0 }, { patience = 3 }) })
    assert.same({ 3, 3, 2 }, { stopped_at({ 1, 3, 2 }, { patience = 1, mode = "max" }) })
    assert.is_nil(stopped_at({ 5, 4, 3, 2, 1 }, { patience = 1 }))
  end)

  it("wants better by min_delta, and NaN is never better", function()
    assert.same({ 3, 1, 1 }, { stopped_at({ 1, 0.95, 0.91 }, { patience = 2, min_delta = 0.1 }) })
    assert.same({ 3, 1, 1 }, { stopped_at({ 1, 0 / 0, 0 / 0 }, { patience = 2 }) })
    assert.same({ 2 }, { stopped_at({ 0 / 0, 0 / 0 }, { patience = 2 }), nil })
  end)

  it("is kept with a run", function()
    local model, other = nn.Linear(1, 1), nn.Linear(1, 1)
    local stopping = wrun.early_stopping(model, { patience = 2 })
    stopping:step(1)
    stopping:step(2)
    local later = wrun.early_stopping(other, { patience = 2 })
    later:load_state_dict(stopping:state_dict())
    assert.is_true(later:step(3))
    later:restore()
    assert.same_bits(model.weight, other.weight)
    assert.equal("EarlyStopping(best 1 at step 1 of 3)", tostring(later))
  end)

  it("refuses wrong use", function()
    assert.matches("early_stopping: argument 1: expected a model, got 3",
      (refusal(function() wrun.early_stopping(3) end)))
    assert.matches("step: argument 1: expected a number, got nil",
      (refusal(function() wrun.early_stopping(nn.Linear(1, 1)):step() end)))
    assert.matches("early_stopping: option patience: expected an integer",
      (refusal(function() wrun.early_stopping(nn.Linear(1, 1), { patience = 0 }) end)))
  end)
end)
