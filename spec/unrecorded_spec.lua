--- The kernels that record nothing.

local refusal = require "spec.support.refusal"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

describe("an unrecorded kernel", function()
  it("computes what the operation of its name does, and leaves no graph", function()
    local x = wrun.tensor({ { 1.0, 2.0 }, { 3.0, 4.0 } }, { requires_grad = true })
    for _, name in ipairs { "sum", "prod", "clone" } do
      local y = unrecorded[name](x)
      assert.same(operations[name](x):tolist(), y:tolist())
      assert.is_true(operations[name](x).requires_grad)
      assert.is_false(y.requires_grad)
    end
  end)
end)

describe("share", function()
  it("refuses tensors that are not alike, and computed ones", function()
    local p = wrun.zeros(2, 3, { requires_grad = true })
    assert.equal("share: argument 2: expected a float32 tensor [2, 3] like argument 1, got a "
      .. "float32 tensor [3, 2]", refusal(unrecorded.share, p, wrun.zeros(3, 2)))
    assert.equal("share: argument 2: expected a float32 tensor [2, 3] like argument 1, got a "
      .. "float64 tensor [2, 3]", refusal(unrecorded.share, p, p:detach():double()))
    assert.equal("share: argument 1: expected a leaf tensor, got a float32 tensor [2, 3]",
      refusal(unrecorded.share, p * 2, p))
    local q = wrun.arange(6):float():view(3, 2):t()
    assert.same(q:tolist(), unrecorded.share(p, q):tolist())
    assert.is_false(p:is_contiguous())
  end)
end)
