--- Single inheritance: `Base:extend("Name")` makes a class, which makes instances when called.
--- A class is the metatable of its instances, so a method call is one table lookup per level and a
--- metamethod is written as a method: `function Net.__len(self)`. Metamethods are inherited when
--- `extend` runs. Fields that begin with "_" are for classes alone. An instance prints as its class
--- and its fields, where no `__tostring` says better.

local check = require "wrun.check"
local method = require "wrun.method"
local repr = require "wrun.repr"
local slip = require "wrun.slip"

---@class wrun.Class
---@field __name string
---@field super wrun.Class?
--- The base of all classes: calling a class makes an instance, which `init` sets up.
local Class = { __name = "Class" }
Class.__index = Class

-- _reader(class) makes the __index of the objects of a class, which is mostly the class itself.
function Class._reader(class)
  return class
end

-- _remedy(class, name) says what to write for the name of a field that others have, or nothing; a
-- table _habits has what does not depend on the class.
function Class._remedy(class, name)
  return name == "new" and "a class is called to make an object: Class(...)"
    or name == "len" and class.__len and "write #object" or nil
end

-- _define(class, name, value) is the __newindex of the class and of those below it.
Class._define = method.define

-- Makes it an error that says what to write, `how`, to walk instances of the class and of those
-- below it by a bare `for`, pairs or ipairs.
function Class._walked_by(class, how)
  local function refuse()
    check.fail("%s: cannot be walked by itself; write %s", class.__name, how)
  end
  class.__call, class.__pairs = refuse, refuse
  function class._reader(below)
    return function(object, key)
      if math.type(key) == "integer" then
        refuse()
      end
      local value = below[key]
      if value == nil then
        slip.refuse(object, below, key)
      end
      return value
    end
  end
  class.__index = class._reader(class)
end

-- _blank() makes the table of an object, with the fields that are quicker in it than in its class.
function Class._blank()
  return {}
end

local function construct(class, ...)
  local instance = setmetatable(class._blank(), class)
  instance:init(...)
  return instance
end

function Class:__tostring()
  return repr.object(getmetatable(self).__name, self)
end

local function class_text(class)
  return "class " .. class.__name
end

local function check_class(fname, value)
  if value ~= Class and not (type(value) == "table" and rawget(value, "super")) then
    check.fail("%s: expected a class before the colon, got %s; write Class:%s(), not Class.%s()",
      fname, check.describe(value), fname, fname)
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
  class.__index = self._reader(class)
  class.super = self
  return setmetatable(class, {
    __index = slip.class_index, __newindex = self._define, __call = construct,
    __tostring = class_text,
  })
end

--- Sets up a new instance from the arguments of the call; a subclass replaces it.
--- domain  none; what the subclass says
--- raises  `NAME: expected no arguments`
---@type fun(self: any, ...)
Class.init = function(self, ...)
  if select("#", ...) > 0 then
    check.fail("%s: expected no arguments, since it has no init, got %s; %s()(...) makes an object "
      .. "and calls it", self.__name, check.describe((...)), self.__name)
  end
end

setmetatable(Class, {
  __tostring = class_text,
  __index = function(_, key)
    slip.refuse(Class, Class, key)
  end,
})

--- Says whether `value` is an instance of this class or of a class below it.
---     print(nn.Module:is_instance(nn.Linear(2, 3)), nn.Linear:is_instance(nn.ReLU()))
function Class:is_instance(value)
  check_class("is_instance", self)
  return type(value) == "table" and self:is_class(getmetatable(value))
end

--- Says whether `value` is this class or one below it: the thing itself, not an instance.
---     print(nn.Module:is_class(nn.Linear), nn.Module:is_class(nn.Linear(2, 3)))
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
