--- gradcheck and gradgradcheck: they must pass what is right and find what is wrong.

local refusal = require("spec.support.refusal")
local wrun = require("wrun")

local function leaf(data, dtype)
  return wrun.tensor(data, { dtype = dtype or "float64", requires_grad = true })
end

--- A function whose value is forward's and whose derivative is `backward`, right or wrong.
local function claiming(forward, backward)
  return wrun.autograd.Function({
    forward = function(ctx, x)
      ctx:save_for_backward(x)
      return forward(x)
    end,
    backward = function(ctx, g)
      return backward(g, ctx:saved_tensors())
    end,
  })
end

describe("gradcheck", function()
  it("passes right derivatives of several inputs", function()
    local a, b = leaf({ { 1, 2 }, { 3, 4 } }), leaf({ 0.5, -1 })
    assert.is_true(wrun.gradcheck(function(x, y) return x:matmul(y):tanh() end, { a, b }))
    assert.is_true(wrun.gradcheck(wrun.sum, { a, 2 }))
    assert.is_true(wrun.gradcheck(wrun.clamp, { leaf({ 1, 5 }), nil, 3, n = 3 }))
  end)

  it("changes no input and no gradient", function()
    local x = leaf({ 1, 2 })
    wrun.gradcheck(wrun.exp, { x })
    assert.same({ 1, 2 }, x:tolist())
    assert.is_nil(x.grad)
    assert.is_true(wrun.is_grad_enabled())
  end)

  it("finds a wrong factor, and says where", function()
    local wrong = claiming(wrun.square, function(g, x) return g * x end)
    assert.equal("gradcheck: input 1, element 1: expected the derivative 1 by differences, got 0.5",
      refusal(wrun.gradcheck, wrong, { leaf({ 1, 2 }) }):gsub("0%.99999%d+", "1")
        :gsub("1%.00000%d+", "1"))
  end)

  it("finds an error in one element of one input", function()
    local function f(x, y)
      local bent = claiming(function(t) return t * 1 end, function(g)
        local shifted = g:clone()
        shifted[2] = shifted[2] + 0.01
        return shifted
      end)
      return x + bent(y)
    end
    assert.matches("^gradcheck: input 2, element 2: expected the derivative ",
      refusal(wrun.gradcheck, f, { leaf({ 1, 2 }), leaf({ 3, 4 }) }))
  end)

  it("finds a missing gradient", function()
    local cut = function(x) return x * x:detach() end
    assert.matches("^gradcheck: input 1, element 1: ",
      refusal(wrun.gradcheck, cut, { leaf({ 3 }) }))
    local none = function(x) return wrun.no_grad(wrun.square, x) + x * 0 end
    assert.matches("^gradcheck: input 1, element 1: ",
      refusal(wrun.gradcheck, none, { leaf({ 3 }) }))
  end)

  it("finds NaN and infinity", function()
    assert.matches("^gradcheck: input 1, element 1: ",
      refusal(wrun.gradcheck, wrun.sqrt, { leaf({ 0 }) }))
    local nan = claiming(wrun.square, function(g) return g * (0 / 0) end)
    assert.matches("^gradcheck: input 1, element 1: .*nan", refusal(wrun.gradcheck, nan,
      { leaf({ 1 }) }))
  end)

  it("finds gradients that vary from run to run", function()
    local fickle = claiming(wrun.square, function(g, x) return g * 2 * x + wrun.rand(1) * 1e-9 end)
    assert.equal("gradcheck: input 1: two runs gave different gradients",
      refusal(wrun.gradcheck, fickle, { leaf({ 1 }) }))
  end)

  it("takes tolerances and a step", function()
    local nearly = claiming(wrun.square, function(g, x) return g * 2.01 * x end)
    assert.is_false(pcall(wrun.gradcheck, nearly, { leaf({ 1 }) }))
    assert.is_true(wrun.gradcheck(nearly, { leaf({ 1 }) }, { rtol = 0.02 }))
    assert.is_true(wrun.gradcheck(nearly, { leaf({ 1 }) }, { atol = 0.03 }))
    assert.is_true(wrun.gradcheck(wrun.square, { leaf({ 1 }, "float32") },
      { eps = 1e-2, rtol = 1e-2 }))
  end)

  it("refuses what it cannot check", function()
    assert.equal("gradcheck: expected at least one input that requires a gradient",
      refusal(wrun.gradcheck, wrun.exp, { wrun.ones(2) }))
    assert.equal("gradcheck: expected the function to return a tensor, got 5",
      refusal(wrun.gradcheck, function() return 5 end, { leaf({ 1 }) }))
    assert.equal("gradcheck: option tol: unknown; the options are atol, eps, rtol",
      refusal(wrun.gradcheck, wrun.exp, { leaf({ 1 }) }, { tol = 1 }))
    assert.equal("gradcheck: option rtol: expected a number >= 0, got -1",
      refusal(wrun.gradcheck, wrun.exp, { leaf({ 1 }) }, { rtol = -1 }))
  end)
end)

describe("gradgradcheck", function()
  it("passes right second derivatives", function()
    assert.is_true(wrun.gradgradcheck(wrun.sin, { leaf({ 0.3, -2 }) }))
    assert.is_true(wrun.gradgradcheck(wrun.mul, { leaf({ 0.3, -2 }), leaf({ 1, 2 }) }))
    assert.is_true(wrun.gradgradcheck(wrun.add, { leaf({ 1 }), leaf({ 2 }) })) -- they are zero
  end)

  it("finds a first derivative that is cut off from its input", function()
    local cut = claiming(wrun.square, function(g, x) return g * 2 * x:detach() end)
    assert.is_true(wrun.gradcheck(cut, { leaf({ 3 }) }))
    local mixed = function(x) return cut(x) + x:exp() end
    assert.matches("^gradcheck: input 1, element 1: ",
      refusal(wrun.gradgradcheck, mixed, { leaf({ 3 }) }))
  end)

  it("finds a second derivative that is cut off altogether", function()
    local cut = claiming(wrun.square, function(g, x) return g * 2 * x:detach() end)
    assert.is_false(pcall(wrun.gradgradcheck, cut, { leaf({ 3 }) }))
  end)

  it("finds a wrong second derivative", function()
    local first = claiming(wrun.cos, function(g, x) return g * x:cos() end) -- the sign is lost
    local f = claiming(wrun.sin, function(g, x) return g * first(x) end)
    assert.is_true(wrun.gradcheck(f, { leaf({ 0.7 }) }))
    assert.is_false(pcall(wrun.gradgradcheck, f, { leaf({ 0.7 }) }))
  end)
end)
