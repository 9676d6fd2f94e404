--- Processes of a study: what they are given, how they end, and what is left of them.

local core = require "wrun.core"
local files = require "spec.support.files"
local refusal = require "spec.support.refusal"
local process = require "wrun.sweep.process"

local folder, log = files.scratch(teardown)

-- How a process of these words ends, and what it wrote.
local function ending(words, variables)
  local started = assert(core.process_start(words, variables or {}, log))
  local how, number
  repeat
    core.sleep(0.01)
    how, number = core.process_end(started)
  until how
  return how, number, files.read(log)
end

describe("a process", function()
  it("is given words and variables, nothing to read, and a file to write to", function()
    local how, number, wrote = ending({ "sh", "-c", 'echo "$0 $MINE"; cat; echo error >&2; exit 7',
      "a b" }, { "MINE=x y" })
    assert.same({ "exit", 7, "a b x y\nerror\n" }, { how, number, wrote })
    assert.same({ "signal", 9, "" }, { ending { "sh", "-c", "kill -9 $$" } })
  end)

  it("has variables in place of those that are there", function()
    local _, _, wrote = ending({ "env" }, { "HOME=other" })
    assert.equal("other", wrote:match("%f[^\n%z]HOME=([^\n]*)"))
    assert.equal(1, select(2, ("\n" .. wrote):gsub("\nHOME=", "")))
    assert.matches("\nPATH=", "\n" .. wrote, 1, true)
  end)

  -- Not under valgrind, where a child shares no memory by which it could say so.
  it("says why it cannot be started #many", function()
    local started, message = core.process_start({ "/nowhere/wrun" }, {}, log)
    assert.is_nil(started)
    assert.equal("/nowhere/wrun: No such file or directory", message)
    started, message = core.process_start({ "true" }, {}, folder .. "/none/log")
    assert.is_nil(started)
    assert.equal("true: No such file or directory", message)
    assert.equal("process_start: argument 1: expected a list of strings, got a table",
      refusal(core.process_start, {}, {}, log))
  end)

  it("can be asked to end", function()
    local started = assert(core.process_start({ "sleep", "60" }, {}, log))
    assert.is_nil(core.process_end(started))
    core.process_stop(started)
    local how, number
    repeat
      core.sleep(0.01)
      how, number = core.process_end(started)
    until how
    assert.same({ "signal", 15 }, { how, number })
    assert.same({ "exit", -1 }, { core.process_end(started) }) -- it is no process any more
  end)
end)

describe("the array job", function()
  it("names ranges, and quotes what a shell would read otherwise", function()
    local command = process.asked.command
    process.asked.command = { [-1] = "wrun", [0] = "my study.lua", "--x", "it's" }
    local study = { folder = folder, name = "s" }
    process.write_job(study, { 1, 2, 3, 7, 9, 10 })
    process.asked.command = command
    assert.equal("#!/bin/sh\n#SBATCH --job-name=s\n#SBATCH --array=1-3,7,9-10\n"
      .. "#SBATCH --cpus-per-task=1\n#SBATCH --output=" .. folder .. "/%a.log\n"
      .. "exec wrun 'my study.lua' --x 'it'\\''s'\n", files.read(study.job))
  end)
end)
