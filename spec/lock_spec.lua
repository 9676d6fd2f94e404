--- Folders that one process has at a time.

local child = require "spec.support.child"
local files = require "spec.support.files"
local lock = require "wrun.lock"
local refusal = require "spec.support.refusal"

describe("a lock", function()
  local folder = files.folder()

  teardown(function()
    files.remove(folder)
  end)

  it("makes the folder, and keeps it to one until it is closed", function()
    local place = folder .. "/a/b"
    local held = lock("f", "thing", place)
    assert.equal(("f: %s: is in use by this process; close the thing that has it first")
      :format(place), refusal(lock, "f", "thing", place))
    local other = child.run { "-e", ("require('wrun.lock')('f', 'thing', %q)"):format(place) }
    assert.matches("f: " .. place .. ": is in use by process %d+; give this thing another name, or "
      .. "wait", other.err)
    held:close()
    lock("f", "thing", place):close()
  end)

  it("says why a folder cannot be had", function()
    files.write(folder .. "/file", "")
    local place = folder .. "/file"
    assert.equal(("f: %s: Not a directory"):format(place), refusal(lock, "f", "thing", place))
  end)
end)
