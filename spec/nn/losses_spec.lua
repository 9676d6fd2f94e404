--- The losses together: every class of every kind, each name once.

local losses = require "wrun.nn.losses"
local wrun = require "wrun"

describe("wrun.nn.losses", function()
  it("gathers the losses of all kinds, which nn publishes", function()
    local count = 0
    for _, kind in ipairs { "classification", "distance", "margin", "probability" } do
      for name, class in pairs(require("wrun.nn.losses." .. kind)) do
        assert.equal(class, losses[name])
        assert.equal(class, wrun.nn[name])
        assert.equal(name, class.__name)
        count = count + 1
      end
    end
    for _ in pairs(losses) do
      count = count - 1
    end
    assert.equal(0, count)
  end)
end)
