--- Sums of losses that make no tensor of them: beside those of the losses one by one, bit by bit.

local nn = require "wrun.nn"
local wrun = require "wrun"

local function rand(dtype, ...)
  return wrun.rand({ ... }, { dtype = dtype })
end

-- class, options, arguments after the first
local LOSSES = {
  { "MSELoss", {}, 1 }, { "L1Loss", {}, 1 }, { "HuberLoss", { delta = 0.25 }, 1 },
  { "SmoothL1Loss", { beta = 0.25 }, 1 }, { "BCEWithLogitsLoss", {}, 1 }, { "KLDivLoss", {}, 1 },
  { "BCEWithLogitsLoss", { pos_weight = wrun.tensor { 0.5, 1.0, 2.0 } }, 1 },
  { "PoissonNLLLoss", {}, 1 }, { "GaussianNLLLoss", {}, 2 }, { "SoftMarginLoss", {}, 1 },
}

local function options(loss, reduction, dtype)
  local o = { reduction = reduction }
  for name, value in pairs(loss[2]) do
    o[name] = wrun.is_tensor(value) and value:to(dtype) or value
  end
  return o
end

-- The loss of a reduction and its gradients, at once or of the losses one by one.
local function results(loss, dtype, reduction, is_whole, arguments)
  local criterion = nn[loss[1]](options(loss, is_whole and reduction or "none", dtype))
  local l = criterion(table.unpack(arguments))
  l = is_whole and l or l[reduction](l)
  return { l:detach(), wrun.autograd.grad(l, arguments) }
end

local function arguments_of(loss, dtype, make)
  local arguments = {}
  for i = 1, loss[3] + 1 do
    arguments[i] = (make(dtype) + 0.125):requires_grad_()
  end
  return arguments
end

local SHAPES = {
  one = function(dtype) return rand(dtype, 1, 3) end,
  ["blocks and a rest"] = function(dtype) return rand(dtype, 8200, 3) end,
  transposed = function(dtype) return rand(dtype, 3, 700):t() end,
  none = function(dtype) return rand(dtype, 0, 3) end,
}

local function assert_same(want, got)
  assert.equal(#want, #got)
  for i, x in ipairs(want) do
    if type(x) == "table" then
      assert_same(x, got[i])
    else
      assert.equal(x.dtype, got[i].dtype)
      assert.is_true(wrun.allclose(x, got[i], { rtol = 0, atol = 0, equal_nan = true }))
    end
  end
end

describe("the sum of losses", function()
  for _, loss in ipairs(LOSSES) do
    for name, make in pairs(SHAPES) do
      it(("is that of %s one by one, with its gradients: %s"):format(loss[1], name), function()
        for _, dtype in ipairs { "float32", "float64" } do
          local arguments = arguments_of(loss, dtype, make)
          for _, reduction in ipairs { "mean", "sum" } do
            local want = results(loss, dtype, reduction, false, arguments)
            assert_same(want, results(loss, dtype, reduction, true, arguments))
          end
        end
      end)
    end

    it("has a gradient that has gradients: " .. loss[1], function()
      local x = arguments_of(loss, "float64", SHAPES.one)
      local criterion = nn[loss[1]](options(loss, "mean", "float64"))
      local function loss_of(...)
        return criterion(...)
      end
      assert.is_true(wrun.gradcheck(loss_of, x))
      assert.is_true(wrun.gradgradcheck(loss_of, x))
    end)
  end

  -- by logarithms of softmax and the shares of each class, made one by one
  it("is that of shares of classes, for CrossEntropyLoss", function()
    for _, dtype in ipairs { "float32", "float64" } do
      for _, n in ipairs { 1, 15, 16, 300 } do
        local x = (rand(dtype, 7, n) * 6):requires_grad_()
        local classes, given = wrun.randint(1, n + 1, { 7 }), rand(dtype, 7, n)
        local own = classes:one_hot(n):to(dtype)
        local cases = { { classes, 0 }, { classes, 0.25 }, { classes, 1 }, { given, 0.5 } }
        for _, case in ipairs(cases) do
          local target, smoothing = table.unpack(case)
          local shares = (target == classes and own or given) * (1 - smoothing) + smoothing / n
          local want = -(shares * x:log_softmax(2)):sum(2)
          local o = { label_smoothing = smoothing, reduction = "none" }
          local got = nn.CrossEntropyLoss(o)(x, target)
          local close = { rtol = dtype == "float32" and 1e-5 or 1e-13, atol = 1e-6 }
          assert.is_true(wrun.allclose(want, got, close))
          local g = rand(dtype, 7)
          assert.is_true(wrun.allclose(wrun.autograd.grad((want * g):sum(), x)[1],
            wrun.autograd.grad((got * g):sum(), x)[1], close))
        end
      end
    end
  end)

  it("counts nothing of a class without a share, and all of one that cannot be", function()
    local inf, loss = math.huge, nn.CrossEntropyLoss({ reduction = "none" })
    local smoothed = nn.CrossEntropyLoss({ reduction = "none", label_smoothing = 0.5 })
    local x = wrun.tensor { { -inf, 0.0, 0.0 }, { inf, inf, 0.0 } }
    local t = wrun.tensor { { 0.0, 0.5, 0.5 }, { 0.5, 0.5, 0.0 } }
    for _, value in ipairs(loss(x, t):tolist()) do
      assert.near(math.log(2), value, 1e-6)
    end
    assert.same({ inf, inf }, loss(x, t:flip(2)):tolist())
    assert.same({ inf, inf }, smoothed(x, wrun.tensor { 2, 1 }):tolist())
  end)

  it("does not depend on threads", function()
    local threads, found = wrun.get_num_threads(), {}
    local x, t = rand("float32", 300, 301):requires_grad_(), rand("float32", 300, 301)
    t:requires_grad_()
    for count = 1, 3 do
      wrun.set_num_threads(count)
      found[count] = results(LOSSES[1], "float32", "mean", true, { x, t })
    end
    wrun.set_num_threads(threads)
    assert_same(found[1], found[2])
    assert_same(found[1], found[3])
  end)

  it("may leave the dtype where the mean does not", function()
    local x = wrun.full({ 20 }, 1e154, { dtype = "float64" })
    assert.near(1e308, nn.MSELoss()(x, -x * 0):item(), 1e294)
    assert.equal(math.huge, nn.MSELoss({ reduction = "sum" })(x, x * 0):item())
  end)

  it("takes targets of another dtype", function()
    local x = wrun.tensor { 1.0, 2.0 }
    assert.equal(2.5, nn.MSELoss()(x, wrun.tensor { 0, 4 }):item())
    local loss = nn.MSELoss()(x, wrun.tensor({ 0, 4 }, { dtype = "float64" }))
    assert.equal("float64", loss.dtype)
    assert.equal(2.5, loss:item())
  end)
end)
