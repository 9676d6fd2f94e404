--- The face of nn: what it gathers.

local layers = require "spec.support.layers"
local names = require "wrun.names"
local wrun = require "wrun"

local nn = wrun.nn

describe("wrun.nn", function()
  it("has what each fixture is about, so that a module's spec runs every case", function()
    for _, fixture in ipairs { "layers", "losses" } do
      for subject in pairs(layers.subjects(fixture)) do
        assert.truthy(names.find(nn, subject) or names.find(nn.functional, subject), subject)
      end
    end
  end)

  it("calls each class by its own name", function()
    for name, class in pairs(nn) do
      if nn.Module:is_class(class) then
        assert.equal(name, class.__name)
      end
    end
  end)
end)
