--- What the initialisers share: settings by position and by name, ranks, draws.

local refusal = require "spec.support.refusal"
local check = require "wrun.check"
local common = require "wrun.nn.init.common"
local wrun = require "wrun"

local init = wrun.nn.init

describe("an initialiser", function()
  it("takes settings by position, by name, or both", function()
    local function draw(...)
      wrun.manual_seed(3)
      return init.kaiming_uniform_(wrun.empty(3, 5), ...):tolist()
    end
    assert.same(draw(0.5, "fan_out", "leaky_relu"), draw({ a = 0.5, mode = "fan_out" }))
    assert.same(draw(0.5, "fan_out"), draw(0.5, { mode = "fan_out" }))
    assert.same(draw(nil, "fan_out"), draw({ mode = "fan_out" }))
    assert.are_not.same(draw(), draw(0.5))
  end)
end)

describe("common", function()
  local RULES = { a = check.number(1), b = check.number(2) }

  it("gathers settings by position and by name, of which the position wins", function()
    local w = wrun.empty(2)
    assert.same({ a = 1, b = 2 }, common.settings("f", w, RULES, { "a", "b" }))
    assert.same({ a = 3, b = 7 }, common.settings("f", w, RULES, { "a", "b" }, 3, 7, { a = 5 }))
    assert.equal("f: argument 4: expected a table of options, got 3",
      refusal(common.settings, "f", w, RULES, { "a", "b" }, 1, 2, 3))
    assert.equal("f: argument 1: expected a tensor, got 1",
      refusal(common.settings, "f", 1, RULES, { "a", "b" }))
  end)

  it("says how many dimensions would have been right", function()
    assert.equal("f: argument 1: expected 2 dimensions, got [3]",
      refusal(common.check_dimensions, "f", wrun.empty(3), 2, 2))
    assert.equal("f: argument 1: expected 3 to 5 dimensions, got [3]",
      refusal(common.check_dimensions, "f", wrun.empty(3), 3, 5))
    assert.equal("f: argument 1: expected at least 2 dimensions, got [3]",
      refusal(common.check_dimensions, "f", wrun.empty(3), 2, math.huge))
  end)

  it("draws into a leaf, unrecorded", function()
    local w = wrun.empty(3, { requires_grad = true })
    local generator = wrun.Generator({ seed = 1 })
    assert.equal(w, common.draw(w, "uniform_", 2, 3, generator))
    assert.is_true(w.is_leaf)
    assert.is_true(w:ge(2):all():item())
  end)
end)
