--- Runs the benchmarks named on the command line, or all of them.
---
--- Each prints a table: wrun's median, the median of what it stands beside, the median ratio of
--- the rounds in which both took turns, and what the ratio should be.

local PARTS = { "epoch", "small", "start", "memory", "elementwise", "rbm" }

local folder = arg[0]:match("^(.*)/") or "."
local build = arg[-1]:match("^(.*)/") or "."
package.path = folder .. "/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local wrun = require "wrun"
local harness = require "harness"

local known = {}
for _, part in ipairs(PARTS) do
  known[part] = true
end
local chosen = #arg > 0 and arg or PARTS
for _, part in ipairs(chosen) do
  if not known[part] then
    io.stderr:write(("no benchmark '%s'; there are: %s\n"):format(part, table.concat(PARTS, " ")))
    os.exit(1)
  end
end

if not os.execute(harness.python .. " -c 'import torch' 2>/dev/null") then
  print("python3-torch is not installed, so PyTorch is left out.")
end
wrun.manual_seed(777)
for _, part in ipairs(chosen) do
  dofile(("%s/%s.lua"):format(folder, part))
end
