--- Timers: seconds by the monotonic clock.

local core = require "wrun.core"
local wrun = require "wrun"

local function wait(seconds)
  local till = core.clock() + seconds
  while core.clock() < till do end
end

describe("timer", function()
  it("counts wall-clock seconds from its making, on and on", function()
    local before = core.clock()
    local timer = wrun.timer()
    wait(0.02)
    local first = timer:seconds()
    local second = timer:seconds()
    assert.is_true(first >= 0.02 and second >= first)
    assert.is_true(second <= core.clock() - before)
  end)

  it("starts anew with reset, alone", function()
    local timer, other = wrun.timer(), wrun.timer()
    wait(0.02)
    local before = core.clock()
    timer:reset()
    local seconds = timer:seconds()
    assert.is_true(seconds >= 0 and seconds <= core.clock() - before)
    assert.is_true(other:seconds() >= 0.02)
  end)
end)
