--- The progress bar: what it draws, how often, when not, and that it cleans up.

local files = require "spec.support.files"
local terminal = require "spec.support.terminal"
local progress = require "wrun.progress"

local WIPE = "\r\27[K"

-- A bar on a stream that only remembers, with a clock that stands still until told.
local function recorder(options)
  local written, time = {}, 100
  options.stream = {
    write = function(_, ...)
      written[#written + 1] = table.concat({ ... })
    end,
  }
  options.clock = function()
    return time
  end
  options.columns = options.columns or 80
  local bar = progress.bar(options)
  return bar, written, function(seconds)
    time = 100 + seconds
  end
end

-- The line that is drawn when `done` are done `seconds` after the start.
local function line(options, done, seconds, count)
  local bar, written, at = recorder(options)
  at(seconds)
  bar:update(done, count)
  assert.equal(1, #written)
  assert.equal(WIPE, written[1]:sub(1, #WIPE))
  return written[1]:sub(#WIPE + 1)
end

local function drawn(filled, empty)
  return "[" .. ("#"):rep(filled) .. ("-"):rep(empty) .. "]"
end

describe("a progress bar", function()
  it("shows share, count, rate and the time that was taken and is left", function()
    assert.equal("epoch 3  25% " .. drawn(7, 22) .. " 150/600  75.0/s  0:02, 0:06 left",
      line({ label = "epoch 3", count = 600 }, 150, 2))
    assert.equal("100% " .. drawn(38, 0) .. " 600/600  300/s  0:02, 0:00 left",
      line({ count = 600 }, 600, 2))
    assert.equal("  0% " .. drawn(0, 40) .. " 0/600  0:02", line({ count = 600 }, 0, 2))
  end)

  it("counts what was done before it began in no rate", function()
    assert.equal(" 50% " .. drawn(18, 19) .. " 300/600  75.0/s  0:02, 0:04 left",
      line({ count = 600, first = 150 }, 300, 2))
    assert.equal(" 25% " .. drawn(10, 30) .. " 150/600  0:02",
      line({ count = 600, first = 150 }, 150, 2))
  end)

  it("shows how far it is when nobody knows how far it goes", function()
    assert.equal("search 150  75.0/s  0:02", line({ label = "search" }, 150, 2))
    assert.equal("0  0:02", line({}, 0, 2))
    assert.equal("150  75.0/s  0:02", line({ count = 0 }, 150, 2))
  end)

  it("shows larger units", function()
    assert.equal("file.gz  50% " .. drawn(11, 11) .. " 5.0/10.0 MB  2.50 MB/s  0:02, 0:02 left",
      line({ label = "file.gz", unit = " MB", scale = 1e6 }, 5000000, 2, 10000000))
  end)

  it("shows minutes and hours", function()
    assert.matches("  0:01, 1:40 left$", line({ count = 101 }, 1, 1))
    assert.matches("  0:01, 2:46:40 left$", line({ count = 10001 }, 1, 1))
    assert.matches("  0:01, 1:00:00 left$", line({ count = 3600.9 }, 1, 1))
    assert.matches("  0:01, 59:59 left$", line({ count = 3600.4 }, 1, 1))
    assert.matches("  1:01:01$", line({}, 0, 3661))
  end)

  it("shows values, as they were set last, in the order in which they came", function()
    local bar, written, at = recorder({ count = 600, columns = 100 })
    bar:set { loss = 0.123456, epoch = 3 }
    bar:set { loss = require("wrun").tensor(0.5), note = "a text that is much too long" }
    at(2)
    bar:update(150)
    assert.matches("left  epoch 3  loss 0.5  note a text that is much $", written[1])
    assert.equal(97, #written[1] - #WIPE)
    at(3)
    bar:set { epoch = 4, loss = 1e-9, note = false }
    bar:update(150)
    assert.matches("left  epoch 4  loss 1e%-09  note false$", written[2])
    assert.equal("set: field x: expected a number, a text or a tensor of one element, got a table",
      select(2, pcall(bar.set, bar, { x = {} })):match(":%d+: (.*)$"))
  end)

  it("fits its terminal", function()
    for _, label in ipairs { "epoch 3", "épöque 3" } do
      for columns = 1, 120 do
        local bar, written, at = recorder({ label = label, count = 600, columns = columns })
        bar:set { loss = 0.12 }
        at(2)
        bar:update(150)
        local text = written[1]:sub(#WIPE + 1)
        assert.is_true(utf8.len(text) <= math.max(columns - 3, 0), text)
      end
    end
  end)

  it("leaves out what is wanted least where a terminal is narrow", function()
    local bar, written, at = recorder({ label = "epoch 3", count = 600, columns = 120 })
    bar:set { loss = 0.12 }
    for second, case in ipairs {
      { 82, drawn(5, 15) .. " 150/600  75.0/s  0:02, 0:06 left  loss 0.12" },
      { 64, drawn(2, 8) .. " 150/600  0:02, 0:06 left  loss 0.12" },
      { 57, drawn(2, 9) .. "  0:02, 0:06 left  loss 0.12" },
      { 47, drawn(1, 6) .. "  0:06 left  loss 0.12" },
      { 42, " 0:06 left  loss 0.12" },
      { 32, " loss 0.12" },
      { 22, "" }, -- a value is there whole or not at all
    } do
      bar.columns, bar.drawn, bar.length = case[1], 0, 0
      at(2)
      bar:update(150)
      local want = WIPE .. "epoch 3  25% " .. case[2]
      assert.equal((want:gsub(" $", "")), written[second])
    end
  end)

  it("follows a terminal whose width changes, and leaves no rest of a wider line", function()
    local bar, written, at = recorder({ label = "epoch 3", count = 600, columns = 80 })
    at(1)
    bar:update(150)
    bar.columns = 40 -- the 79 columns are two rows now, and the cursor is in the second
    at(2)
    bar:update(150)
    assert.equal("\r\27[1A\27[Jepoch 3  25% ", written[2]:sub(1, 21))
    bar.columns = 10
    bar:close()
    assert.equal("\r\27[3A\27[J", written[3])
  end)

  it("has colour where it is wanted", function()
    local environment = {}
    local getenv = os.getenv
    os.getenv = function(name) -- luacheck: ignore
      return environment[name]
    end
    local function has_color(is_terminal)
      local bar, written, at = recorder({ count = 600 })
      bar.has_color = is_terminal
      at(1)
      bar:update(300)
      return written[1]:find("%[\27%[32m#+\27%[0m%-+%]") ~= nil
    end
    assert.is_true(has_color(true))
    assert.is_false(has_color(false))
    for _, case in ipairs {
      { {}, false }, { { CLICOLOR_FORCE = "1" }, true }, { { CLICOLOR_FORCE = "0" }, false },
      { { CLICOLOR_FORCE = "1", NO_COLOR = "1" }, false }, { { NO_COLOR = "" }, false },
      { { CLICOLOR_FORCE = "1", NO_COLOR = "" }, true },
    } do
      environment = case[1]
      local bar = progress.bar { columns = 80, stream = { write = print } }
      assert.equal(case[2], bar.has_color)
    end
    os.getenv = getenv -- luacheck: ignore
  end)

  it("counts what a loop goes through, and is closed by it", function()
    local bar, written, at = recorder({ count = 3 })
    local seen = {}
    for i, word in bar:each(ipairs { "a", "b", "c" }) do
      at(i)
      seen[i] = word
    end
    assert.same({ "a", "b", "c" }, seen)
    assert.equal(2, bar.done)
    assert.equal(WIPE, written[#written])
    assert.equal("each: argument 1: expected a function, got 3",
      select(2, pcall(bar.each, bar, 3)):match(":%d+: (.*)$"))
  end)

  it("is content with more than all", function()
    assert.matches("^100%% %[#+%] 7/5  7.00/s  0:01, 0:00 left$", line({ count = 5 }, 7, 1))
  end)

  it("is drawn at most ten times a second, and not before a tenth has passed", function()
    local bar, written, at = recorder({ count = 1000 })
    for step = 0, 1000 do
      at(step / 1000)
      bar:update(step)
    end
    assert.is_true(#written >= 8 and #written <= 10)
  end)

  it("is wiped once, and only if it was drawn", function()
    local bar, written, at = recorder({ count = 10 })
    bar:close()
    assert.same({}, written)
    at(1)
    bar:update(5)
    bar:close()
    bar:close()
    assert.equal(2, #written)
    assert.equal(WIPE, written[2])
  end)

  it("is wiped when its block is left by an error", function()
    local bar, written, at = recorder({ count = 10 })
    at(1)
    pcall(function()
      local closed <close> = bar
      closed:update(5)
      error("x")
    end)
    assert.equal(WIPE, written[2])
  end)

  it("refuses what it does not know", function()
    local function message_of(options)
      return select(2, pcall(progress.bar, options)):match(":%d+: (.*)$")
    end
    assert.equal("progress.bar: option count: expected a number >= 0, got -1",
      message_of({ count = -1 }))
    assert.equal("progress.bar: option lable: unknown; the options are clock, columns, count, "
      .. "first, label, scale, stream, unit", message_of({ lable = "x" }))
  end)
end)

describe("progress", function()
  local function up_to(n)
    local i = 0
    return function()
      i = i + 1
      if i <= n then
        return i, -i
      end
    end
  end

  it("is the iterator itself where standard error is no terminal", function()
    local iterator = up_to(3)
    local core = require "wrun.core"
    if core.is_terminal(io.stderr) then
      pending("standard error is a terminal")
    end
    assert.same({ iterator, "state", "control" },
      { progress(iterator, 3, "label", "state", "control") })
  end)

  it("refuses what is no iterator", function()
    local function message_of(...)
      return select(2, pcall(progress, ...)):match(":%d+: (.*)$")
    end
    assert.equal("progress: argument 1: expected a function, got a table", message_of({}))
    assert.equal("progress: argument 2: expected an integer >= 0, got -1", message_of(print, -1))
    assert.equal("progress: argument 3: expected a string, got 3", message_of(print, 1, 3))
  end)

  -- What a script writes to a terminal of 80 columns; `script` makes the terminal.
  local function on_terminal(environment, code)
    terminal.needed()
    local file, log = files.write(os.tmpname(), code), os.tmpname()
    files.shell(("%s script -qec 'stty cols 80; %s %s' %s < /dev/null")
      :format(environment, files.interpreter, file, log))
    local output = files.read(log):match("^Script started[^\n]*\n(.-)\r?\nScript done")
    os.remove(file)
    os.remove(log)
    return output
  end

  local LOOP = [[
    local core, progress = require("wrun.core"), require("wrun").progress
    local step = 0
    local function slow(state)
      step = step + 1
      local till = core.clock() + 0.02
      while core.clock() < till do end
      if step <= state then
        return step, step * step
      end
    end
    local sum = 0
    for i, square in progress(slow, 30, "squares", 30) do
      sum = sum + square
    end
    print(sum)
  ]]

  it("draws on a terminal, wipes the line at the end, and hands every value on", function()
    local output = on_terminal("NO_COLOR=1 TERM=xterm", LOOP)
    local times = select(2, output:gsub("\r\27%[Ksquares +%d+%% %[[#-]+%] %d+/30  %d[%d.]*/s", ""))
    assert.is_true(times >= 2 and times <= 7)
    assert.matches("left\r\27%[K9455\r?\n?$", output)
  end)

  it("draws nothing on a dumb terminal, or on one of no known type", function()
    assert.matches("^9455\r?\n?$", on_terminal("TERM=dumb", LOOP))
    assert.matches("^9455\r?\n?$", on_terminal("env -u TERM", LOOP))
  end)

  it("draws nothing when standard error goes to a file", function()
    local output, errors = files.run("TERM=xterm", LOOP)
    assert.equal("9455", output)
    assert.equal("", errors)
  end)

  it("wipes the line when the loop is left early, by break or error", function()
    local function leaving(how)
      return (LOOP:gsub("sum = sum [^\n]*", "if i == 20 then " .. how .. " end"))
    end
    local wiped = "left\r\27%[Kout\r?\n?$"
    assert.matches("%[\27%[32m#+\27%[0m", on_terminal("TERM=xterm", LOOP))
    local by_break = leaving("break"):gsub("print%(sum%)", 'print("out")')
    assert.matches(wiped, on_terminal("TERM=xterm", by_break))
    local by_error = ('pcall(function() %s end) print("out")'):format(leaving('error("x")'))
    assert.matches(wiped, on_terminal("TERM=xterm", by_error))
  end)
end)
