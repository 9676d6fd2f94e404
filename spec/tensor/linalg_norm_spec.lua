--- Norms of matrices: what they refuse; spec/tensor/linalg_factor_spec.lua has their values.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

describe("a norm", function()
  it("refuses what it does not know", function()
    local linalg, x = wrun.linalg, wrun.ones(2, 3)
    for _, name in ipairs({ "matrix_norm", "norm", "cond" }) do
      assert.equal(name .. ": argument 1: expected a float32 or float64 tensor, got an int64 "
        .. "tensor [1]", refusal(linalg[name], wrun.tensor({ 1 })))
    end
    assert.equal("matrix_norm: argument 2: expected fro, nuc, 1, 2, math.huge or the negative of a "
      .. "number, got 3", refusal(linalg.matrix_norm, x, 3))
    assert.equal("matrix_norm: argument 1: expected a matrix or a batch of matrices, got a float32 "
      .. "tensor [2]", refusal(linalg.matrix_norm, wrun.ones(2)))
    for _, dims in ipairs({ { 1, 1 }, { 1, -2 }, { 1, 3 }, { 1 }, { 1, 2, 2 } }) do
      assert.matches("^matrix_norm: argument 3: expected two dimensions of %[2, 3%], got {",
        refusal(linalg.matrix_norm, x, "fro", dims))
    end
    assert.equal("matrix_norm: argument 4: expected true or false, got 1",
      refusal(linalg.matrix_norm, x, 1, { 1, 2 }, 1))
  end)

  it("says which matrices it cannot measure", function()
    assert.equal("matrix_norm: argument 1: expected a matrix with elements for a negative order",
      refusal(wrun.linalg.matrix_norm, wrun.zeros(3, 0), -2))
    assert.equal("cond: argument 1: expected a square matrix or a batch of such, got a float32 "
      .. "tensor [2, 3]", refusal(wrun.linalg.cond, wrun.ones(2, 3), 1))
    assert.equal("cond: argument 1: expected a matrix or a batch of such, got a float32 tensor [2]",
      refusal(wrun.linalg.cond, wrun.ones(2)))
  end)

  it("of condition is infinite for a singular matrix by its singular values", function()
    assert.equal(math.huge, wrun.linalg.cond(wrun.zeros(2, 2):fill_(0) + wrun.tensor({ { 1.0, 0 },
      { 0, 0 } })):item())
  end)
end)
