--- Kills a random rank of runs of killed_ranks.lua in a random step, and lets each go on to its end
--- on another number of ranks.

local child = require "spec.support.child"
local mpirun = require "spec.support.mpirun"
local wrun = require "wrun"

local RANKS = { 2, 3, 4 }
local STEPS = 28

local M = {}

--- Runs it on so many ranks, one of which gets a signal in a step, or to its end where there is none.
function M.run(ranks, folder, rank, step, signal)
  return mpirun.run(ranks, child.read("spec/support/killed_ranks.lua"),
    { arguments = ("%s %d %d %s"):format(folder, rank or 0, step or 0, signal or "") })
end

--- How the run ends in one process that nothing disturbs.
function M.whole()
  local result
  child.with_folder(function(folder)
    result = child.run { "spec/support/killed_ranks.lua", folder, "0", "0" }
    assert(result.status == 0, result.err)
  end, true)
  return result.out
end

local function draw(random, n)
  return wrun.randint(1, n + 1, { 1 }, { generator = random }):item()
end

--- Kills `count` runs. Returns { kills =, told =, slowest =, ends = }: how many were killed, how many
--- of these ended with a message of what had happened, in how many seconds the slowest ended after
--- it was started, and the different ends, that of one process without a kill too.
function M.kill(count, seed)
  local random = wrun.Generator { seed = seed }
  local found = { kills = 0, told = 0, slowest = 0, ends = {} }
  found.ends[M.whole()] = true
  for _ = 1, count do
    child.with_folder(function(folder)
      local ranks, timer = RANKS[draw(random, #RANKS)], wrun.timer()
      local killed = M.run(ranks, folder, draw(random, ranks) - 1, draw(random, STEPS), "KILL")
      found.slowest = math.max(found.slowest, timer:seconds())
      found.kills = found.kills + (killed.status ~= 0 and 1 or 0)
      found.told = found.told + (killed.err:find("signal 9 (Killed)", 1, true) and 1 or 0)
      local result = M.run(RANKS[draw(random, #RANKS)], folder)
      assert(result.status == 0, result.err)
      found.ends[result.out] = true
    end, true)
  end
  return found
end

--- Returns what was found as text, and whether all is as it should be.
function M.text(found)
  local ends = {}
  for out in pairs(found.ends) do
    ends[#ends + 1] = out
  end
  local text = ("%d kills, %d ends with a message, the slowest %.1f s after its start\n%d end%s: "
    .. "%s"):format(found.kills, found.told, found.slowest, #ends, #ends == 1 and "" or "s",
    table.concat(ends, " and "))
  return text, #ends == 1 and found.told == found.kills
end

return M
