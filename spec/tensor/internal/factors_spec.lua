--- The results of a decomposition, taken out of one flat tensor.

local factors = require "wrun.tensor.internal.factors"
local wrun = require "wrun"

describe("factors", function()
  local flat = wrun.arange(1, 100)
  local x = wrun.zeros(3, 2)

  it("are read column by column, one after another", function()
    local u, s, vh = factors.svd(flat, x, false)
    assert.same({ { 1, 4 }, { 2, 5 }, { 3, 6 } }, u:tolist())
    assert.same({ 7, 8 }, s:tolist())
    assert.same({ { 9, 11 }, { 10, 12 } }, vh:tolist())
    local w, v = factors.eigh(flat, wrun.zeros(2, 2))
    assert.same({ 1, 2 }, w:tolist())
    assert.same({ { 3, 5 }, { 4, 6 } }, v:tolist())
  end)

  it("have the sizes that the mode asks for", function()
    local u, _, vh = factors.svd(flat, x, true)
    assert.same({ { 3, 3 }, { 2, 2 } }, { u.shape, vh.shape })
    for mode, sizes in pairs { reduced = { 3, 2 }, complete = { 3, 3 }, r = { 0 } } do
      assert.same(sizes, (factors.qr(flat, x, mode)).shape)
    end
  end)

  it("of a batch lie each for the whole batch", function()
    local w, v = factors.eigh(flat, wrun.zeros(2, 1, 1))
    assert.same({ { 1 }, { 2 } }, w:tolist())
    assert.same({ { { 3 } }, { { 4 } } }, v:tolist())
  end)
end)
