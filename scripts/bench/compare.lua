--- Prints two results of the benchmarks side by side: `wrun scripts/bench/compare.lua A B`. The
--- ratio is B's value to A's: less than 1 where B took less.

local folder = arg[0]:match("^(.*)/") or "."
package.path = folder .. "/?.lua;" .. package.path

local results = require "results"
local units = require "units"

local function fail(message)
  io.stderr:write(message, "\n")
  os.exit(1, true)
end

if #arg ~= 2 then
  fail("two results are compared: make bench-compare A=build/bench/ONE.jsonl B=...")
end

local sides = {}
for i, path in ipairs(arg) do
  local machine, rows = results.read(path)
  if not machine then
    fail(rows)
  end
  sides[i] = { machine = machine, rows = rows }
end
local a, b = sides[1], sides[2]
print("A  " .. results.describe(a.machine))
print("B  " .. results.describe(b.machine))

local function key(row)
  return table.concat({ row.part, row.name, row.yardstick or "" }, "\0")
end

local function line(name, ...)
  print((("%-42s %10s %10s %8s"):format(name, ...):gsub("%s+$", "")))
end

local of_b = {}
for _, row in ipairs(b.rows) do
  of_b[key(row)] = row
end

local part
local function show(ours, theirs)
  local row = ours or theirs
  if row.part ~= part then
    part = row.part
    print()
    line(part, "A", "B", "ratio")
  end
  line(row.name, ours and units.text(ours.value, ours.unit) or "",
    theirs and units.text(theirs.value, theirs.unit) or "",
    ours and theirs and ("%.3g"):format(theirs.value / ours.value) or "")
end

for _, row in ipairs(a.rows) do
  show(row, of_b[key(row)])
  of_b[key(row)] = nil
end
for _, row in ipairs(b.rows) do
  if of_b[key(row)] then
    show(nil, row)
  end
end
