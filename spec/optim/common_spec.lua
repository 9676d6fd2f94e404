--- What optimisers share: state made when it is needed, the gradient to follow, running means.

local check = require "wrun.check"
local common = require "wrun.optim.common"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

describe("common", function()
  it("makes a buffer like the parameter once, of zeros or of a value", function()
    local state, p = {}, wrun.ones(2, { dtype = "float64" })
    local buffer = common.buffer(state, "mean", p)
    assert.same({ 0.0, 0.0 }, buffer:tolist())
    assert.equal("float64", buffer.dtype)
    assert.is_true(rawequal(buffer, common.buffer(state, "mean", p, 5)))
    assert.same({ 5.0, 5.0 }, common.buffer(state, "size", p, 5):tolist())
  end)

  it("counts steps from 1", function()
    local state = {}
    assert.same({ 1, 2, 2 }, { common.count(state), common.count(state), state.step })
  end)

  it("finds the way down, and leaves the gradient as it is", function()
    local p, grad = wrun.full({ 1 }, 10.0), wrun.full({ 1 }, 3.0)
    local function way(group)
      return common.descent(p, grad, group):item()
    end
    assert.equal(3, way({}))
    assert.equal(-3, way({ maximize = true }))
    assert.equal(8, way({ weight_decay = 0.5 }))
    assert.equal(2, way({ weight_decay = 0.5, maximize = true }))
    assert.equal(10, p:item())
    assert.equal(3, way({ weight_decay = 0.5, decoupled_weight_decay = true, lr = 0.5 }))
    assert.same({ 7.5, 3.0 }, { p:item(), grad:item() })
  end)

  it("moves running means", function()
    local m = wrun.full({ 1 }, 4.0)
    assert.is_true(rawequal(m, common.average_(m, wrun.full({ 1 }, 8.0), 0.75)))
    assert.equal(5, m:item())
    assert.is_true(rawequal(m, common.average_square_(m, wrun.full({ 1 }, 3.0), 0.5)))
    assert.equal(7, m:item())
  end)

  it("has rules for pairs, which are copied", function()
    local rules = { ends = common.pair({ 1, 2 }, "two growing numbers", function(a, b)
      return a < b
    end) }
    local given = { 3, 4 }
    local ends = check.options("f", { ends = given }, rules).ends
    assert.same(given, ends)
    assert.is_false(rawequal(given, ends))
    for _, wrong in ipairs({ { 2, 1 }, { 1 }, { 1, 2, 3 }, { "1", 2 }, 5 }) do
      assert.matches("^f: option ends: expected two growing numbers, got ",
        refusal(check.options, "f", { ends = wrong }, rules))
    end
  end)
end)
