#!/usr/bin/env wrun
--- A study of many runs: does the script's, or those of a cluster's array job.
---
--- The script calls `wrun.sweep`; without this command it does the same on this machine.

local argparse = require "argparse"
local wrun = require "wrun"

-- "1..5", "0.1,0.01" or "he,xavier" as a list of values
local function values_of(text)
  local first, last = text:match("^(%-?%d+)%.%.(%-?%d+)$")
  if first then
    return wrun.sweep.range(math.tointeger(first), math.tointeger(last))
  end
  local values = {}
  for word in text:gmatch("[^,]+") do
    if word == "true" or word == "false" then
      word = word == "true"
    end
    values[#values + 1] = tonumber(word) or word
  end
  return values
end

local parser = argparse("sweep", "Does the runs of a script that calls wrun.sweep.")
parser:argument("script", "The script.")
parser:argument("arguments", "Arguments of the script."):args "*"
parser:option("--set", "Values of an option in place of the script's, as in lr=0.1,0.01 or "
  .. "seed=1..5."):count "*"
parser:option("--workers", "Processes beside each other (default: the script's).", nil,
  wrun.data.whole("--workers", 0))
parser:flag("--slurm", "Write an array job of the runs that are not done.")
local args = parser:parse()

local asked = require("wrun.sweep.process").asked
for _, setting in ipairs(args.set) do
  local name, text = setting:match("^([%w_]+)=(.+)$")
  if not name then
    parser:error(("option '--set': expected NAME=VALUES, got '%s'"):format(setting))
  end
  asked.settings[name] = values_of(text)
end
asked.command = table.move(arg, -9, #arg, -9, {})
asked.workers, asked.is_slurm = args.workers, args.slurm

local chunk, message = loadfile(args.script)
if not chunk then
  parser:error(message)
end
table.move(args.arguments, 1, #arg, 1, arg)
rawset(arg, 0, args.script)
chunk(table.unpack(args.arguments))
if not asked.study then
  parser:error(("'%s' does not call wrun.sweep"):format(args.script))
end
