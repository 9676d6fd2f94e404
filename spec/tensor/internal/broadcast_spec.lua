--- The shape that shapes broadcast to.

local broadcast = require "wrun.tensor.internal.broadcast"

describe("broadcast", function()
  it("joins shapes from their last dimension on", function()
    assert.same({ 2, 3 }, broadcast { { 2, 1 }, { 3 } })
    assert.same({ 4, 2, 3 }, broadcast { { 3 }, { 4, 1, 1 }, { 2, 1 } })
    assert.same({}, broadcast { {}, {} })
    assert.same({ 0 }, broadcast { { 1 }, { 0 } })
  end)

  it("says which shape does not fit those before it", function()
    assert.same({ nil, 3, n = 2 }, table.pack(broadcast { { 2, 3 }, { 1 }, { 2 } }))
    assert.same({ nil, 2, n = 2 }, table.pack(broadcast { { 2 }, { 0 } }))
  end)
end)
