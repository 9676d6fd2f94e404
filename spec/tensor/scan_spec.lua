--- Scans beside PyTorch's and at their edges; their derivatives are in spec/operations_spec.lua too.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local function randn(...)
  return wrun.randn({ ... }, { dtype = "float64", generator = wrun.Generator({ seed = 3 }) })
    :requires_grad_()
end

local function check(f, ...)
  assert.is_true(wrun.gradcheck(f, { ... }))
  assert.is_true(wrun.gradgradcheck(f, { ... }))
end

describe("fixtures of scan #many", function()
  for claim, comparison in cases.each(require "spec.fixtures.scan", cases.SUMS) do
    it(claim, comparison)
  end
end)

describe("cumsum, cumprod, logcumsumexp and linear_recurrence", function()
  it("have gradients of both orders along every dimension and of any size", function()
    for _, name in ipairs { "cumsum", "cumprod", "logcumsumexp" } do
      for _, d in ipairs { 1, 2, 3, -1, -2 } do
        check(function(x) return wrun[name](x, d) end, randn(2, 3, 2))
      end
      check(function(x) return wrun[name](x, 1) end, randn())
      check(function(x) return wrun[name](x, 1) end, randn(1))
    end
    check(function(x) return x:cumsum(1, { reverse = true }) end, randn(3, 2))
    for _, reverse in ipairs { false, true } do
      local function f(a, b) return a:linear_recurrence(b, 1, { reverse = reverse }) end
      check(f, randn(4, 2), randn(4, 2))
      check(f, randn(), randn())
      check(f, randn(1), randn(1))
    end
  end)

  it("have gradients where factors are zero", function()
    local x = randn(5, 2):detach()
    x[{ 2, 1 }], x[{ 4, 1 }], x[{ 1, 2 }] = 0, 0, 0
    check(function(y) return y:cumprod(1) end, x:requires_grad_())
  end)

  it("give -inf a gradient of 0 and the rest its own", function()
    local x = wrun.tensor({ -math.huge, -math.huge, 0.5, 0.25 }, { requires_grad = true })
    local y = x:logcumsumexp(1)
    assert.same({ -math.huge, -math.huge, 0.5 }, y:narrow(1, 1, 3):tolist())
    y:narrow(1, 4, 1):sum():backward()
    local want = wrun.tensor({ 0.5, 0.25 }):softmax(1):tolist()
    near.lists({ 0.0, 0.0, want[1], want[2] }, x.grad:tolist(), { rtol = 1e-6 })
  end)

  it("carry their sums in double", function()
    local n = 3000001 -- beyond what a float32 can count in steps of 1/8
    assert.equal(n * 0.125, wrun.full({ n }, 0.125):cumsum(1)[n]:item())
  end)

  it("give the same bits for any number of threads", function()
    local threads = wrun.get_num_threads()
    local x = (wrun.arange(70 * 311):float() * 0.7):sin():reshape(7, 10, 311)
    local bits = {}
    for _, count in ipairs { 1, 3 } do
      wrun.set_num_threads(count)
      local results = {}
      for _, d in ipairs { 1, 2, 3 } do
        for _, name in ipairs { "cumsum", "logcumsumexp", "cummax" } do
          results[#results + 1] = near.hash(near.flat((wrun[name](x, d))))
        end
      end
      bits[#bits + 1] = table.concat(results, " ")
    end
    wrun.set_num_threads(threads)
    assert.equal(bits[1], bits[2])
  end)

  it("obey their recurrence from either end", function()
    local a, b = wrun.tensor({ 0.5, 2, 3 }), wrun.tensor({ 1.0, 10, 100 })
    assert.same({ 1, 12, 136 }, a:linear_recurrence(b, 1):tolist())
    assert.same({ 106, 210, 100 }, a:linear_recurrence(b, 1, { reverse = true }):tolist())
    assert.same({ 0, 2 }, wrun.zeros(0, 2):linear_recurrence(wrun.zeros(0, 2), 1).shape)
  end)
end)

describe("cummax and cummin", function()
  it("send a gradient to the index of each extreme, at any order", function()
    for _, name in ipairs { "cummax", "cummin" } do
      check(function(x) return (wrun[name](x, 2)) end, randn(3, 5))
      check(function(x) return (wrun[name](x, 1)) end, randn())
    end
    local x = wrun.tensor({ 1.0, 3, 3, 2 }, { requires_grad = true })
    x:cummax(1):sum():backward()
    assert.same({ 1, 1, 2, 0 }, x.grad:tolist())
  end)
end)

describe("scans", function()
  it("refuse what is no tensor, no dimension or no option", function()
    local x = wrun.zeros(2, 3)
    for _, name in ipairs { "cumsum", "cumprod", "logcumsumexp", "cummax", "cummin" } do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5, 1))
      assert.equal(name .. ": argument 2: expected a dimension, got nil", refusal(wrun[name], x))
      assert.equal(name .. ": argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
        refusal(wrun[name], x, 3))
    end
    assert.equal("cumsum: option dtype: expected bool, uint8, int32, int64, float32 or float64, "
      .. "got the "
      .. "string 'half'", refusal(wrun.cumsum, x, 1, { dtype = "half" }))
    assert.equal("cumsum: option reverse: expected true or false, got 1",
      refusal(wrun.cumsum, x, 1, { reverse = 1 }))
    assert.equal("cumprod: option reverse: unknown; the options are dtype",
      refusal(wrun.cumprod, x, 1, { reverse = true }))
    assert.equal("logcumsumexp: argument 1: expected a float32 or float64 tensor, got an int64 "
      .. "tensor [2]", refusal(wrun.logcumsumexp, wrun.tensor({ 1, 2 }), 1))
  end)

  it("refuse coefficients of another shape or type", function()
    local x = wrun.zeros(2, 3)
    assert.equal("linear_recurrence: argument 2: expected the shape [2, 3] of argument 1, got [3]",
      refusal(wrun.linear_recurrence, x, wrun.zeros(3), 1))
    assert.equal("linear_recurrence: argument 1: expected a float32 or float64 tensor, got an "
      .. "int64 tensor [1]", refusal(wrun.linear_recurrence, wrun.tensor({ 1 }), wrun.zeros(1), 1))
    assert.equal("linear_recurrence: argument 3: expected a dimension, got nil",
      refusal(wrun.linear_recurrence, x, x))
    assert.equal("linear_recurrence: option back: unknown; the options are reverse",
      refusal(wrun.linear_recurrence, x, x, 1, { back = true }))
  end)
end)

describe("diff", function()
  it("refuses what has no dimensions, and wrong counts and options", function()
    assert.equal("diff: argument 1: expected a tensor with dimensions, got a float32 tensor []",
      refusal(wrun.diff, wrun.tensor(1.5)))
    assert.equal("diff: argument 2: expected an integer >= 0, got -1",
      refusal(wrun.diff, wrun.zeros(3), -1))
    assert.equal("diff: argument 3: expected a dimension from 1 to 1 or from -1 to -1, got 2",
      refusal(wrun.diff, wrun.zeros(3), 1, 2))
    assert.equal("diff: option append: expected a tensor, got 1",
      refusal(wrun.diff, wrun.zeros(3), 1, 1, { append = 1 }))
    assert.equal("diff: cat: tensor 3: expected the shape [2, 3] but for dimension 2, got [3]",
      refusal(wrun.diff, wrun.zeros(2, 3), 1, 2, { prepend = wrun.zeros(2, 3),
        append = wrun.zeros(3) }))
  end)
end)
