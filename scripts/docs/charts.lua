--- Draws the logs that the pages of the guide wrote: `wrun scripts/docs/charts.lua FOLDER`.
---
--- The first column of a log is drawn across, the others are curves with its names.

local wrun = require "wrun"

-- The logs that a page shows, what their numbers are, and whether powers of 10 are wanted.
local CHARTS = {
  { "tutorial/tanh", "standard deviation", "y" },
  { "tutorial/relu", "standard deviation", "y" },
  { "tutorial/cost", "cost" },
}

for _, row in ipairs(CHARTS) do
  local path, y_name, log = table.unpack(row)
  path = arg[1] .. "/" .. path
  local numbers, names = wrun.data.csv(path .. ".csv", { header = true })
  local figure = wrun.plot.Figure { x = names[1], y = y_name, log = log, width = 480, height = 300 }
  for i = 2, #names do
    figure:line(numbers:select(2, 1), numbers:select(2, i), { label = names[i] })
  end
  figure:save(path .. ".svg")
end
