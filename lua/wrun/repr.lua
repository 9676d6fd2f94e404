--- Values as Python prints them: what modules and optimisers print follows PyTorch, and every other
--- object prints as its name and what it holds.

local core = require "wrun.core"
local slip = require "wrun.slip"

local M = {}

local DEEPEST = 2 -- tables inside each other that are shown

--- Returns a value as Python writes it: True, None, 0.1, (3,), a string as it is.
--- domain  nil, booleans, numbers (a float in as few digits as give it back), strings and lists; of
---   lists in lists in lists no more than "..."
function M.value(value, depth)
  depth = depth or 0
  if value == nil then
    return "None"
  elseif type(value) == "boolean" then
    return value and "True" or "False"
  elseif type(value) == "table" and depth > DEEPEST then
    return "..."
  elseif type(value) == "table" then
    local items = {}
    for i, item in ipairs(value) do
      items[i] = M.value(item, depth + 1)
    end
    return ("(%s%s)"):format(table.concat(items, ", "), #items == 1 and "," or "")
  end
  local text, digits = core.format("%s", value), 15
  while math.type(value) == "float" and tonumber(text) ~= value and digits <= 17 do
    text = core.format(("%%.%dg"):format(digits), value)
    digits = digits + 1
  end
  return text
end

--- Returns settings as Python writes arguments by name: "eps=1e-05, approximate='tanh'".
--- domain  a name, its value, a name, its value ...; a value may be nil
function M.settings(...)
  local texts = {}
  for i = 1, select("#", ...), 2 do
    local name, value = select(i, ...)
    local text = M.value(value)
    texts[#texts + 1] = name .. "=" .. (type(value) == "string" and "'" .. text .. "'" or text)
  end
  return table.concat(texts, ", ")
end

-- Objects --------------------------------------------------------------------

local MOST = 6 -- parts of a table inside an object that are shown
local WIDEST = 100 -- columns of an object on one line

-- The names in the order of `pairs` where a table keeps one, else sorted.
local function names_of(t)
  local metatable, names = getmetatable(t), {}
  local is_ordered = metatable and metatable.is_ordered
  for name, value in is_ordered and pairs(t) or next, t do
    if type(value) ~= "function" and not tostring(name):find("^_") then
      names[#names + 1] = name
    end
  end
  if not is_ordered then
    table.sort(names, function(a, b)
      return tostring(a) < tostring(b)
    end)
  end
  return names
end

local held

-- The parts of a table inside an object.
local function parts_of(t, depth)
  if depth > DEEPEST then
    return "..."
  end
  local texts, names = {}, #t == 0 and names_of(t)
  local count = names and #names or #t
  for i = 1, math.min(count, MOST) do
    texts[i] = names and names[i] .. "=" .. held(t[names[i]], depth) or held(t[i], depth)
  end
  if count > MOST then
    texts[#texts + 1] = ("... %d in all"):format(count)
  end
  return table.concat(texts, ", ")
end

-- What an object holds: a tensor by its type and shape, another object by its name.
function held(value, depth)
  if core.is_tensor(value) then
    return value.dtype .. " " .. core.shape_text(value)
  elseif type(value) == "string" then
    return "'" .. value .. "'"
  elseif type(value) == "function" then
    return "a function"
  elseif type(value) ~= "table" then
    return M.value(value)
  end
  local metatable = getmetatable(value)
  if M.is_list(value) then
    return tostring(value)
  elseif metatable and metatable.__name then
    return metatable.__name
  elseif metatable and metatable.__tostring then
    return (tostring(value):match("^[^\n]*"))
  end
  return (#value > 0 and "[%s]" or "{%s}"):format(parts_of(value, depth + 1))
end

--- Is it a list of sizes or strides?
---@param value any
---@return boolean
function M.is_list(value)
  local metatable = getmetatable(value)
  return metatable == core.Size or metatable == core.Stride
end

--- Returns what a value is when it stands in another object: "float32 [3, 4]", "SGD".
---@param value any
---@return string
function M.held(value)
  return held(value, 0)
end

--- Returns an object as its name and its fields, on one line or, where that is too long, on one
--- each: "RandomSampler(count=10, num_samples=10, replacement=False)".
--- domain  functions and names that begin with _ are left out
---@param name string
---@param fields table
---@return string
function M.object(name, fields)
  local texts = {}
  for i, field in ipairs(names_of(fields)) do
    texts[i] = ("%s=%s"):format(field, held(fields[field], 0))
  end
  local line = table.concat(texts, ", ")
  if #name + #line + 2 > WIDEST then
    line = "\n  " .. table.concat(texts, ",\n  ") .. "\n"
  end
  return core.escape(("%s(%s)"):format(name, line))
end

local records, results = {}, {} -- name -> metatable

local function metatable_of(kinds, name)
  kinds[name] = kinds[name] or {
    __name = name,
    __tostring = function(t)
      return M.object(name, t)
    end,
  }
  return kinds[name]
end

--- Makes a plain table print as a name and its fields, and returns it.
---@param name string
---@param fields table
---@return table fields
function M.record(name, fields)
  return setmetatable(fields, metatable_of(records, name))
end

--- The same, where a field whose name is nearly right is an error.
---@param name string
---@param fields table
---@return table fields
function M.result(name, fields)
  local metatable = metatable_of(results, name)
  metatable.__index = setmetatable(metatable, { __index = slip.class_index })
  return setmetatable(fields, metatable)
end

return M
