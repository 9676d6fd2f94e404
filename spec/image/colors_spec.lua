--- Colour maps: their ends, their order, and what a number becomes.

local colors = require "wrun.image.colors"
local wrun = require "wrun"

local function color_of(value, name)
  local x = wrun.full({ 1, 1, 1, 1 }, value, { dtype = "float32" })
  local bytes = (colors.apply(x, name) * 255):round():byte():reshape(-1):tolist()
  return ("%02X%02X%02X"):format(table.unpack(bytes))
end

describe("colour maps", function()
  it("leave grey as it is", function()
    local x = wrun.rand(2, 1, 3, 4)
    assert.equal(x, colors.apply(x, "grey"))
  end)

  -- viridisLite::viridis(9) of R, and RdBu of ColorBrewer with nine classes
  it("have the published colours at their ends and in the middle", function()
    assert.same({ "440154", "FDE725" }, { color_of(0, "viridis"), color_of(1, "viridis") })
    assert.same({ "2166AC", "B2182B" }, { color_of(0, "diverging"), color_of(1, "diverging") })
    assert.matches("^F7F[67]F[67]$", color_of(0.5, "diverging")) -- 255 steps have no middle
  end)

  -- IEC 61966-2-1 and the luminance of Rec. 709
  it("grow lighter, or lighter and darker again, step by step", function()
    local x = wrun.linspace(0, 1, 256):reshape(1, 1, 1, 256)
    local function luminance(name)
      local c = colors.apply(x, name):double()
      local light = wrun.where(c:le(0.04045), c / 12.92, ((c + 0.055) / 1.055) ^ 2.4)
      local weights = wrun.tensor({ 0.2126, 0.7152, 0.0722 }, { dtype = "float64" })
      return (light[1]:reshape(3, 256) * weights:reshape(3, 1)):sum(1)
    end
    local grows = luminance("viridis"):diff()
    assert.is_true(grows:gt(0):all():item())
    local diverging = luminance("diverging"):diff()
    assert.is_true(diverging:narrow(1, 1, 126):gt(0):all():item())
    assert.is_true(diverging:narrow(1, 129, 126):lt(0):all():item())
  end)

  it("keep the arrangement of the pictures", function()
    local x = wrun.tensor({ 0, 1.0, 1, 0 }):reshape(2, 1, 1, 2)
    local y = colors.apply(x, "viridis")
    assert.same({ 2, 3, 1, 2 }, y.shape)
    assert.is_true(y[{ 1, {}, 1, 2 }]:equal(y[{ 2, {}, 1, 1 }]))
    assert.is_false(y[{ 1, {}, 1, 1 }]:equal(y[{ 1, {}, 1, 2 }]))
  end)
end)
