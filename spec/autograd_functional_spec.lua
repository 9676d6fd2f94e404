--- Jacobians, Hessians and their products: of functions whose derivatives are known formulas.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

require "wrun.testing"

local functional = wrun.autograd.functional

local FLOAT64 = { dtype = "float64" }

local function vector(...)
  return wrun.tensor({ ... }, FLOAT64)
end

local function matrix(rows)
  return wrun.tensor(rows, FLOAT64)
end

describe("autograd.functional.jacobian", function()
  it("has a row for each element of the result", function()
    assert.tensor_near(matrix { { 2, 0, 0 }, { 0, 4, 0 }, { 0, 0, 6 } },
      functional.jacobian(function(x) return x ^ 2 end, vector(1, 2, 3)))
    local a = wrun.randn(4, 3, FLOAT64)
    assert.tensor_near(a, functional.jacobian(function(x) return a:mv(x) end, vector(1, 2, 3)))
  end)

  it("has the result's shape, then the input's", function()
    local j = functional.jacobian(function(x) return x:t() * 2 end, wrun.ones(2, 3, FLOAT64))
    assert.shape(j, { 3, 2, 2, 3 })
    assert.equal(2, j[3][1][1][3]:item())
    assert.equal(12, j:sum():item())
    assert.shape(functional.jacobian(wrun.sum, wrun.ones(2, 3)), { 2, 3 })
    assert.shape(functional.jacobian(wrun.exp, wrun.empty(0)), { 0, 0 })
  end)

  it("is a list for a list of inputs, and of lists for several results", function()
    local a, b = vector(1, 2), vector(3, 4)
    local j = functional.jacobian(function(x, y) return x * y end, { a, b })
    assert.tensor_near(wrun.diag(b), j[1])
    assert.tensor_near(wrun.diag(a), j[2])
    j = functional.jacobian(function(x, y) return (x + y):sum(), x end, { a, b })
    assert.tensor_near(vector(1, 1), j[1][2])
    assert.tensor_near(wrun.eye(2, FLOAT64), j[2][1])
    assert.tensor_near(wrun.zeros(2, 2, FLOAT64), j[2][2])
  end)

  it("is that of a layer", function()
    local layer = wrun.nn.Linear(3, 2, FLOAT64)
    local x = wrun.randn(3, FLOAT64)
    local slopes = 1 - layer(x):tanh():square()
    assert.tensor_near((slopes:unsqueeze(2) * layer.weight):detach(),
      functional.jacobian(function(z) return layer(z):tanh() end, x))
  end)

  it("records when asked, where recording is off too", function()
    wrun.no_grad(function()
      local x = vector(2):requires_grad_()
      local j = functional.jacobian(function(z) return z ^ 3 end, x, { create_graph = true })
      assert.equal(12, wrun.autograd.grad(j, x):item())
      assert.is_false(functional.jacobian(wrun.exp, x).requires_grad)
    end)
  end)
end)

describe("autograd.functional.hessian", function()
  it("has the second derivatives", function()
    assert.tensor_near(matrix { { 0, 3, 2 }, { 3, 0, 1 }, { 2, 1, 0 } },
      functional.hessian(wrun.prod, vector(1, 2, 3)))
    local a = wrun.randn(3, 3, FLOAT64)
    assert.tensor_near(a + a:t(),
      functional.hessian(function(x) return x:dot(a:mv(x)) end, vector(1, 2, 3)))
    assert.tensor_near(wrun.zeros(2, 2), functional.hessian(wrun.sum, wrun.ones(2)))
  end)

  it("is a list of lists for a list of inputs", function()
    local inputs = { vector(1, 2), vector(3, 4) }
    local h = functional.hessian(function(x, y) return (x * y):sum() end, inputs)
    assert.tensor_near(wrun.zeros(2, 2, FLOAT64), h[1][1])
    assert.tensor_near(wrun.eye(2, FLOAT64), h[1][2])
  end)
end)

