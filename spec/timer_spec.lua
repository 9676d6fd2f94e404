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

describe("timeit", function()
  local clock = core.clock

  -- A function that takes the seconds by a clock that only it moves, and how often it was called.
  local function taking(seconds)
    local now, calls = 0, 0
    core.clock = function()
      return now
    end
    return function()
      now, calls = now + seconds, calls + 1
    end, function()
      return calls
    end
  end

  after_each(function()
    core.clock = clock
  end)

  it("calls so often that a run takes some time", function()
    local f, calls = taking(2^-10)
    local timing = wrun.timeit(f, { runs = 3, least = 2^-5 })
    assert.same({ 2^-10, 2^-10, 3 }, { timing.seconds, timing.mean, timing.runs })
    assert.equal(39, timing.count) -- 32 of them take that long, and a fifth more is counted
    assert.equal(1 + 10 + 39 + 3 * 39, calls())
  end)

  it("counts the quickest run", function()
    local seconds = { 1, 3, 2, 6 }
    local now, i = 0, 0
    core.clock = function()
      return now
    end
    local timing = wrun.timeit(function()
      i = i + 1
      now = now + seconds[i]
    end, { runs = 3, least = 1 })
    assert.same({ 2, 11 / 3, 1 }, { timing.seconds, timing.mean, timing.count })
  end)

  it("makes a run of one call that takes long", function()
    local f, calls = taking(0.01)
    local timing = wrun.timeit(f, { runs = 2, least = 0.005 })
    assert.equal(1, timing.count)
    assert.equal(3, calls())
  end)

  it("prints a unit that suits", function()
    local function text(seconds)
      local timing = wrun.timeit(function() end, { runs = 1, least = 0 })
      timing.seconds, timing.mean, timing.count = seconds, seconds * 1.5, 4
      return tostring(timing)
    end
    assert.equal("2 s a call, 3 s on average (1 runs of 4)", text(2))
    assert.equal("12.3 ms a call, 18.5 ms on average (1 runs of 4)", text(0.0123456))
    assert.equal("5 us a call, 7.5 us on average (1 runs of 4)", text(5e-6))
    assert.equal("0.2 ns a call, 0.3 ns on average (1 runs of 4)", text(2e-10))
  end)

  it("takes a text, an expression or a statement, whose names are globals", function()
    assert.is_true(wrun.timeit("1 + 1", { runs = 1, least = 0 }).seconds >= 0)
    assert.is_true(wrun.timeit("local x = math.pi", { runs = 1, least = 0 }).seconds >= 0)
  end)

  it("refuses what cannot be called", function()
    local function refusal(...)
      return select(2, pcall(wrun.timeit, ...)):gsub("^[^:]*:%d+: ", "", 1)
    end
    assert.equal("timeit: argument 1: expected a function, got 3", refusal(3))
    assert.equal("timeit: argument 1: timeit:1: unexpected symbol near '+'", refusal("+"))
    assert.equal("timeit: option runs: expected an integer >= 1, got 0",
      refusal(print, { runs = 0 }))
  end)
end)
