--- The three short scripts that users of PyTorch's tutorials know, each as a user runs it.

local script = require "spec.support.script"
local wrun = require "wrun"

local function lines_of(path)
  local count = 0
  for _ in io.lines(path) do
    count = count + 1
  end
  return count
end

describe("the tutorial scripts", function()
  it("have 35 lines or less", function()
    for _, name in ipairs { "xor", "regression", "autoencoder_npy" } do
      assert.is_true(lines_of("scripts/" .. name .. ".lua") <= 35, name)
    end
  end)

  it("xor.lua learns exclusive or", function()
    local output, ok = script("xor.lua", "")
    assert(ok, output)
    for _, line in ipairs { "0 xor 0 = 0", "0 xor 1 = 1", "1 xor 0 = 1", "1 xor 1 = 0" } do
      assert.is_truthy(output:find(line, 1, true), output)
    end
  end)

  it("regression.lua finds the plane that a file of numbers lies in", function()
    local x = wrun.randn(100, 2, { generator = wrun.Generator({ seed = 1 }) })
    local y = x:matmul(wrun.tensor { { 1.5 }, { -0.25 } }) + 3
    local path = os.tmpname()
    wrun.data.save_csv(path, wrun.cat({ x, y }, 2), { header = { "width", "height", "price" } })
    local output, ok = script("regression.lua", path)
    os.remove(path)
    assert(ok, output)
    assert.is_truthy(output:find("width: 1.5000\nheight: -0.2500\nconstant: 3.0000\n", 1, true),
      output)
  end)

  it("regression.lua says how to call it", function()
    local output, ok = script("regression.lua", "")
    assert.is_nil(ok)
    assert.is_truthy(output:find("Usage: regression.lua", 1, true))
    assert.is_truthy(output:find("missing argument 'file'", 1, true))
  end)

  it("autoencoder_npy.lua lowers its loss and saves images for NumPy", function()
    local path = os.tmpname()
    local output, ok = script("autoencoder_npy.lua", path .. " 8")
    assert(ok, output)
    local first, last = output:match("epoch 1  loss ([%d.]+).*epoch 8  loss ([%d.]+)")
    assert.is_true(tonumber(last) < 0.8 * tonumber(first))
    local images = wrun.data.npy(path)
    os.remove(path)
    assert.equal("float32", images.dtype)
    assert.same({ 50, 28, 28 }, images.shape)
    assert.is_true(images:ge(0):all():item() and images:le(1):all():item())
  end)
end)
