#!/usr/bin/env wrun
--- A model beside one of PyTorch: names the first layer that differs, by how much, and why perhaps.
---
--- The guide, "From PyTorch to wrun", has the Python function that writes a reference.

local argparse = require "argparse"
local wrun = require "wrun"

local parser = argparse("check", "Replays in a model of wrun what a reference of PyTorch did.")
parser:argument("reference", "File that the Python function in the guide wrote.")
parser:argument("script", "Script that returns the model and, for other than the mean square of "
  .. "its output, a loss(output, target).")
parser:option("--tolerance", "Largest difference that is none, as a part of the largest element.",
  "1e-4", wrun.data.number("--tolerance", 0))
local args = parser:parse()

-- What f returns; what it refuses is an error of the command.
local function attempt(f, ...)
  local ok, result = pcall(f, ...)
  return ok and result or parser:error((result:gsub("^%S+:%d+: ", "")))
end

local model, loss = dofile(args.script)
local comparison = attempt(wrun.compare, model, attempt(wrun.load, args.reference), {
  loss = loss, tolerance = args.tolerance,
})
print(comparison)
os.exit(comparison.first == nil, true)
