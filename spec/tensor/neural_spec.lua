--- The fused kernels of networks: softmax beside its definition, what targets refuse.

local core = require "wrun.core"
local operations = require "wrun.operations"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local SOFTMAX = { float32 = { rtol = 1e-6, atol = 1e-7 }, float64 = { rtol = 1e-14, atol = 1e-15 } }

local function softmax(list)
  local most, sum, result = math.max(table.unpack(list)), 0, {}
  for i, x in ipairs(list) do
    result[i] = math.exp(x - most)
    sum = sum + result[i]
  end
  for i, x in ipairs(result) do
    result[i] = x / sum
  end
  return result
end

describe("softmax and log_softmax", function()
  for _, dtype in ipairs({ "float32", "float64" }) do
    it("meet their definitions for rows of any length in " .. dtype, function()
      for _, n in ipairs({ 1, 2, 15, 16, 17, 255, 256, 257, 1000 }) do
        local x = ((wrun.arange(3 * n):double() * 1.3):sin():reshape(3, n) * 5):to(dtype)
        local y, logs = x:softmax(2), x:log_softmax(-1)
        for row = 1, 3 do
          local want = softmax(x[row]:tolist())
          near.lists(want, near.flat(y[row]), SOFTMAX[dtype])
          near.lists(want, near.flat(logs[row]:exp()), SOFTMAX[dtype])
        end
      end
    end)
  end

  it("take any dimension of any arrangement", function()
    local x = (wrun.arange(60):double() * 0.7):sin():reshape(3, 4, 5)
    for d = 1, 3 do
      for _, f in ipairs({ wrun.softmax, wrun.log_softmax }) do
        local want = f(x:transpose(d, 3):contiguous(), 3):transpose(d, 3)
        assert.is_true(want:equal(f(x, d)))
        local turned = x:permute(3, 1, 2):contiguous():permute(2, 3, 1)
        assert.is_true(want:equal(f(turned, d - 4)))
      end
    end
    for _, shape in ipairs { { 2, 300, 5 }, { 3, 17, 64 }, { 2, 9, 145 }, { 1, 600, 1 } } do
      for _, dtype in ipairs { "float32", "float64" } do
        local y = wrun.randn(shape, { dtype = dtype }) * 5
        for _, f in ipairs({ wrun.softmax, wrun.log_softmax }) do
          assert.is_true(f(y:transpose(2, 3), 3):transpose(2, 3):equal(f(y, 2)))
        end
      end
    end
    assert.equal(1, wrun.softmax(wrun.tensor(3.5), 1):item())
    assert.same({ 0, 3 }, wrun.zeros(0, 3):softmax(2).shape)
    assert.same({ 3, 0 }, wrun.zeros(3, 0):log_softmax(2).shape)
  end)

  -- y_i (g_i - sum_j g_j y_j) and g_i - e^y_i sum_j g_j, in double
  it("have the gradients of their definitions, in any dimension", function()
    for _, shape in ipairs { { 3, 1, 5 }, { 2, 130, 1 }, { 2, 300, 3 }, { 3, 17, 145 } } do
      for dtype, rtol in pairs { float32 = 5e-5, float64 = 1e-13 } do
        for d = 1, 3 do
          local x = (wrun.randn(shape, { dtype = dtype }) * 3):requires_grad_()
          local g = wrun.randn(3, 2, 1, { dtype = dtype })[1][1]:expand(shape)
          g = shape[3] == 3 and g or wrun.randn(shape, { dtype = dtype })
          local wide_g, p = g:double(), x:detach():double():softmax(d)
          local want = {
            softmax = p * (wide_g - (wide_g * p):sum(d, true)),
            log_softmax = wide_g - p * wide_g:sum(d, true),
          }
          for name, wanted in pairs(want) do
            local got = wrun.autograd.grad(wrun[name](x, d), x, { grad_outputs = g })
            assert.is_true(got:double():allclose(wanted, { rtol = rtol, atol = rtol }))
          end
        end
      end
    end
  end)

  it("stay finite for huge numbers, and pass NaN on", function()
    local x = wrun.tensor({ 1e30, 0, -1e30 })
    assert.same({ 1, 0, 0 }, x:softmax(1):tolist())
    assert.equal(0, x:log_softmax(1)[1]:item())
    assert.same({ 0.5, 0.5, 0 }, wrun.tensor({ 2, 2, -math.huge }):softmax(1):tolist())
    assert.is_true(wrun.tensor({ 1, 0 / 0 }):softmax(1):isnan():all():item())
  end)

  it("refuse integers and dimensions that are not there", function()
    for _, name in ipairs({ "softmax", "log_softmax" }) do
      assert.equal(name .. ": argument 1: expected a float32 or float64 tensor, "
        .. "got an int64 tensor [2]", refusal(wrun[name], wrun.tensor({ 1, 2 }), 1))
      assert.equal(name .. ": argument 2: expected a dimension, got nil",
        refusal(wrun[name], wrun.zeros(2)))
      assert.equal(name .. ": argument 2: expected a dimension from 1 to 1 or from -1 to -1, got 2",
        refusal(wrun[name], wrun.zeros(2), 2))
      assert.equal(name .. ": argument 1: expected a tensor, got 1", refusal(wrun[name], 1, 1))
    end
  end)
end)

