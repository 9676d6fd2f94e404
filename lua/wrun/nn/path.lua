--- Where a module stands in the module that holds it, for errors: `Net.encoder[2] Linear(4 -> 3)`.
--- check.fail looks for a local variable `error_context` in the functions it passes on its way to
--- the script, and puts its text in front of the message; only then is that text made.

local M = {}

-- A path is kept by the module that stands there and keeps nothing alive itself.
local Path = { __mode = "v" }
Path.__index = Path

-- module -> the path where it was last put
M.of = setmetatable({}, { __mode = "k" })

-- The path of what `owner` holds at `key`, now or later.
function M.new(owner, key)
  return setmetatable({ owner = owner, key = key }, Path)
end

-- Remembers that `module` stands at `key` of `owner`.
function M.note(owner, key, module)
  local path = M.new(owner, key)
  path.module = module
  M.of[module] = path
end

-- `Net.encoder` for a container that only holds, so that the script calls what is in it; else the
-- name of the class.
local function text_of(module)
  local path = M.of[module]
  if not module.is_collection or path == nil or path.owner == nil then
    return module.__name
  end
  return text_of(path.owner) .. path:suffix()
end

function Path:suffix()
  local names = rawget(self.owner, "_names")
  local key = names and names[self.key] or self.key
  return math.type(key) and ("[%d]"):format(key) or "." .. key
end

function Path:__tostring()
  local owner, module = self.owner, self.module
  local now = owner and owner[self.key]
  if owner == nil or (module ~= nil and now ~= module) then
    return module:label()
  end
  return ("%s%s %s"):format(text_of(owner), self:suffix(), now:label())
end

return M
