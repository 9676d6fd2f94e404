--- The autoencoder's script as a user runs it: on a small made-up set, and PCA on MNIST.

local script = require "spec.support.script"

local function errors_of(output)
  local errors = {}
  for title, value in output:gmatch("\n(%a[%w, ]-) +([%d.]+)%f[\n]") do
    errors[title] = tonumber(value)
  end
  return errors
end

describe("autoencoder_mnist.lua", function()
  it("trains from both starts, and prints errors beside PCA's", function()
    local options = "--sizes 40,4 --pretraining 5 --epochs 40 --lr 0.005"
    local output, ok = script("autoencoder_mnist.lua", options)
    assert(ok, output)
    local errors = errors_of(output)
    assert.is_true(errors["PCA, 4 components"] < errors["mean image"])
    for _, title in ipairs({ "pretrained autoencoder", "autoencoder from Xavier" }) do
      assert.is_true(errors[title] < errors[title .. ", not tuned"])
    end
  end)

  it("refuses starts and sizes it does not know", function()
    local output, ok = script("autoencoder_mnist.lua", "--sizes 40,4 --starts magic")
    assert.is_nil(ok)
    assert.is_truthy(output:find("no start called 'magic'", 1, true), output)
    output, ok = script("autoencoder_mnist.lua", "--sizes 40,x")
    assert.is_nil(ok)
    assert.is_truthy(output:find("expected whole numbers, got 40,x", 1, true), output)
  end)

  it("finds the published error of PCA on MNIST", function()
    local output, ok = script("autoencoder_mnist.lua", "--dataset mnist --starts ''", true)
    if not ok and output:find("MNIST is not on this machine", 1, true) then
      pending("MNIST is not on this machine")
      return
    end
    assert(ok, output)
    -- [HintonSalakhutdinov2006] gives 13.87
    assert.near(13.87, errors_of(output)["PCA, 30 components"], 0.01)
  end)
end)
