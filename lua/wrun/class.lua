--- Single inheritance: `Base:extend("Name")` makes a class, which makes instances when called.
--- A class is the metatable of its instances, so a method call is one table lookup per level and a
--- metamethod is written as a method: `function Net.__len(self)`. Metamethods are inherited when
--- `extend` runs.

local check = require "wrun.check"
local method = require "wrun.method"

---@class wrun.Class
---@field __name string
---@field super wrun.Class?
--- The base of all classes: calling a class makes an instance, which `init` sets up.
local Class = { __name = "Class" }
Class.__index = Class

local function construct(class, ...)
  local instance = setmetatable({}, class)
  instance:init(...)
  return instance
end

local function check_class(fname, value)
  if value ~= Class and not (type(value) == "table" and rawget(value, "super")) then
    check.fail("%s: expected a class before the colon, got %s", fname, check.describe(value))
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
  class.__index = class
  class.super = self
  return setmetatable(class, { __index = self, __call = construct, __newindex = method.define })
end

--- Sets up a new instance from the arguments of the call; a subclass replaces it.
--- domain  what the subclass says
---@type fun(self: any, ...)
Class.init = function() end

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
