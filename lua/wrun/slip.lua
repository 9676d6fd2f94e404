--- Names of fields that are nearly right: what a script reads from an object that has no such field.
--- An absent field is nil, as in every table, and a script may ask for one, as in `if layer.bias
--- then`; a method may ask its own object for any. But where the name is nearly that of a field or
--- a method that is there, reading it is an error.

local core = require "wrun.core"
local names = require "wrun.names"

local M = {}

local UNDERSCORE = ("_"):byte()

-- the names of the fields and methods that scripts see
local function known_names(objects, class)
  local known = {}
  local function add(t)
    for key in next, t do
      known[#known + 1] = type(key) == "string" and key:byte() ~= UNDERSCORE and key or nil
    end
  end
  for object in pairs(objects) do
    add(object)
    add(rawget(object, "_held") or {}) -- by a module
  end
  while class do
    add(class)
    class = rawget(class, "super")
  end
  return known
end

-- Are these two names of a row, as fc1 and fc2 are?
local function differ_by_digits(a, b)
  return a:gsub("%d", "") == b:gsub("%d", "")
end

-- Refuses a name that is a slip where it was read from one of these objects.
local function refuse(objects, class, name)
  local near = names.near(name, known_names(objects, class))
  local remedy = class._habits and class._habits[name]
    or class._remedy and class._remedy(class, name)
    or near and not differ_by_digits(near, name) and ("did you mean %s?"):format(near)
  if remedy and near ~= name then
    core.fail("%s: no name '%s'; %s", class.__name, core.escape(name), remedy)
  end
end

local function may_be_slip(name)
  return type(name) == "string" and name:byte() ~= UNDERSCORE
end

--- Refuses a name that a script read from an object and that is a slip; else returns nil. It is
--- called by what the script called.
---@param object table
---@param class table  whose _habits[name] or _remedy(class, name) says what to write for names that
---   others have
---@param name any
function M.refuse(object, class, name)
  if not may_be_slip(name) or not core.is_script(3) then
    return nil
  end
  local first, self = debug.getlocal(3, 1)
  if not (first == "self" and rawequal(self, object)) then
    refuse({ [object] = true }, class, name)
  end
end

--- Refuses a name as `refuse` does. Lua reads classes last and does not say for which object: the
--- object is among what the function that reads has at hand, its variables and what it computes.
---@param class table  whose object, or which itself, has no such name
---@param name any
function M.missed(class, name)
  if not may_be_slip(name) then
    return nil
  end
  local objects = {}
  local function add(value)
    local is_one = type(value) == "table"
      and (rawequal(value, class) or rawequal(getmetatable(value), class))
    if is_one then
      objects[value] = true
    end
    return is_one
  end
  local i, variable, value = 1, debug.getlocal(3, 1)
  while variable do
    if add(value) and i == 1 and variable == "self" then
      return nil -- a method of the object, which may ask for any
    end
    i = i + 1
    variable, value = debug.getlocal(3, i)
  end
  local reader = debug.getinfo(3, "f").func
  i, variable, value = 1, debug.getupvalue(reader, 1)
  while variable do
    add(value)
    i = i + 1
    variable, value = debug.getupvalue(reader, i)
  end
  refuse(objects, class, name)
end

--- The __index of classes and of the metatables that are kinds of objects.
M.class_index = core.reader(M.missed)

return M
