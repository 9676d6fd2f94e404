--- The option dtype of reductions, scans and the softmax.

local refusal = require "spec.support.refusal"
local with_dtype = require "wrun.tensor.internal.with_dtype"
local wrun = require "wrun"

describe("with_dtype", function()
  local x = wrun.tensor { 1.5, 2.5 }

  it("converts what goes in and what comes out", function()
    local y = with_dtype("f", function(z, factor)
      assert.same({ 1, 2 }, z:tolist())
      return z:float() * factor
    end, { dtype = "int64" }, x, 2)
    assert.equal("int64", y.dtype)
    assert.same({ 2, 4 }, y:tolist())
  end)

  it("changes nothing where no type is named", function()
    for _, options in ipairs { false, {} } do
      assert.equal(x, with_dtype("f", function(z) return z end, options or nil, x))
    end
  end)

  it("refuses what is no type", function()
    assert.equal("f: option dtype: expected bool, uint8, int32, int64, float32 or float64, got the "
      .. "string 'half'", refusal(function() with_dtype("f", print, { dtype = "half" }, x) end))
  end)
end)
