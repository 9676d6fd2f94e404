--- Methods that check what they are called on: `net.forward(x)` and `nn.Linear:forward(x)` are
--- errors that say so.
---
--- A method is a function of the library whose first parameter is called self. A class puts what
--- `checked` makes of it in its place.

local check = require "wrun.check"
local core = require "wrun.core"
local slip = require "wrun.slip"

local M = {}

local is_object, parameters = core.is_object, core.method_parameters
local UNDERSCORE = ("_"):byte()

local function refuse(class, name, value)
  local is_class = type(value) == "table" and rawget(value, "__name") ~= nil
  local variable = class.__name:match("%w+$"):lower()
  check.fail("%s: %s: expected an object of %s before the colon, got %s%s", class.__name, name,
    class.__name, check.describe(value), is_class and ""
    or ("; write %s:%s(), not %s.%s()"):format(variable, name, variable, name))
end

-- By the number of a method's parameters: what calls f(self, ...) on an object of the class, and
-- refuses any other. The last is for more parameters, and for `...`.
local FORMS = {
  function(f, class, name)
    return function(self)
      if not is_object(self, class) then
        refuse(class, name, self)
      end
      return f(self)
    end
  end,
  function(f, class, name)
    return function(self, a)
      if not is_object(self, class) then
        refuse(class, name, self)
      end
      return f(self, a)
    end
  end,
  function(f, class, name)
    return function(self, a, b)
      if not is_object(self, class) then
        refuse(class, name, self)
      end
      return f(self, a, b)
    end
  end,
  function(f, class, name)
    return function(self, ...)
      if not is_object(self, class) then
        refuse(class, name, self)
      end
      return f(self, ...)
    end
  end,
}

--- The functions behind methods, as they were written, by what checks for them: for calls on what is
--- known to be an object of the class.
M.unchecked = {}

--- Returns the function behind a method, as it was written; any other value itself.
---@param value any
---@return any
function M.original(value)
  return M.unchecked[value] or value
end

--- The metamethod `__newindex` of a class of the library: gives its public methods their check.
---@param class table
---@param name any
---@param value any
function M.define(class, name, value)
  if parameters(value) and name:byte() ~= UNDERSCORE then
    local f = M.original(value)
    value = (FORMS[parameters(f)] or FORMS[#FORMS])(f, class, name)
    M.unchecked[value] = f
  end
  rawset(class, name, value)
end

--- Returns the metatable of a kind of objects, which holds their methods.
---@return table
function M.object(class_name)
  local metatable = { __name = class_name }
  metatable.__index = metatable
  return setmetatable(metatable, { __index = slip.class_index, __newindex = M.define })
end

return M
