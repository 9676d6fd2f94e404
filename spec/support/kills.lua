--- Kills runs of killed.lua at random moments, also while they save, and lets each go on to its end.

local child = require "spec.support.child"
local wrun = require "wrun"

local KINDS = { "network", "pcd", "fpcd", "pt" }

local M = {}

-- Runs it to its end, or kills it after so many seconds and waits until it is gone.
local function run(kind, folder, limit)
  local command = ("%s spec/support/killed.lua %s %s"):format(child.quote(child.wrun), kind,
    child.quote(folder))
  return child.shell(limit and ("%s & pid=$!; sleep %.4f; kill -KILL $pid; wait $pid"):format(
    command, limit) or command)
end

-- How many seconds a run takes, and how it ends when nobody kills it.
local function whole(kind, is_quick)
  local seconds, out
  child.with_folder(function(folder)
    local timer = wrun.timer()
    local result = run(kind, folder)
    assert(result.status == 0, result.err)
    seconds, out = timer:seconds(), result.out
  end, is_quick)
  return seconds, out
end

--- Kills `count` runs, each once, in folders in memory if it is_quick. Returns { kills =, saved =,
--- torn =, ends = }: how many were killed before they ended, how many of these had saved something
--- and how many were just saving, and for each kind the different ends, the one without a kill too.
function M.kill(count, seed, is_quick)
  local random = wrun.Generator { seed = seed }
  local found = { kills = 0, saved = 0, torn = 0, ends = {} }
  local times = {}
  for _, kind in ipairs(KINDS) do
    local seconds, out = whole(kind, is_quick)
    times[kind], found.ends[kind] = seconds, { [out] = true }
  end
  local i = 0
  while found.kills < count do
    i = i + 1
    local kind = KINDS[(i - 1) % #KINDS + 1]
    child.with_folder(function(folder)
      local limit = times[kind] * (0.05 + 0.95 * wrun.rand(1, { generator = random }):item())
      local killed = run(kind, folder, limit)
      if killed.status ~= 0 then
        found.kills = found.kills + 1
        local left = child.shell("ls " .. folder .. "/checkpoints").out
        found.saved = found.saved + (left:find("safetensors\n", 1, true) and 1 or 0)
        found.torn = found.torn + (left:find("%.new\n") and 1 or 0)
        local result = run(kind, folder)
        assert(result.status == 0, result.err)
        found.ends[kind][result.out] = true
      end
    end, is_quick)
  end
  return found
end

--- Returns what was found as text, and whether each kind has one end.
function M.text(found)
  local lines, is_right = {}, true
  lines[1] = ("%d kills, %d of runs that had saved, %d while saving"):format(found.kills,
    found.saved, found.torn)
  for _, kind in ipairs(KINDS) do
    local ends = {}
    for out in pairs(found.ends[kind]) do
      ends[#ends + 1] = out
    end
    is_right = is_right and #ends == 1
    lines[#lines + 1] = ("%-8s %d end%s: %s"):format(kind, #ends, #ends == 1 and "" or "s",
      (table.concat(ends, " and "):gsub("\n", "")))
  end
  return table.concat(lines, "\n"), is_right
end

return M
