--- Draws the logs that the pages of the guide wrote: `wrun scripts/docs/charts.lua FOLDER`.
---
--- The first column of a log is drawn across, the others are curves with its names.

local chart = dofile((arg[0]:gsub("[^/]*$", "chart.lua")))
local wrun = require "wrun"

-- The logs that a page shows, what their numbers are, and whether powers of 10 are wanted.
local CHARTS = {
  { "tutorial/tanh", "standard deviation", true },
  { "tutorial/relu", "standard deviation", true },
  { "tutorial/cost", "cost", false },
}

for _, row in ipairs(CHARTS) do
  local path, y_name, logarithmic = table.unpack(row)
  path = arg[1] .. "/" .. path
  local numbers, names = wrun.data.csv(path .. ".csv", { header = true })
  local columns = numbers:t():tolist()
  local curves = {}
  for i = 2, #names do
    curves[i - 1] = { name = names[i], y = columns[i] }
  end
  local file = assert(io.open(path .. ".svg", "w"))
  assert(file:write(chart.curves {
    x = columns[1], x_name = names[1], y_name = y_name, logarithmic = logarithmic, curves = curves,
  }))
  assert(file:close())
end
