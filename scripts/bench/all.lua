--- Runs the benchmarks named on the command line, or all of them.
---
--- Each prints a table: wrun's median, the median of what it stands beside, the median ratio of
--- the rounds in which both took turns, and what the ratio should be.

local argparse = require "argparse"

local folder = arg[0]:match("^(.*)/") or "."
local build = arg[-1]:match("^(.*)/") or "."
package.path = folder .. "/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local wrun = require "wrun"
local harness = require "harness"

local PARTS = {
  "epoch", "small", "start", "memory", "elementwise", "large", "stream", "rbm", "mpi", "portable",
  "growth", "instructions",
}

local parser = argparse("all.lua", "Measures wrun.")
parser:argument("part", "What to measure."):args("*"):choices(PARTS)
parser:option("--results", "A file of JSON lines that is to keep the rows.")
parser:option("--rows", "Lua patterns between spaces: which rows of the part large.", "")
parser:option("--threads", "How many threads wrun and PyTorch have at most."):convert(tonumber)
parser:option("--python", "The Python that may have PyTorch.", "python3")
local args = parser:parse()

if args.threads then
  wrun.set_num_threads(args.threads)
end
harness.begin(args.results, args.python, args.rows)
wrun.manual_seed(777)
for _, part in ipairs(#args.part > 0 and args.part or PARTS) do
  dofile(("%s/%s.lua"):format(folder, part))
end
