--- A tensor beside its length, where that is beyond the dtype.

local length_of = require "wrun.nn.length"
local wrun = require "wrun"

local nn = wrun.nn
local F = nn.functional

describe("a tensor and its length", function()
  it("are as they are where the length is within the dtype", function()
    local x = wrun.tensor { { 3.0, 4.0 }, { 0.0, 0.0 } }
    local same, length = length_of(x, 2, -1)
    assert.equal(x, same)
    assert.same({ { 5 }, { 0 } }, length:tolist())
  end)

  it("shrink together row by row where it is beyond", function()
    local x, length = length_of(wrun.tensor { { 3e38, 3e38 }, { 3, 4 } }, 2, -1)
    assert.same({ 3, 4 }, x[2]:tolist())
    assert.equal(5, length[2]:item())
    assert.near(math.sqrt(0.5), (x[1] / length[1])[1]:item(), 1e-6)
  end)

  it("give directions of what divides by it", function()
    local x = wrun.full({ 1, 100 }, 3e38)
    for _, one in ipairs {
      nn.RMSNorm(100)(x), F.normalize(x, { p = 0.5 }) * 1e4, F.normalize(x) * 10,
      -F.cosine_similarity(x, -x), F.cosine_embedding_loss(x, -x, wrun.tensor { 1 }) / 2,
    } do
      assert.near(0, (one - 1):abs():max():item(), 1e-5)
    end
  end)
end)
