--- Tables as Lua that can be read back, cut where they are long: what the session prints.
---
--- What Lua has no text for, a tensor, an object or a function, is `nil` with a comment that says
--- what it is, and what is left out is a comment that says how much.

local repr = require "wrun.repr"

local M = {}

local WIDEST = 80 -- columns of a line
local MOST = 20 -- parts of a table
local DEEPEST = 4 -- tables inside each other
local LONGEST = 200 -- bytes of a string

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

-- A comment that no text can end.
local function comment(text)
  local level = ""
  while text:find("]" .. level .. "]", 1, true) do
    level = level .. "="
  end
  return ("--[%s[ %s ]%s]"):format(level, text, level)
end

local function string_text(text)
  local shown = ("%q"):format(text:sub(1, LONGEST)):gsub("\\\n", "\\n"):gsub("[\128-\255]+",
    function(bytes)
      return not utf8.len(bytes) and bytes:gsub(".", function(byte)
        return ("\\x%02x"):format(byte:byte())
      end) or nil
    end)
  return #text > LONGEST and ("%s %s"):format(shown, comment(#text .. " bytes")) or shown
end

local function number_text(value)
  if value ~= value then
    return "0/0"
  elseif value == math.huge or value == -math.huge then
    return value > 0 and "math.huge" or "-math.huge"
  end
  return value == math.mininteger and "math.mininteger" or repr.value(value)
end

-- Numbers first, then texts, then all else.
local function is_before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a == kind_b and (kind_a == "number" or kind_a == "string") then
    return a < b
  elseif kind_a ~= kind_b then
    return kind_a == "number" or kind_a == "string" and kind_b ~= "number"
  end
  return tostring(a) < tostring(b)
end

local text_of

local function key_text(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") and not KEYWORDS[key] then
    return key .. " = "
  end
  return ("[%s] = "):format(text_of(key, {}, DEEPEST))
end

-- Can it be written between the brackets of a key?
local function is_key(key)
  return type(key) == "string" or type(key) == "number" or type(key) == "boolean"
end

-- The texts of the parts of a table: those of its list, then those with keys.
local function parts_of(t, open, depth)
  local parts, keys, count = {}, {}, rawlen(t)
  for key in next, t do
    if not (math.type(key) == "integer" and key >= 1 and key <= count) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, is_before)
  for i = 1, math.min(count, MOST) do
    parts[i] = text_of(rawget(t, i), open, depth)
  end
  for i = 1, math.min(#keys, MOST - #parts) do
    local key = keys[i]
    local value = text_of(rawget(t, key), open, depth)
    parts[#parts + 1] = is_key(key) and key_text(key) .. value
      or comment(("%s: %s"):format(repr.held(key), (value:gsub("%-%-%[=*%[ ?", ""))))
  end
  local left = count + #keys - #parts
  return parts, count, left
end

-- The parts on lines of their own; those of a list share them.
local function lines_of(parts, count, indent)
  local lines, line = {}, nil
  for i, part in ipairs(parts) do
    local fits = line and i <= count and not part:find("\n", 1, true)
      and #indent + #line + #part + 3 <= WIDEST
    if line and not fits then
      lines[#lines + 1] = line
    end
    line = fits and line .. " " .. part or part
  end
  lines[#lines + 1] = line
  return lines
end

local function table_text(t, open, depth)
  if next(t) == nil then
    return "{}"
  elseif open[t] then
    return "nil " .. comment("a table that this one is in")
  elseif depth >= DEEPEST then
    return "{ " .. comment("more") .. " }"
  end
  open[t] = true
  local parts, count, left = parts_of(t, open, depth + 1)
  open[t] = nil
  if left > 0 then
    parts[#parts + 1] = comment(left .. " more")
  end
  for i, part in ipairs(parts) do
    parts[i] = part:find("^%-%-") and part or part .. ","
  end
  local line = table.concat(parts, " "):gsub(",$", "")
  if #line + 4 + 2 * depth <= WIDEST and not line:find("\n", 1, true) then
    return "{ " .. line .. " }"
  end
  local indent = (" "):rep(2)
  local lines = lines_of(parts, count, (" "):rep(2 * depth + 2))
  for i, text in ipairs(lines) do
    lines[i] = indent .. text:gsub("\n", "\n" .. indent)
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n}"
end

function text_of(value, open, depth)
  local kind, metatable = type(value), getmetatable(value)
  if kind == "number" then
    return number_text(value)
  elseif kind == "string" then
    return string_text(value)
  elseif kind == "boolean" or kind == "nil" then
    return tostring(value)
  elseif kind == "table" and (metatable == nil or repr.is_list(value)) then
    return table_text(value, open, depth)
  end
  return "nil " .. comment((repr.held(value):gsub("%c+ *", " ")))
end

--- Returns a table as Lua that gives it back, on one line or several.
--- domain  any value; of a table at most 20 parts are shown, of tables inside each other 4
---@param value any
---@return string
function M.text(value)
  return text_of(value, {}, 0)
end

return M
