--- Tables of text: cells in columns as wide as their widest.

--- Returns a line for each row of cells, all of one length, two blanks between columns. The columns
--- in the set `is_left` begin at the left, others end at the right.
---@param rows string[][]
---@param is_left table<integer, boolean>
---@return string[]
return function(rows, is_left)
  local widths, lines = {}, {}
  for _, cells in ipairs(rows) do
    for column, cell in ipairs(cells) do
      widths[column] = math.max(widths[column] or 0, #cell)
    end
  end
  for r, cells in ipairs(rows) do
    local padded = {}
    for column, cell in ipairs(cells) do
      local gap = (" "):rep(widths[column] - #cell)
      padded[column] = is_left[column] and cell .. gap or gap .. cell
    end
    lines[r] = table.concat(padded, "  "):gsub(" +$", "")
  end
  return lines
end
