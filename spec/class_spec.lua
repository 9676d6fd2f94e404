--- Classes: instances, inheritance, and who is one of what.

local Class = require "wrun.class"

describe("a class", function()
  local Animal = Class:extend("Animal")
  function Animal:init(name)
    self.name = name
  end
  function Animal:speak()
    return self.name .. " " .. self.sound
  end
  function Animal:__tostring()
    return "<" .. self.name .. ">"
  end
  Animal.sound = "breathes"

  local Dog = Animal:extend("Dog")
  Dog.sound = "barks"

  it("makes instances that run init and have its methods", function()
    assert.equal("Rex breathes", Animal("Rex"):speak())
  end)

  it("inherits methods and metamethods and can replace them", function()
    assert.equal("Rex barks", Dog("Rex"):speak())
    assert.equal("<Rex>", tostring(Dog("Rex")))
    assert.equal("Animal", Animal.__name)
    assert.equal("Dog", Dog.__name)
  end)

  it("reaches the replaced method through super", function()
    local Puppy = Dog:extend("Puppy")
    function Puppy:init(name)
      Puppy.super.init(self, "little " .. name)
    end
    assert.equal("little Rex barks", Puppy("Rex"):speak())
    assert.equal(Dog, Puppy.super)
  end)

  it("knows its instances", function()
    local rex = Dog("Rex")
    assert.is_true(Dog:is_instance(rex))
    assert.is_true(Animal:is_instance(rex))
    assert.is_false(Dog:is_instance(Animal("Tom")))
    for _, other in ipairs({ {}, 1, "Dog", print, Dog, setmetatable({}, {}) }) do
      assert.is_false(Dog:is_instance(other))
    end
    assert.is_false(Dog:is_instance(nil))
  end)

  it("tells classes from instances", function()
    assert.is_true(Animal:is_class(Dog))
    assert.is_true(Animal:is_class(Animal))
    assert.is_false(Dog:is_class(Animal))
    assert.is_false(Animal:is_class(Dog("Rex")))
    assert.is_false(Animal:is_class(nil))
  end)
end)
