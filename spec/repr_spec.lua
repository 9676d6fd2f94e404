--- Values as Python prints them.

local repr = require "wrun.repr"

describe("repr.value", function()
  it("writes what Python writes", function()
    assert.equal("None", repr.value(nil))
    assert.equal("True", repr.value(true))
    assert.equal("False", repr.value(false))
    assert.equal("3", repr.value(3))
    assert.equal("max", repr.value("max"))
    assert.equal("(3,)", repr.value({ 3 }))
    assert.equal("(0.9, 0.999)", repr.value({ 0.9, 0.999 }))
  end)

  it("writes a float in as few digits as give it back", function()
    assert.equal("1e-05", repr.value(1e-5))
    assert.equal("0.1", repr.value(0.1))
    assert.equal("1.0", repr.value(1.0))
    assert.equal("0.30000000000000004", repr.value(0.1 + 0.2))
    assert.equal("inf", repr.value(math.huge))
    assert.matches("^-?nan$", repr.value(0 / 0))
  end)
end)

describe("repr.settings", function()
  it("writes names and values, strings in quotes, nil too", function()
    assert.equal("", repr.settings())
    assert.equal("eps=1e-05, approximate='tanh', momentum=None, affine=True",
      repr.settings("eps", 1e-5, "approximate", "tanh", "momentum", nil, "affine", true))
  end)
end)
