--- Tables of text on the terminal.

local M = {}

--- Returns rows of cells as lines, each column as wide as it must be; those in the set `left` begin
--- on the left, others end on the right.
---@param drops boolean? leave out columns that say nothing but "-" below their heads
function M.align(rows, left, drops)
  local lines, widths, is_used = {}, {}, {}
  for r, cells in ipairs(rows) do
    for c, cell in ipairs(cells) do
      widths[c] = math.max(widths[c] or 0, #cell)
      is_used[c] = is_used[c] or not drops or r > 1 and cell ~= "-"
    end
  end
  for r, cells in ipairs(rows) do
    local kept = {}
    for c, cell in ipairs(cells) do
      if is_used[c] then
        local gap = (" "):rep(widths[c] - #cell)
        kept[#kept + 1] = left[c] and cell .. gap or gap .. cell
      end
    end
    lines[r] = table.concat(kept, "  "):gsub("%s+$", "")
  end
  return lines
end

return M
