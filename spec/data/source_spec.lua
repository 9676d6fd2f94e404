--- What counts as a data set, and how samples become batches.

local data = require "wrun.data"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

describe("a data set", function()
  it("takes any object with a length and samples", function()
    local squares = setmetatable({}, {
      __len = function()
        return 5
      end,
      __index = function(_, i)
        return { wrun.tensor({ i, i * i }), i / 2, tostring(i), i > 3 }
      end,
    })
    local batches = {}
    for x, half, text, big in data.loader(squares, { batch_size = 3 }):batches() do
      batches[#batches + 1] = { x:tolist(), half:tolist(), text, big:tolist(), half.dtype }
    end
    assert.same({
      { { { 1, 1 }, { 2, 4 }, { 3, 9 } }, { 0.5, 1, 1.5 }, { "1", "2", "3" },
        { false, false, false }, "float32" },
      { { { 4, 16 }, { 5, 25 } }, { 2, 2.5 }, { "4", "5" }, { true, true }, "float32" },
    }, batches)
    for x in data.loader({ 5, 6, 7 }, { batch_size = 3 }):batches() do
      assert.same({ 5, 6, 7 }, x:tolist())
    end
    for fields in data.loader({ { a = 1 }, { a = 2 } }, { batch_size = 2 }):batches() do
      assert.same({ 1, 2 }, fields.a:tolist())
    end
  end)

  it("is refused when it is none", function()
    local function assert_refused(expected, ...)
      assert.equal("loader: " .. expected, refusal(data.loader, ...))
    end
    assert_refused("argument 1: expected a data set, got 3", 3)
    local field = "argument 1: expected field %s to be a tensor of samples, got "
    local x, y = field:format("x"), field:format("y")
    assert_refused(x .. "nil", {})
    assert_refused(x .. "false", { x = false })
    assert_refused(x .. "a function", { x = print })
    assert_refused(x .. "a float32 tensor []", { x = wrun.tensor(1.5) })
    assert_refused(y .. "1", { x = wrun.zeros(2), y = 1 })
    assert_refused("argument 1: expected as many targets as samples, got x [2, 3] and y [3]",
      { x = wrun.zeros(2, 3), y = wrun.zeros(3) })
  end)
end)

describe("data.collate", function()
  it("refuses samples that do not go together", function()
    assert.equal("collate: argument 1: expected a list of samples, got a table",
      refusal(data.collate, {}))
    assert.equal("collate: sample 2: expected a tensor [2] as the first one, got a float32 tensor "
      .. "[3]", refusal(data.collate, { wrun.zeros(2), wrun.zeros(3) }))
    assert.equal("collate: sample 2: expected a number as the first one, got the string 'x'",
      refusal(data.collate, { 1, "x" }))
    assert.equal("collate: sample 2: expected a field a as in the first one, got a table",
      refusal(data.collate, { { a = 1 }, { b = 1 } }))
    assert.equal("collate: sample 2: expected a field 2 as in the first one, got {1}",
      refusal(data.collate, { { 1, 2 }, { 1 } }))
  end)
end)