describe("autograd.functional", function()
  local a = matrix { { 1, 2, 3 }, { 4, 5, 6 } }
  local function product(x)
    return a:mv(x) ^ 2
  end

  it("multiplies Jacobians with vectors from both sides", function()
    local x, v, w = vector(1, -1, 2), vector(1, 10, 100), vector(2, 3)
    local j = functional.jacobian(product, x)
    local y, left = functional.vjp(product, x, w)
    assert.tensor_near(product(x), y)
    assert.tensor_near(j:t():mv(w), left)
    local _, right = functional.jvp(product, x, v)
    assert.tensor_near(j:mv(v), right)
    assert.is_false(right.requires_grad)
  end)

  it("multiplies Hessians with vectors", function()
    local function f(x)
      return (product(x) * x:narrow(1, 1, 2)):sum()
    end
    local x, v = vector(1, -1, 2), vector(1, 10, 100)
    local y, got = functional.hvp(f, x, v)
    assert.tensor_near(f(x), y)
    assert.tensor_near(functional.hessian(f, x):mv(v), got)
  end)

  it("takes lists, and no vector for one number", function()
    local x, y = vector(1, 2), vector(3, 4)
    local function f(p, q)
      return (p * q):sum()
    end
    local value, gradients = functional.vjp(f, { x, y })
    assert.equal(11, value:item())
    assert.same_bits(y, gradients[1])
    local _, along = functional.jvp(f, { x, y }, { vector(1, 0), vector(0, 1) })
    assert.equal(3 + 2, along:item())
    local _, curved = functional.hvp(f, { x, y }, { vector(1, 0), vector(0, 1) })
    assert.same_bits(vector(0, 1), curved[1])
  end)

  it("leaves the inputs as they are", function()
    local x = vector(1, 2):requires_grad_()
    functional.hessian(wrun.prod, x)
    assert.is_nil(x.grad)
    local plain = vector(1, 2)
    functional.jacobian(wrun.exp, plain)
    assert.is_false(plain.requires_grad)
  end)

  it("says what is wrong", function()
    local x = vector(1, 2)
    local function constant()
      return wrun.ones(2)
    end
    assert.equal("jacobian: argument 1: expected a function, got 3",
      refusal(functional.jacobian, 3, x))
    local wanted = "expected a tensor of floats or a list of them, got "
    assert.equal("jacobian: argument 2: " .. wanted .. "3",
      refusal(functional.jacobian, wrun.exp, 3))
    assert.equal("jacobian: argument 2: " .. wanted .. "an int64 tensor [1] at 2",
      refusal(functional.jacobian, wrun.exp, { x, wrun.tensor({ 1 }) }))
    assert.equal("jvp: argument 1: its result: " .. wanted .. "nil",
      refusal(functional.jvp, function() end, x, x))
    assert.equal("hessian: argument 1: its result: expected one number, got a float64 tensor [2]",
      refusal(functional.hessian, wrun.exp, x))
    assert.equal("hvp: argument 1: its result: expected one number, got 2 tensors",
      refusal(functional.hvp, function(z) return z, z end, x, x))
    assert.equal("vjp: argument 3: expected a vector of the results' shapes, got nil",
      refusal(functional.vjp, wrun.exp, x))
    assert.equal("jvp: argument 3: expected a vector of the inputs' shapes, [2] at 1, got [3]",
      refusal(functional.jvp, wrun.exp, x, vector(1, 2, 3)))
    assert.tensor_near(wrun.zeros(2, 2), functional.jacobian(constant, x):float())
    assert.equal("jacobian: option strict: expected a result that depends on the inputs, result 1 "
      .. "does not", refusal(functional.jacobian, constant, x, { strict = true }))
    assert.equal("vjp: option strict: expected results that depend on each input, on input 2 they "
      .. "do not", refusal(functional.vjp, function(p) return p:clone() end, { x, x }, x,
        { strict = true }))
  end)
end)
