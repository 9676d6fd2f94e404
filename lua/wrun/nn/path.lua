--- Where a module stands in the module that holds it, for errors: `Net.encoder[2] Linear(4 -> 3)`.
---
--- check.fail looks for a local variable `error_context` in the functions it passes on its way to
--- the script, and puts its text in front of the message; only then is that text made.

local M = {}

-- A place is kept by the module that stands there and keeps nothing alive itself.
local Place = { __mode = "v" }
Place.__index = Place

--- module -> the place it was last put at
M.places = setmetatable({}, { __mode = "k" })

--- Returns the place of what `owner` holds at `key`, now or later.
--- domain  any module and key
--- raises  nothing
---@param owner wrun.nn.Module
---@param key string|integer
---@return table
function M.new(owner, key)
  return setmetatable({ owner = owner, key = key }, Place)
end

--- Remembers that `module` stands at `key` of `owner`.
--- domain  any modules and key
--- raises  nothing
---@param owner wrun.nn.Module
---@param key string|integer
---@param module wrun.nn.Module
function M.note(owner, key, module)
  local place = M.new(owner, key)
  place.module = module
  M.places[module] = place
end

-- `Net.encoder` for a container that only holds, so that the script calls what is in it; else the
-- name of the class.
local function path(module)
  local place = M.places[module]
  if not module.is_collection or place == nil or place.owner == nil then
    return module.__name
  end
  return path(place.owner) .. place:suffix()
end

function Place:suffix()
  local names = rawget(self.owner, "_names")
  local key = names and names[self.key] or self.key
  return math.type(key) and ("[%d]"):format(key) or "." .. key
end

function Place:__tostring()
  local owner, module = self.owner, self.module
  local now = owner and owner[self.key]
  if owner == nil or (module ~= nil and now ~= module) then
    return module:label()
  end
  return ("%s%s %s"):format(path(owner), self:suffix(), now:label())
end

return M
