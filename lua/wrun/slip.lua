--- Names of fields that are nearly right: what a script reads from an object that has no such field.
--- An absent field is nil, as in every table, and a script may ask for one, as in `if layer.bias
--- then`; a method may ask its own object for any. But where the name is nearly that of a field or
--- a method that is there, reading it is an error.

local core = require "wrun.core"
local names = require "wrun.names"

local M = {}

local UNDERSCORE = ("_"):byte()

-- the names of the fields and methods that scripts see
local function known_names(object, class)
  local known = {}
  local function add(t)
    for key in next, t do
      known[#known + 1] = type(key) == "string" and key:byte() ~= UNDERSCORE and key or nil
    end
  end
  add(object)
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

--- Refuses a name that a script read from an object and that is a slip; else returns nil. It is
--- called by what the script called.
---@param object table
---@param class table  whose _remedy(object, name) says what to write for names that others have
---@param name any
function M.refuse(object, class, name)
  if type(name) ~= "string" or name:byte() == UNDERSCORE or not core.is_script(3) then
    return nil
  end
  local first, self = debug.getlocal(3, 1)
  if first == "self" and rawequal(self, object) then
    return nil
  end
  local near = names.near(name, known_names(object, class))
  local remedy = class._remedy and class._remedy(object, name)
    or near and not differ_by_digits(near, name) and ("did you mean %s?"):format(near)
  if remedy then
    core.fail("%s: no name '%s'; %s", class.__name, core.escape(name), remedy)
  end
end

return M
