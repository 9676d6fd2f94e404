--- Text as JSON has it.

local M = {}

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

--- Returns a string with its quotes.
---@param text string
---@return string
function M.text(text)
  return '"' .. text:gsub('[\0-\31\127"\\]', function(character)
    return ESCAPES[character] or ("\\u%04x"):format(character:byte())
  end) .. '"'
end

return M
