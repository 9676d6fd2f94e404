--- The state of optimisers: saved and loaded, or refused. Each optimiser's own spec resumes it.

local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local optim = wrun.optim
local parameter, steps, twin = optimising.parameter, optimising.steps, optimising.twin

describe("an optimiser's state", function()
  it("keeps the rate that schedulers started from", function()
    local one, two = twin({}, optim.SGD), twin({}, optim.SGD)
    one.param_groups[1].initial_lr = 0.25
    two:load_state_dict(one:state_dict())
    assert.equal(0.25, two.param_groups[1].initial_lr)
    assert.is_nil(two.param_groups[2].initial_lr)
    one.param_groups[1].initial_lr = "fast"
    assert.equal(
      "SGD: load_state_dict: option initial_lr: expected a number >= 0, got the string 'fast'",
      refusal(two.load_state_dict, two, one:state_dict()))
  end)

  it("keeps what training made of the options, and entries of the user's own", function()
    local one, two = twin({}, optim.Adam), twin({}, optim.Adam)
    local group = one.param_groups[1]
    group.lr, group.weight_decay, group.betas = -0.5, -0.25, { 1.5, -0.5 }
    group.name, group.is_frozen = "embeddings", false
    two:load_state_dict(one:state_dict())
    local loaded = two.param_groups[1]
    for _, name in ipairs { "lr", "weight_decay", "betas", "name", "is_frozen" } do
      assert.same(group[name], loaded[name])
    end
  end)

  it("numbers parameters through the groups", function()
    local optimizer, parameters = twin({}, optim.Adam)
    steps(optimizer, parameters, 2)
    local saved = optimizer:state_dict()
    assert.same({ 1 }, saved.param_groups[1].params)
    assert.same({ 2 }, saved.param_groups[2].params)
    assert.equal(0.5, saved.param_groups[2].lr)
    assert.equal(2, saved.state[2].step)
    assert.same({ 2 }, saved.state[1].exp_avg.shape)
    steps(optimizer, parameters, 1)
    assert.equal(2, saved.state[2].step)
  end)

  it("is copied when it is loaded", function()
    local one, one_parameters = twin({}, optim.Adam)
    steps(one, one_parameters, 1)
    local two, two_parameters = twin({}, optim.Adam)
    two:load_state_dict(one:state_dict())
    local before = two.state[two_parameters[1]].exp_avg:tolist()
    steps(one, one_parameters, 1)
    assert.same(before, two.state[two_parameters[1]].exp_avg:tolist())
  end)

  it("is refused when it does not fit, and nothing changes", function()
    local optimizer, parameters = twin({}, optim.Adam)
    steps(optimizer, parameters, 1)
    local function text(saved)
      return refusal(optimizer.load_state_dict, optimizer, saved)
    end
    assert.equal("Adam: load_state_dict: expected 2 groups, got 1",
      text(optim.Adam({ parameter(1) }):state_dict()))
    local saved = optimizer:state_dict()
    saved.param_groups[2].params = { 2, 3 }
    assert.equal("Adam: load_state_dict: group 2: expected 1 parameters, got 2", text(saved))
    saved.param_groups[2].params = nil
    assert.equal("Adam: load_state_dict: group 2: expected 1 parameters, got none", text(saved))
    saved = optimizer:state_dict()
    saved.state[1].exp_avg = wrun.zeros(3)
    assert.equal("Adam: load_state_dict: parameter 1: exp_avg: expected [2], got [3]", text(saved))
    saved.state[1] = 5
    assert.equal("Adam: load_state_dict: parameter 1: expected a table, got 5", text(saved))
    saved = optimizer:state_dict()
    saved.param_groups[1].lr = "fast"
    assert.equal("Adam: load_state_dict: option lr: expected a number >= 0, got the string 'fast'",
      text(saved))
    assert.equal("Adam: load_state_dict: option dampening: unknown; the options are amsgrad, "
      .. "betas, decoupled_weight_decay, eps, lr, maximize, weight_decay",
      text((twin({}, optim.SGD)):state_dict()))
    assert.equal("Adam: load_state_dict: option state: expected a table, got nil",
      text({ param_groups = {} }))
    assert.equal("Adam: load_state_dict: expected a table of options, got 3", text(3))
    assert.equal(0.001, optimizer.param_groups[1].lr)
    assert.equal(1, optimizer.state[parameters[1]].step)
  end)
end)
