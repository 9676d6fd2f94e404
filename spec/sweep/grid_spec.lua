--- The sets of options of a study.

local grid = require "wrun.sweep.grid"
local refusal = require "spec.support.refusal"

local function texts(given, o)
  local list = {}
  for i, set in ipairs(grid.sets_of(given, o or {})) do
    list[i] = grid.options_text(set)
  end
  return list
end

describe("a grid", function()
  it("has every combination, in the order of the names, the seed last", function()
    assert.same({
      "init he, lr 1, seed 1", "init he, lr 1, seed 2", "init he, lr 0.5, seed 1",
      "init he, lr 0.5, seed 2",
    }, texts { seed = { 1, 2 }, lr = { 1, 0.5 }, init = "he" })
    assert.same({ "" }, texts {})
  end)

  it("may be a list of sets", function()
    assert.same({ "lr 1", "init he, lr 2" }, texts { { lr = 1 }, { lr = 2, init = "he" } })
    assert.equal("sweep: argument 1: expected a table, got 2",
      refusal(texts, { { lr = 1 }, 2 }))
  end)

  it("may be drawn, the same for a seed, and each with every seed of the runs", function()
    local given = {
      lr = grid.draw("f", 1e-4, 1, 0, function(u) return 1e-4 * 1e4 ^ u end),
      init = { "he", "xavier" }, seed = { 1, 2 },
    }
    local sets = grid.sets_of(given, { draws = 200, draw_seed = 1 })
    assert.equal(400, #sets)
    assert.same(texts(given, { draws = 200, draw_seed = 1 }),
      texts(given, { draws = 200, draw_seed = 1 }))
    assert.is_false(texts(given, { draws = 1, draw_seed = 2 })[1]
      == texts(given, { draws = 1, draw_seed = 1 })[1])
    local small, he = 0, 0
    for i = 1, 400, 2 do
      assert.equal(sets[i].lr, sets[i + 1].lr)
      assert.is_true(sets[i].lr >= 1e-4 and sets[i].lr < 1)
      small = small + (sets[i].lr < 1e-2 and 1 or 0)
      he = he + (sets[i].init == "he" and 1 or 0)
    end
    -- half of each, within four deviations of 200 draws
    assert.is_true(math.abs(small - 100) < 29 and math.abs(he - 100) < 29)
  end)

  it("tells sets apart by values and their types", function()
    local seen = {}
    for _, set in ipairs { { a = 1 }, { a = 1.0 }, { a = "1" }, { a = true }, { a = "true" },
      { b = 1 }, { a = 1, b = 1 }, { a = "1;1:b" }, { ["a 1, b"] = 1 } } do
      local digest = grid.digest_of(set)
      assert.is_nil(seen[digest])
      assert.matches("^%x+$", digest)
      seen[digest] = true
    end
    assert.equal(grid.digest_of { a = 1, b = 2 }, grid.digest_of { b = 2, a = 1 })
  end)

  it("refuses bounds that are none", function()
    assert.equal("sweep.f: argument 2: expected a finite number above 1, got 1",
      refusal(grid.draw, "f", 1, 1))
    assert.equal("sweep.f: argument 2: expected a finite number above 1, got inf",
      refusal(grid.draw, "f", 1, math.huge))
    assert.equal("sweep.f: argument 1: expected a number >= 0, got -1",
      refusal(grid.draw, "f", -1, 1, 0))
    assert.equal("sweep.uniform(0, 1)", tostring(grid.draw("uniform", 0, 1)))
  end)
end)