describe("the fused cross-entropy", function()
  local function fused(x, classes)
    return operations._cross_entropy(x, classes, 0)
  end

  -- The same by operations of tensors, one after the other.
  local function composed(x, classes)
    return -x:log_softmax(2):gather(2, classes:unsqueeze(2)):squeeze(2)
  end

  local function gradient(f, x, classes, g)
    local leaf = x:detach():requires_grad_()
    f(leaf, classes):backward(g)
    return leaf.grad
  end

  for _, dtype in ipairs { "float32", "float64" } do
    it("has the bits of the operations it is made of, and so its gradient, in " .. dtype, function()
      for _, shape in ipairs { { 0, 3 }, { 1, 1 }, { 3, 2 }, { 65, 10 }, { 7, 257 }, { 2, 999 } } do
        local n, c = table.unpack(shape)
        local x = wrun.randn(n, c, { dtype = dtype }) * 5
        local classes, g = wrun.randint(1, c + 1, { n }), wrun.randn(n, { dtype = dtype })
        assert.is_true(composed(x, classes):equal(fused(x, classes)))
        assert.is_true(gradient(composed, x, classes, g):equal(gradient(fused, x, classes, g)))
        local turned, twice = x:t():contiguous():t(), wrun.stack({ classes, classes }, 2)
        assert.is_true(composed(x, classes):equal(fused(turned, twice:select(2, 1))))
      end
    end)
  end

  it("is what follows at infinity, and NaN where a row has one", function()
    local inf, nan = math.huge, 0 / 0
    local x = wrun.tensor { { inf, 0, inf }, { 0, inf, 1 }, { 0, -inf, -inf }, { -inf, 0, 0 },
      { nan, 0, 1 }, { 1e30, 0, -1e30 } }
    local classes = wrun.tensor { 3, 1, 1, 1, 2, 1 }
    local losses = fused(x, classes):tolist()
    assert.near(math.log(2), losses[1], 1e-7)
    assert.same({ inf, 0, inf }, { losses[2], losses[3], losses[4] })
    assert.is_true(losses[5] ~= losses[5])
    assert.equal(0, losses[6])
    local dx = gradient(fused, x, classes, wrun.ones(6)):tolist()
    local right = { { 0.5, 0, -0.5 }, { -1, 1, 0 }, { 0, 0, 0 }, { -1, 0.5, 0.5 } }
    for row, values in ipairs(right) do
      for column, value in ipairs(values) do
        assert.near(value, dx[row][column], 1e-7) -- 0.5 is e^-0.6931472
      end
    end
    assert.same({ 0, 0, 0 }, dx[6])
  end)

  it("refuses what it cannot walk", function()
    local x = wrun.zeros(2, 3)
    for message, arguments in pairs {
      ["1: expected rows [n, c], got a float32 tensor [3]"] = { wrun.zeros(3), wrun.tensor { 1 } },
      ["2: expected int64 classes, one a row, got an int64 tensor [1]"] = { x, wrun.tensor { 1 } },
      ["2: expected targets like the rows, got a float32 tensor [2]"] = { x, wrun.ones(2) },
      ["2: expected classes in range, got an int64 tensor [2]"] = { x, wrun.tensor { 1, 4 } },
    } do
      assert.equal("cross_entropy: argument " .. message,
        refusal(operations._cross_entropy, arguments[1], arguments[2], 0))
    end
  end)
end)

describe("check_classes", function()
  local function check(targets, ignored)
    return core.check_classes("loss", targets, 3, ignored)
  end

  it("passes classes from 1 to n, and says whether any is ignored", function()
    assert.is_false(check(wrun.tensor({ 1, 3, 2 })))
    assert.is_true(check(wrun.tensor({ 1, -100, 2 }), -100))
    assert.is_false(check(wrun.tensor({ 1, 3 }), -100))
    assert.is_false(check(wrun.zeros(0, { dtype = "int64" })))
  end)

  it("names the value, its place and the remedy", function()
    assert.equal("loss: argument 2: expected classes from 1 to 3, got 4 at index 2",
      refusal(check, wrun.tensor({ 1, 4 })))
    assert.equal("loss: argument 2: expected classes from 1 to 3, got 0 at index 1; "
      .. "labels that count from 0 need +1", refusal(check, wrun.tensor({ 0, 4 })))
    assert.equal("loss: argument 2: expected classes from 1 to 3, got -100 at index 1",
      refusal(check, wrun.tensor({ -100 })))
    assert.equal("loss: argument 2: expected classes from 1 to 3, got 7 at index 2",
      refusal(check, wrun.tensor({ { 1, 2 }, { 7, 3 } }):t()[1]))
    assert.equal("loss: argument 2: expected int64 class targets, got a float32 tensor [1]",
      refusal(check, wrun.tensor({ 1.0 })))
    assert.equal("loss: argument 2: expected a tensor, got a table", refusal(check, { 1 }))
  end)
end)
