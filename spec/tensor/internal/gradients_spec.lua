--- What gradients of several kinds of operations need.

local gradients = require "wrun.tensor.internal.gradients"
local wrun = require "wrun"

describe("what gradients need", function()
  local x = wrun.arange(6):reshape(2, 3)

  it("has the shape of x and the type of g", function()
    local g = wrun.ones(3, { dtype = "float64" })
    assert.equal(g, gradients.to_same(g))
    assert.equal("float64", gradients.zeros_like(x, g).dtype)
    assert.same({ { 0.0, 0.0, 0.0 }, { 1.0, 1.0, 1.0 } }, gradients.embed(g, x, 2):tolist())
  end)

  it("has reduced dimensions back with size 1", function()
    local function restored(sizes, ...)
      return gradients.restore_dimensions(wrun.ones(sizes), x, ...).shape
    end
    assert.same({ 1, 3 }, restored({ 3 }, 1))
    assert.same({ 2, 1 }, restored({ 2 }, -1))
    assert.same({ 1, 1 }, restored({}, { 1, 2 }))
    assert.same({ 2, 1 }, restored({ 2, 1 }, 2, true))
    assert.same({}, restored({}, nil))
  end)

  it("is moved one index along a dimension", function()
    assert.same({ { 9, 0, 1 }, { 9, 3, 4 } }, gradients.shifted(x, 2, false, 9):tolist())
    assert.same({ { 3, 4, 5 }, { 9, 9, 9 } }, gradients.shifted(x, 1, true, 9):tolist())
    assert.equal(9, gradients.shifted(wrun.tensor(5), 1, true, 9):item())
  end)

  it("of a running product holds at zeros", function()
    local factors = wrun.tensor { 2.0, 0.0, 3.0 }
    local dx = gradients.cumprod_gradient(wrun.ones(3), factors:cumprod(1), factors, 1)
    assert.same({ 1.0, 8.0, 0.0 }, dx:tolist())
  end)
end)
