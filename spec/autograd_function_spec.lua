--- Operations with a derivative of one's own: their gradients, and wrong definitions.

local refusal = require "spec.support.refusal"
local check = require "wrun.check"
local wrun = require "wrun"

local function leaf(data)
  return wrun.tensor(data, { dtype = "float64", requires_grad = true })
end

describe("a function of one's own", function()
  local Cube = wrun.autograd.Function({
    name = "Cube",
    forward = function(ctx, x)
      ctx:save_for_backward(x)
      return x * x * x
    end,
    backward = function(ctx, g)
      local x = ctx:saved_tensors()
      return g * 3 * x * x
    end,
  })

  it("has the gradient it gives itself, of second order too", function()
    local x = leaf({ 2, -1 })
    local y = Cube(x)
    assert.same({ 8, -1 }, y:tolist())
    assert.equal("<CubeBackward>", tostring(y.grad_fn))
    assert.is_true(wrun.gradcheck(Cube, { x }))
    assert.is_true(wrun.gradgradcheck(Cube, { x }))
    assert.is_false(Cube(x:detach()).requires_grad)
    assert.is_false(wrun.no_grad(Cube, x).requires_grad)
  end)

  it("takes several arguments and gives nil where there is no gradient", function()
    local Scale = wrun.autograd.Function({
      forward = function(ctx, x, factor, w)
        ctx.factor = factor
        return x * factor + w
      end,
      backward = function(ctx, g)
        return g * ctx.factor, nil, g
      end,
    })
    local x, w = leaf({ { 1, 2 }, { 3, 4 } }), leaf({ 5, 6 })
    Scale(x, 3, w):sum():backward()
    assert.same({ { 3, 3 }, { 3, 3 } }, x.grad:tolist())
    assert.same({ 2, 2 }, w.grad:tolist()) -- summed to its shape
  end)

  it("may return a tensor that it keeps", function()
    local kept = wrun.ones(1, { dtype = "float64" })
    local Constant = wrun.autograd.Function({
      forward = function(_, x) return x * 1 end,
      backward = function() return kept end,
    })
    local x = leaf({ 2 })
    for _ = 1, 3 do
      Constant(x):backward()
    end
    assert.same({ 3 }, x.grad:tolist())
    assert.same({ 1 }, kept:tolist())
  end)

  it("notices when what it saved was changed", function()
    local x = leaf({ 2 })
    local y = x * 1
    local z = Cube(y)
    y:add_(1)
    assert.equal("backward: tensor 1 saved by a custom function was changed in place; "
      .. "clone() it before the change", refusal(z.backward, z))
  end)

  it("refuses wrong definitions and results", function()
    local text = "Function: expected a table with the functions forward and backward"
    assert.equal(text, refusal(wrun.autograd.Function, {}))
    assert.equal(text, refusal(wrun.autograd.Function, { forward = print }))
    assert.equal(text, refusal(wrun.autograd.Function, print))
    local function with(forward, backward)
      return wrun.autograd.Function({ name = "Odd", forward = forward, backward = backward })
    end
    assert.equal("Odd: forward: expected to get back a tensor, got 5",
      refusal(with(function() return 5 end, print), leaf({ 1 })))
    local function same(_, x)
      return x * 1
    end
    local y = with(same, function() return 7 end)(leaf({ 1, 2 })):sum()
    assert.equal("Odd: backward: expected a tensor or nil for argument 1, got 7",
      refusal(y.backward, y))
    for _, shape in ipairs({ { 3 }, {} }) do
      y = with(same, function() return wrun.zeros(shape) end)(leaf({ 1, 2 })):sum()
      assert.equal(("Odd: backward: expected a gradient of shape [2] for argument 1, "
        .. "got a float32 tensor %s"):format(check.shape_text(shape)), refusal(y.backward, y))
    end
  end)

  it("leaves recording as it was when it fails", function()
    local Failing = wrun.autograd.Function({
      forward = function() error("no") end,
      backward = function() end,
    })
    assert.is_false(pcall(Failing, leaf({ 1 })))
    assert.is_true(wrun.is_grad_enabled())
  end)
end)
