--- Where image sets are looked for, on a tiny set whose files are made here.

local files = require "spec.support.files"
local images = require "wrun.data.images"
local tiny_set = require "spec.support.tiny_set"

local tiny = tiny_set.set
local machine, put, load, refusal = tiny_set.machine(before_each, after_each)

describe("the search for an image set", function()
  it("finds the sub-folder of a data folder, and prefers it", function()
    put("data")
    local inner = put("data/tiny-set")
    assert.equal(inner, load({ folder = machine.root .. "/data", split = "test" }).folder)
    machine.environment.WRUN_DATA = machine.root .. "/data"
    assert.equal(inner, load({ split = "test" }).folder)
  end)

  it("looks in WRUN_DATA, the cache and the package's folder, in this order", function()
    put("installed")
    assert.equal(machine.root .. "/installed", load({ split = "test" }).folder)
    local cache = put("cache/wrun/tiny-set")
    assert.equal(cache, load({ split = "test" }).folder)
    machine.environment.WRUN_DATA = put("data")
    assert.equal(machine.root .. "/data", load({ split = "test" }).folder)
  end)

  it("passes over a place that holds only a part", function()
    machine.environment.WRUN_DATA = put("data", { "test-i", "test-l" })
    put("cache/wrun/tiny-set", { "train-i", "train-l", "test-i" })
    put("installed")
    assert.equal(machine.root .. "/installed", load({ split = "test" }).folder)
  end)

  it("takes the cache from HOME where XDG_CACHE_HOME is missing, empty or relative", function()
    local cache = put("home/.cache/wrun/tiny-set")
    machine.environment.HOME = machine.root .. "/home"
    for _, value in ipairs({ false, "", "relative" }) do
      machine.environment.XDG_CACHE_HOME = value or nil
      assert.equal(cache, load({ split = "test" }).folder)
    end
  end)

  it("looks nowhere else when a folder is given", function()
    put("cache/wrun/tiny-set")
    local folder = put("part", { "train-i", "test-l" })
    local start = "tiny: option folder: expected the files of Tiny in " .. folder
      .. " or in its sub-folder tiny-set, plain or as .gz; missing: "
    local finish = "; they are at http://127.0.0.1:1/first/"
    assert.equal(start .. "train-l, test-i" .. finish, refusal({ folder = folder }))
    put("part/tiny-set", { "train-i", "train-l", "test-i" })
    assert.equal(start .. "test-l" .. finish, refusal({ folder = folder }))
    local all = "missing: train%-i, train%-l, test%-i, test%-l; "
    assert.matches(all, refusal({ folder = "/nowhere" }))
    assert.matches(all, refusal({ folder = files.write(machine.root .. "/file", "") }))
  end)

  it("downloads nothing when WRUN_DATA names a folder without it", function()
    machine.environment.WRUN_DATA = machine.root
    machine.environment.WRUN_TINY_MIRROR = "not asked"
    assert.equal("tiny: WRUN_DATA: expected the files of Tiny in " .. machine.root
      .. " or in its sub-folder tiny-set, plain or as .gz; missing: train-i, train-l, test-i, "
      .. "test-l; they are at http://127.0.0.1:1/first/", refusal({ otherwise = "mnist" }))
    assert.equal("", files.shell(("ls -A '%s'"):format(machine.root)))
  end)

  it("takes an empty WRUN_DATA for none", function()
    machine.environment.WRUN_DATA = ""
    assert.matches("^tiny: Tiny is not on this machine", refusal())
  end)

  it("blames the script's line", function()
    local line
    local _, message = pcall(function()
      line = debug.getinfo(1, "l").currentline + 1
      local _ = images.load(tiny, { folder = "/nowhere" })
    end)
    local place = ("spec/data/folders_spec.lua:%d: "):format(line)
    assert.matches(place .. "tiny: option folder:", message, 1, true)
  end)
end)
