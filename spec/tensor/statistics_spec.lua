--- Statistics beside PyTorch's; derivatives of both orders, edges and refusals of distances,
--- covariances and integrals.

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local generator = wrun.Generator({ seed = 9 })

local function randn(...)
  return wrun.randn({ ... }, { dtype = "float64", generator = generator }):requires_grad_()
end

local function check(f, ...)
  assert.is_true(wrun.gradcheck(f, { ... }))
  assert.is_true(wrun.gradgradcheck(f, { ... }))
end

describe("fixtures of statistics #many", function()
  for claim, comparison in cases.each(require "spec.fixtures.statistics", cases.SUMS) do
    it(claim, comparison)
  end
end)

describe("fixtures of statistics_relations #many", function()
  for claim, comparison in cases.each(require "spec.fixtures.statistics_relations", cases.SUMS) do
    it(claim, comparison)
  end
end)

describe("cdist, cov, corrcoef, trapezoid and cumulative_trapezoid", function()
  it("have gradients of both orders", function()
    for _, p in ipairs { 1, 2, 3.5, math.huge } do
      check(function(a, b) return wrun.cdist(a, b, p) end, randn(2, 3), randn(4, 3))
    end
    check(wrun.cov, randn(3, 4))
    check(wrun.cov, randn(4))
    check(wrun.corrcoef, randn(2, 5))
    for _, f in ipairs { wrun.trapezoid, wrun.cumulative_trapezoid } do
      check(f, randn(2, 4), randn(4))
      check(function(y) return f(y, 0.5, 1) end, randn(3, 2))
    end
  end)
end)

describe("cdist", function()
  it("gives a gradient of 0 where rows are equal", function()
    local a = wrun.ones(2, 3, { requires_grad = true })
    wrun.cdist(a, wrun.ones(1, 3)):sum():backward()
    assert.same({ { 0, 0, 0 }, { 0, 0, 0 } }, a.grad:tolist())
  end)

  it("refuses what has no rows, or rows of another length", function()
    local x = wrun.zeros(2, 3)
    assert.equal("cdist: argument 1: expected a tensor, got 5", refusal(wrun.cdist, 5, x))
    assert.equal("cdist: argument 2: expected a tensor, got nil", refusal(wrun.cdist, x))
    assert.equal("cdist: argument 1: expected at least 2 dimensions, got a float32 tensor [3]",
      refusal(wrun.cdist, wrun.zeros(3), x))
    assert.equal("cdist: argument 2: expected rows of 3, got a float32 tensor [2, 4]",
      refusal(wrun.cdist, x, wrun.zeros(2, 4)))
    assert.equal("cdist: argument 2: expected rows of 3, got a float32 tensor [3]",
      refusal(wrun.cdist, x, wrun.zeros(3)))
    assert.equal("cdist: argument 3: expected a number >= 0, got -1",
      refusal(wrun.cdist, x, x, -1))
  end)
end)

describe("cov and corrcoef", function()
  it("refuse what is no table of observations", function()
    local x = wrun.zeros(2, 3)
    assert.equal("cov: argument 1: expected a tensor, got 5", refusal(wrun.cov, 5))
    assert.equal("corrcoef: argument 1: expected a tensor, got nil", refusal(wrun.corrcoef))
    for _, name in ipairs { "cov", "corrcoef" } do
      assert.equal(name .. ": argument 1: expected at most 2 dimensions, got [1, 2, 3]",
        refusal(wrun[name], wrun.zeros(1, 2, 3)))
    end
    assert.equal("cov: option correction: expected an integer, got 0.5",
      refusal(wrun.cov, x, { correction = 0.5 }))
    assert.equal("cov: option fweights: expected 3 weights, got an int64 tensor [2]",
      refusal(wrun.cov, x, { fweights = wrun.tensor({ 1, 2 }) }))
    assert.equal("cov: option aweights: expected weights >= 0",
      refusal(wrun.cov, x, { aweights = wrun.tensor({ 1, -2, 0.5 }) }))
  end)
end)

describe("trapezoid and cumulative_trapezoid", function()
  it("of fewer than two points are 0 and empty", function()
    assert.equal(0, wrun.ones(1):trapezoid():item())
    assert.equal(0, wrun.ones(0):trapezoid():item())
    assert.same({ 2, 0 }, wrun.ones(2, 1):cumulative_trapezoid().shape)
  end)

  it("refuse points that do not belong to the values", function()
    local y = wrun.zeros(2, 3)
    for _, name in ipairs { "trapezoid", "cumulative_trapezoid" } do
      local f = wrun[name]
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(f, 5))
      assert.equal(name .. ": argument 1: expected a tensor with dimensions, got a float32 tensor "
        .. "[]", refusal(f, wrun.tensor(1.5)))
      assert.equal(name .. ": argument 2: expected a tensor, got true", refusal(f, y, true))
      assert.equal(name .. ": argument 2: expected 3 points or the shape [2, 3], got [2]",
        refusal(f, y, wrun.zeros(2)))
      assert.equal(name .. ": argument 3: expected a dimension from 1 to 2 or from -2 to -1, got 3",
        refusal(f, y, 1, 3))
    end
  end)
end)

describe("max and min", function()
  it("of two tensors are maximum and minimum", function()
    local a, b = wrun.tensor({ 1, 5 }), wrun.tensor({ 3, 2 })
    assert.same({ 3, 5 }, a:max(b):tolist())
    assert.same({ 1, 2 }, a:min(b):tolist())
  end)
end)
