--- Single inheritance: `Base:extend("Name")` makes a class, which makes instances when called.
---
--- A class is the metatable of its instances, so a method call is one table lookup per level and a
--- metamethod is written as a method: `function Net.__len(self)`. Metamethods are inherited when
--- `extend` runs. Fields that begin with "_" are for classes alone.
---
--- The library's own methods refuse what is no instance, which a dot in place of a colon gives them.

local check = require "wrun.check"
local core = require "wrun.core"

---@class wrun.Class
---@field __name string
---@field super wrun.Class?
--- The base of all classes: calling a class makes an instance, which `init` sets up.
local Class = { __name = "Class" }
Class.__index = Class

local classes = setmetatable({ [Class] = true }, { __mode = "k" })
Class._method_of = {} -- guard -> the method that it guards

-- Methods that need no instance, as they set one up or make a class, and that look themselves: where
-- a state_dict is defined is asked, to tell that all of a library's state is tried.
local UNGUARDED = { init = true, extend = true, state_dict = true }

-- Refuses what is no instance of the class, whose method `name` it was given to.
function Class._expect(class, name, object)
  if not class:is_instance(object) then
    local variable = class.__name:match("%w+$"):lower()
    check.fail("%s: expected an instance of %s before a colon, got %s; write %s:%s(), not %s.%s()",
      name, class.__name, check.describe(object), variable, name, variable, name)
  end
end

-- A method behind a look at its object; instances that were seen are known.
local function guarded(class, known, name, method)
  local function guard(self, ...)
    if not known[self] then
      class:_expect(name, self)
      known[self] = true
    end
    return method(self, ...)
  end
  Class._method_of[guard] = method
  return guard
end

local WEAK = { __mode = "k" }
local known_to = {} -- class -> the instances that its methods have seen

-- Defines a field of a class.
local function define(class, name, value)
  value = Class._method_of[value] or value -- another class's, taken over
  if core.is_own_method(value) and not UNGUARDED[name] and name:sub(1, 1) ~= "_" then
    known_to[class] = known_to[class] or setmetatable({}, WEAK)
    value = guarded(class, known_to[class], name, value)
  end
  rawset(class, name, value)
end

-- _reader(class) makes the __index of a class and of those below it, where that is not the class.
Class._reader = false

-- Makes it an error that says what to write, `how`, to walk instances of the class and of those
-- below it by a bare `for`, pairs or ipairs.
function Class._walked_by(class, how)
  local function refuse()
    check.fail("%s: cannot be walked by itself; write %s", class.__name, how)
  end
  class.__call, class.__pairs = refuse, refuse
  function class._reader(below)
    return function(_, key)
      return math.type(key) == "integer" and refuse() or below[key]
    end
  end
  class.__index = class._reader(class)
end

local function construct(class, ...)
  local instance = setmetatable({}, class)
  instance:init(...)
  return instance
end

local function check_class(name, class)
  if not classes[class] then
    check.fail("%s: expected a class before a colon, got %s; write Class:%s(), not Class.%s()",
      name, check.describe(class), name, name)
  end
end

--- Makes a subclass of `self`.
--- domain  `name` is what errors and printing call it
---     local Net = nn.Module:extend("Net")
---     function Net:init(width) self.width = width end
---     print(Net(3).width, Net, nn.Module:is_instance(Net(3)))
---@return any
function Class:extend(name)
  check_class("extend", self)
  check.argument("extend", 1, name, check.string())
  local class = {}
  for key, value in pairs(self) do
    if type(key) == "string" and key:sub(1, 2) == "__" then
      class[key] = value
    end
  end
  class.__name = name
  class.__index = self._reader and self._reader(class) or class
  class.super = self
  classes[class] = true
  return setmetatable(class, { __index = self, __call = construct, __newindex = define })
end

--- Sets up a new instance from the arguments of the call; a subclass replaces it.
--- domain  what the subclass says
---@type fun(self: any, ...)
Class.init = function() end

--- Says whether `value` is an instance of this class or of a class below it.
--- domain  any value
---     print(nn.Module:is_instance(nn.Linear(2, 3)), nn.Linear:is_instance(nn.ReLU()))
---@return boolean
function Class:is_instance(value)
  check_class("is_instance", self)
  return type(value) == "table" and self:is_class(getmetatable(value))
end

--- Says whether `value` is this class or one below it: the thing itself, not an instance.
--- domain  any value
---     print(nn.Module:is_class(nn.Linear), nn.Module:is_class(nn.Linear(2, 3)))
---@return boolean
function Class:is_class(value)
  check_class("is_class", self)
  while type(value) == "table" do
    if rawequal(value, self) then
      return true
    end
    value = rawget(value, "super")
  end
  return false
end

return Class
