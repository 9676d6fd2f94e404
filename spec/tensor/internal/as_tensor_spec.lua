--- Numbers as tensors, for what compares with tensors.

local as_tensor = require "wrun.tensor.internal.as_tensor"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

describe("as_tensor", function()
  it("gives a number the type it is compared with, but for a float beside integers", function()
    assert.equal("float32", as_tensor("f", 1, 0.5, "float32").dtype)
    assert.equal("int32", as_tensor("f", 1, 3, "int32").dtype)
    assert.equal("float64", as_tensor("f", 1, 0.5, "int32").dtype)
    assert.equal(0.5, as_tensor("f", 1, 0.5, "int32"):item())
  end)

  it("hands on a tensor as it is, and refuses all else", function()
    local x = wrun.ones(2)
    assert.equal(x, as_tensor("f", 1, x, "int64"))
    assert.equal("f: argument 2: expected a tensor, got true",
      refusal(function() as_tensor("f", 2, true, "int64") end))
  end)
end)
