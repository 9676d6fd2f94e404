--- optim.LBFGS beside PyTorch's (spec/fixtures/make_lbfgs.py), its state, and what it refuses.

local near = require "spec.support.near"
local optimising = require "spec.support.optimising"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local fixture = require "spec.fixtures.lbfgs"

local optim = wrun.optim

-- Every iteration divides by differences of gradients and so multiplies what was rounded; float32
-- keeps the scalars of PyTorch in float32 and ours in float64.
local PATH = { float64 = { rtol = 1e-12, atol = 1e-12 }, float32 = { rtol = 1e-4, atol = 1e-4 } }

local LOSSES = {
  bowl = function(t)
    return ((t.x - 1) ^ 2):sum() + 3 * ((t.y + t.x / 2) ^ 2):sum() + 5 * t.c ^ 2
  end,
  valley = function(t)
    return ((1 - t.x) ^ 2):sum() + 10 * ((t.y - t.x ^ 2) ^ 2):sum() + (t.c - 1) ^ 2
  end,
  wave = function(t)
    local x = (3 * t.x):sin() + t.x ^ 2 / 4
    return (x + (2 * t.y):cos() * t.y + 3 * t.y:abs()):sum() + t.c ^ 2
  end,
}

local function problem(name, dtype)
  local t = {}
  for key, values in pairs(fixture.start) do
    t[key] = wrun.tensor(values, { dtype = dtype, requires_grad = true })
  end
  local params = { t.x, t.y, t.c }
  return params, function()
    for _, p in ipairs(params) do
      p.grad = nil
    end
    local loss = LOSSES[name](t)
    loss:backward()
    return loss
  end
end

local function values_of(params)
  local values = {}
  for _, p in ipairs(params) do
    table.move(near.flat(p), 1, p:numel(), #values + 1, values)
  end
  return values
end

describe("LBFGS", function()
  for _, case in ipairs(fixture.cases) do
    local tag = case.dtype == "float32" and " #many" or ""
    it(("takes PyTorch's path in %s down the %s with %s%s"):format(case.dtype, case.problem,
        optimising.text(case.options), tag), function()
      local params, closure = problem(case.problem, case.dtype)
      local optimizer = optim.LBFGS(params, case.options)
      for _, want in ipairs(case.path) do
        local loss = optimizer:step(closure)
        near.lists({ want.loss }, { loss:item() }, PATH[case.dtype])
        near.lists(want.values, values_of(params), PATH[case.dtype])
        local state = optimizer.state[params[1]]
        if case.dtype == "float64" then -- in float32 the last iterations hang on single roundings
          assert.same({ want.func_evals, want.n_iter }, { state.func_evals, state.n_iter })
        end
      end
    end)
  end

  it("resumes to the bit", function()
    local options = { max_iter = 6, history_size = 2, line_search_fn = "strong_wolfe" }
    local one, closure_of_one = problem("valley", "float32")
    local first = optim.LBFGS(one, options)
    first:step(closure_of_one)
    local two, closure_of_two = problem("valley", "float32")
    wrun.no_grad(function()
      for i, p in ipairs(two) do
        p:copy_(one[i])
      end
    end)
    local second, saved = optim.LBFGS(two), first:state_dict()
    second:load_state_dict(saved)
    for _ = 1, 4 do
      first:step(closure_of_one)
      second:step(closure_of_two)
      assert.same(values_of(one), values_of(two))
    end
    assert.equal(2, #saved.state[1].history)
    saved.state[1].d = wrun.zeros(3)
    assert.equal("LBFGS: load_state_dict: parameter 1: d: expected [7], got [3]",
      refusal(second.load_state_dict, second, saved))
  end)

  it("works without gradients on, takes a number for a loss, and stays where the gradient is 0",
    function()
      local w = wrun.tensor({ 2.0 }, { requires_grad = true })
      local idle = wrun.tensor({ 5.0 }, { requires_grad = true })
      local optimizer = optim.LBFGS({ w, idle }, { lr = 0.5 })
      local function closure()
        optimizer:zero_grad()
        local loss = ((w - 1) ^ 2):sum()
        loss:backward()
        return loss:item()
      end
      assert.equal(1.0, wrun.no_grad(optimizer.step, optimizer, closure))
      assert.near(1, w:item(), 1e-3)
      assert.equal(5.0, idle:item())
      w = wrun.ones(1, { requires_grad = true })
      optimizer = optim.LBFGS({ w })
      assert.equal(0.0, optimizer:step(closure))
      assert.equal(1.0, w:item())
      assert.equal(0, optimizer.state[w].n_iter)
    end)

  it("has PyTorch's defaults", function()
    assert.same({ lr = 1, max_iter = 20, max_eval = 25, tolerance_grad = 1e-7, history_size = 100,
      tolerance_change = 1e-9 }, optim.LBFGS({ wrun.zeros(1) }).defaults)
    assert.equal(12, optim.LBFGS({ wrun.zeros(1) }, { max_iter = 10 }).defaults.max_eval)
  end)

  it("refuses steps without a closure, and closures without a loss", function()
    local w = wrun.ones(2, { requires_grad = true })
    local optimizer = optim.LBFGS({ w })
    assert.equal("LBFGS: step: argument 1: expected a function, got nil",
      refusal(optimizer.step, optimizer))
    local expected = "LBFGS: step: expected the closure to return the loss, a single number, got "
    assert.equal(expected .. "nil", refusal(optimizer.step, optimizer, function() end))
    assert.equal(expected .. "a float32 tensor [2]", refusal(optimizer.step, optimizer, function()
      return w * 1
    end))
    assert.same({}, optimizer.state)
  end)

  it("refuses groups, and options out of range", function()
    local p, q = wrun.zeros(1), wrun.zeros(1)
    assert.equal("LBFGS: expected one group of parameters, got another",
      refusal(optim.LBFGS, { { params = p }, { params = q } }))
    assert.equal("LBFGS: option line_search_fn: expected strong_wolfe, got the string 'armijo'",
      refusal(optim.LBFGS, { p }, { line_search_fn = "armijo" }))
    assert.equal("LBFGS: option history_size: expected an integer >= 1, got 0",
      refusal(optim.LBFGS, { p }, { history_size = 0 }))
    assert.equal("LBFGS: option max_iter: expected an integer >= 1, got 0",
      refusal(optim.LBFGS, { p }, { max_iter = 0 }))
  end)
end)
