--- Lists every elementwise operation with derivatives at extreme points: for each order from 0 to 3,
--- and for the mixed second derivative, the worst error in units in the last place, and what is
--- wrong. `make extremes` runs it; a file from spec/fixtures/make_extremes.py may be named, with
--- more points.

local extremes = require "spec.support.extremes"

local path, points, wrong, excused = arg[1] or "spec/fixtures/extremes.lua", 0, 0, 0

print(("%-12s %-9s %-14s %s"):format("operation", "dtype", "others", "worst ulp by order"))
for _, case in ipairs(dofile(path)) do
  local results, columns, notes = extremes.compare(case), {}, {}
  for order = 0, #results do
    local result, why = results[order], extremes.exception(case, order)
    points = points + result.points
    columns[#columns + 1] = ("%9.3g"):format(result.worst)
    if why and #result.wrong > 0 then
      excused = excused + #result.wrong
      notes[#notes + 1] = ("  order %d: %d points: %s"):format(order, #result.wrong, why)
    else
      wrong = wrong + #result.wrong
      table.move(result.wrong, 1, #result.wrong, #notes + 1, notes)
    end
  end
  print(("%-12s %-9s %-14s %s"):format(case[1], case[4],
    case[2] .. ": " .. table.concat(case[3], " "), table.concat(columns, " ")))
  for _, note in ipairs(notes) do
    print(note)
  end
end
print(("%d values, %d wrong, %d excused"):format(points, wrong, excused))
os.exit(wrong == 0)
