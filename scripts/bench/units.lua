--- Measures as people read them.

local M = {}

local SECONDS = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" }, { 1e-9, "ns" } }

--- Returns a value as text with its unit: "s", "MB" or "instructions".
function M.text(value, unit)
  if unit == "MB" then
    return ("%.0f MB"):format(value)
  elseif unit == "instructions" then
    local digits = ("%.0f"):format(value):reverse():gsub("(%d%d%d)", "%1,"):reverse()
    return (digits:gsub("^,", ""))
  end
  for _, step in ipairs(SECONDS) do
    if value >= step[1] or step[2] == "ns" then
      return ("%.3g %s"):format(value / step[1], step[2])
    end
  end
end

return M
