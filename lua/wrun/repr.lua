--- Values as Python prints them: what modules and optimisers print follows PyTorch.

local core = require "wrun.core"

local M = {}

--- Returns a value as Python writes it: True, None, 0.1, (3,), a string as it is.
--- domain  nil, booleans, numbers (a float in as few digits as give it back), strings and lists
function M.value(value)
  if value == nil then
    return "None"
  elseif type(value) == "boolean" then
    return value and "True" or "False"
  elseif type(value) == "table" then
    local items = {}
    for i, item in ipairs(value) do
      items[i] = M.value(item)
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

return M
