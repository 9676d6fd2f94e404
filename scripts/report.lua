#!/usr/bin/env wrun
--- A page of runs: side by side, with curves, pictures and the options that differ, in one file.

local argparse = require "argparse"
local wrun = require "wrun"

local parser = argparse("report", "Writes a page of the runs below a folder.")
parser:argument("folder", "The folder.", "runs")
parser:option("--output", "The file (default: report.html in the folder).")
local args = parser:parse()

local ok, path = pcall(wrun.report, args.folder, { output = args.output })
if not ok then
  parser:error((path:gsub("^%S+:%d+: ", "")))
end
print(path)
