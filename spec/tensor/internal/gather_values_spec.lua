--- Values chosen along a dimension: as they were found, or gathered where a gradient is wanted.

local gather_values = require "wrun.tensor.internal.gather_values"
local wrun = require "wrun"

describe("gather_values", function()
  local indices = wrun.tensor { { 2 }, { 1 } }

  it("hands on what was found where no gradient is wanted", function()
    local x, found = wrun.tensor { { 1.0, 5.0 }, { 7.0, 2.0 } }, wrun.zeros(2, 1)
    assert.equal(found, (gather_values(x, 2, found, indices)))
    x:requires_grad_()
    wrun.no_grad(function()
      assert.equal(found, (gather_values(x, 2, found, indices)))
    end)
  end)

  it("lets the gradient flow to the indices", function()
    local x = wrun.tensor { { 1.0, 5.0 }, { 7.0, 2.0 } }:requires_grad_()
    local values, same = gather_values(x, 2, wrun.zeros(2, 1), indices)
    assert.equal(indices, same)
    assert.same({ { 5.0 }, { 7.0 } }, values:tolist())
    values:sum():backward()
    assert.same({ { 0.0, 1.0 }, { 1.0, 0.0 } }, x.grad:tolist())
  end)
end)
