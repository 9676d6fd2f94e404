--- The functions of tensors, gathered from their topics, and the methods they make.

local wrun = require "wrun"

describe("a function of tensors", function()
  it("is a method too, where a tensor comes first", function()
    local x = wrun.tensor { 3.0, 1.0, 2.0 }
    for name in ("sum sort cumsum reshape matmul gather exp add backward"):gmatch("%S+") do
      assert.equal(wrun[name], x[name], name)
    end
  end)

  it("is none, where no tensor comes first", function()
    local x = wrun.zeros(1)
    for name in ("zeros rand arange stack hstack meshgrid einsum multi_dot manual_seed is_tensor "
      .. "tril_indices Generator"):gmatch("%S+") do
      assert.is_not_nil(wrun[name], name)
      assert.matches("tensor: no name '" .. name .. "'",
        select(2, pcall(function() return x[name] end)), 1, true)
    end
  end)

  it("serves keys and printing", function()
    local x = wrun.arange(6):reshape(2, 3)
    assert.equal(5, x[{ 2, 3 }]:item())
    x[1] = 7
    assert.equal("tensor([[7, 7, 7],\n        [3, 4, 5]])", tostring(x))
  end)
end)
