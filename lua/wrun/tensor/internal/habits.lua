--- What people write by habit on tensors and Lua means otherwise: each says what to write.

local core = require "wrun.core"
local names = require "wrun.names"

local M = {}

local REMEDIES = {
  T = "x:t() swaps the dimensions of a matrix",
  data = "x:detach() is x without its gradient",
  device = "tensors are in the processor's memory",
}

local FIELDS = {
  grad = true, shape = true, dtype = true, ndim = true, requires_grad = true, grad_fn = true,
  is_leaf = true, version = true,
}

--- Refuses a name that is neither a field nor a method of tensors.
--- raises  `tensor: no name`
function M.missing(_, name)
  if REMEDIES[name] then
    core.fail("tensor: no name '%s'; %s", name, REMEDIES[name])
  end
  names.refuse("tensor", name, FIELDS, core.methods)
end

-- where functions of tensors are found under the names that their messages begin with
local FACES = {
  "wrun", "wrun.linalg", "wrun.nn.init", "wrun.nn.functional", "wrun.nn.utils",
}

--- Returns the name of a function that the script called, where it is another one than that which
--- a message begins with; nil where it is the same or not known. Not known is what ended in a tail
--- call of another Lua function: there, functions put brackets around the call.
---@param f function
---@param name string
---@param written string?  what the script wrote, which may be one of several names
---@return string?
function M.called(f, name, written)
  local is_name, found = {}, nil
  for _, face in ipairs(FACES) do
    for other, value in pairs(package.loaded[face] or {}) do
      if rawequal(value, f) then
        is_name[other], found = true, other
      end
    end
  end
  found = is_name[written] and written or is_name[name] and name or found
  return found ~= name and found or nil
end

--- Refuses Lua's < and <=, which can only give true or false; Lua turns > and >= into them.
--- raises  `tensor: <, >, <= and >= give no tensor`
function M.compare()
  core.fail("tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or x:ge(y)")
end

--- Joins the text of a tensor, as print shows it, to another value.
---@return string
function M.concat(a, b)
  return tostring(a) .. tostring(b)
end

return M
