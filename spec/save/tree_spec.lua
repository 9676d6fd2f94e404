--- What the readers of PyTorch's and Torch7's files share.

local refusal = require "spec.support.refusal"
local tree = require "wrun.save.tree"
local wrun = require "wrun"

local READER = { path = "x", at = 7 }
local MAKE = {
  list = function(node, _, convert)
    local list = {}
    for i, item in ipairs(node) do
      list[i] = convert(item)
    end
    return list
  end,
}

local function list(...)
  return { kind = "list", ... }
end

describe("wrun.save.tree", function()
  it("makes one table of a node that stands in two places", function()
    local shared = list(1)
    local made = tree.made(READER, list(shared, "a", shared), MAKE)
    assert.same({ { 1 }, "a", { 1 } }, made)
    assert.equal(made[1], made[3])
  end)

  it("refuses circles, depth and what is no table", function()
    local circle = list()
    circle[1] = list(circle)
    assert.equal("load: x: holds a table inside itself", refusal(tree.made, READER, circle, MAKE))
    local deep = list()
    for _ = 1, 100 do
      deep = list(deep)
    end
    assert.equal("load: x: holds more than 100 tables inside each other",
      refusal(tree.made, READER, deep, MAKE))
    assert.same(1, #tree.made(READER, deep[1], MAKE))
    assert.equal("load: x: expected tensors or tables, got 7",
      refusal(tree.made, READER, 7, MAKE))
    assert.equal("load: x: damaged at byte 7 of its objects", refusal(tree.damaged, READER))
  end)

  it("shows strange names safely and in part", function()
    assert.equal("a\\x1bb", tree.shown("a\x1bb"))
    assert.equal(("n"):rep(100) .. "...", tree.shown(("n"):rep(101)))
  end)

  it("lays tensors into storages", function()
    local storage = wrun.arange(0, 6)
    assert.same({ { 0, 2, 4 }, { 1, 3, 5 } },
      tree.strided(READER, storage, { 2, 3 }, { 1, 2 }, 0):tolist())
    assert.equal("load: x: holds a tensor that does not lie in its storage",
      refusal(tree.strided, READER, storage, { 2, 3 }, { 1, 2 }, 1))
    assert.equal("load: x: holds a tensor that does not lie in its storage",
      refusal(tree.strided, READER, nil, { 2 }, { 1 }, 0))
  end)
end)
