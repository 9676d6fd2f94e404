--- Finding, fetching and checking image sets, on a tiny set whose files are made here.

local files = require "spec.support.files"
local progress = require "wrun.progress"
local stub = require "luassert.stub"
local tiny_set = require "spec.support.tiny_set"
local web = require "spec.support.server"

local content = tiny_set.content
local tiny = tiny_set.set
local machine, put, load, refusal = tiny_set.machine(before_each, after_each)

describe("an image set", function()
  it("is pixels, classes that count from 1, and names", function()
    local folder = put("here")
    local train = load({ folder = folder, split = "train" })
    assert.equal("uint8", train.x.dtype)
    assert.same({ 3, 2, 2 }, train.x.shape)
    assert.same({ ("abcdefghijkl"):byte(1, -1) }, train.x:reshape(12):tolist())
    assert.equal("int64", train.y.dtype)
    assert.same({ 2, 1, 2 }, train.y:tolist())
    assert.same({ "no", "yes" }, train.classes)
    assert.equal("Tiny", train.name)
    assert.equal("Dataset(Tiny: 3 samples [2, 2], 2 classes)", tostring(train))
    assert.equal(folder, train.folder)
    local test = load({ folder = folder, split = "test" })
    assert.same({ { { 109, 110 }, { 111, 112 } } }, test.x:tolist())
  end)

  it("comes with both splits when none is named", function()
    local train, test = load({ folder = put("here") })
    assert.equal(3, #train.x)
    assert.equal(1, #test.x)
    assert.equal(1, select("#", load({ folder = machine.root .. "/here", split = "test" })))
  end)

  it("has a list of classes of its own", function()
    load({ folder = put("here"), split = "test" }).classes[1] = "changed"
    assert.equal("no", tiny.classes[1])
  end)

  it("may be compressed, file by file", function()
    local folder = put("here", { "train-i", "test-l" })
    files.write(folder .. "/train-l.gz", files.gzip(content["train-l"]))
    files.write(folder .. "/test-i.gz", files.gzip(content["test-i"]))
    local train, test = load({ folder = folder })
    assert.same({ 2, 1, 2 }, train.y:tolist())
    assert.same({ 1, 2, 2 }, test.x.shape)
  end)

  it("refuses options that it does not know", function()
    assert.equal("tiny: option fold: unknown; the options are folder, mirror, otherwise, split",
      refusal({ fold = "x" }))
    assert.equal("tiny: option split: expected train or test, got the string 'valid'",
      refusal({ split = "valid" }))
    assert.equal("tiny: option otherwise: expected fashion_mnist or mnist, got the string 'cifar'",
      refusal({ otherwise = "cifar" }))
  end)
end)

describe("a bad file of an image set", function()
  local function spoil(folder, name, bytes)
    files.write(folder .. "/" .. name, bytes)
    return "tiny: " .. folder .. "/" .. name .. ": "
  end

  it("is named, with what was expected, what was found, and where a good one is", function()
    local folder = put("given")
    local remedy = "; a good copy is at http://127.0.0.1:1/first/"
    local where = spoil(folder, "test-l", "\0\0\8\1\0\0\0\1")
    assert.equal(where .. "truncated: expected 9 bytes, found 8" .. remedy .. "test-l.gz",
      refusal({ folder = folder }))
    spoil(folder, "test-l", content["test-l"] .. "x")
    assert.equal(where .. "too long: expected 9 bytes, found 10" .. remedy .. "test-l.gz",
      refusal({ folder = folder }))
    spoil(folder, "test-l", "\0\0\8\1\0\0\0\1\1")
    local unlike = "other content than expected: expected SHA-256 %s, found %s"
    local wanted, found = tiny.files.test.y.sha256, files.sha256("\0\0\8\1\0\0\0\1\1")
    assert.equal(where .. unlike:format(wanted, found) .. remedy .. "test-l.gz",
      refusal({ folder = folder }))
    where = spoil(folder, "train-i", content["test-i"])
    assert.equal(where .. "other sizes than expected: expected [3, 2, 2], found [1, 2, 2]" .. remedy
      .. "train-i.gz", refusal({ folder = folder }))
  end)

  it("in the cache is to be deleted", function()
    local where = spoil(put("cache/wrun/tiny-set"), "train-l", "")
    assert.equal(where .. "truncated: expected 4 bytes, found 0; "
      .. "delete it, and it is downloaded anew", refusal())
  end)

  it("of a package is for the package manager", function()
    local where = spoil(put("installed"), "train-l", "")
    assert.equal(where .. "truncated: expected 4 bytes, found 0; "
      .. "`apt-get install --reinstall dataset-tiny` puts it right", refusal())
  end)

  it("is not what `otherwise` is for", function()
    local where = spoil(put("installed"), "train-l", "")
    assert.matches(where .. "truncated", refusal({ otherwise = "mnist" }), 1, true)
  end)
end)

describe("the download of an image set", function()
  local served, server

  setup(function()
    served = files.folder()
    for name, bytes in pairs(content) do
      files.write(served .. "/" .. name .. ".gz", files.gzip(bytes))
    end
    server = web.start(served)
  end)

  teardown(function()
    web.stop(server)
    files.remove(served)
  end)

  local it_over_http = web.it(it, pending, function()
    return server
  end)

  local function cached()
    return files.shell(("ls -A '%s/cache/wrun/tiny-set'"):format(machine.root)):gsub("\n", " ")
  end

  it_over_http("fills the cache, and is needed once", function()
    local train = load({ mirror = server.address, split = "train" })
    assert.same({ 2, 1, 2 }, train.y:tolist())
    assert.equal(machine.root .. "/cache/wrun/tiny-set", train.folder)
    assert.equal("test-i.gz test-l.gz train-i.gz train-l.gz", (cached()))
    assert.same({ 2, 1, 2 }, load({ mirror = "http://127.0.0.1:1/", split = "train" }).y:tolist())
  end)

  it_over_http("takes the mirror from the environment, with or without a final slash", function()
    machine.environment.WRUN_TINY_MIRROR = server.address:sub(1, -2)
    assert.equal(3, #load().x)
  end)

  it_over_http("shows a bar for every file", function()
    local shown, closed = {}, 0
    stub(progress, "bar").invokes(function(options)
      return setmetatable({
        update = function(_, done, total)
          shown[options.label] = done .. "/" .. total
        end,
      }, {
        __close = function()
          closed = closed + 1
        end,
      })
    end)
    finally(function()
      progress.bar:revert()
    end)
    load({ mirror = server.address })
    local expected = {}
    for name, bytes in pairs(content) do
      local size = #files.gzip(bytes)
      expected[name .. ".gz"] = size .. "/" .. size
    end
    assert.same(expected, shown)
    assert.equal(4, closed)
  end)

  it_over_http("takes no more than a file can be", function()
    assert.matches("endless/train-i.gz: the server sends more than the file can be\n",
      refusal({ mirror = server.address .. "endless/" }), 1, true)
  end)

  it_over_http("goes on to the next mirror", function()
    local mirrors = tiny.mirrors
    tiny.mirrors = { "http://127.0.0.1:1/", server.address .. "cut/", server.address }
    local train = load()
    tiny.mirrors = mirrors
    assert.equal(3, #train.x)
  end)

  it_over_http("fetches only what is missing, and keeps what is there", function()
    put("cache/wrun/tiny-set", { "train-i", "train-l", "test-l" })
    assert.equal(3, #load({ mirror = server.address, split = "train" }).x)
    assert.equal("test-i.gz test-l train-i train-l", (cached()))
  end)

  it_over_http("lets no wrong file in", function()
    local packed = files.read(served .. "/test-i.gz")
    files.write(served .. "/test-i.gz", files.gzip("wrong"))
    local message = refusal({ mirror = server.address })
    files.write(served .. "/test-i.gz", packed)
    assert.matches("test%-i.gz: other content than expected: expected SHA%-256 %x+, found %x+\n",
      message)
    assert.equal("train-i.gz train-l.gz", (cached()))
  end)

  it("says how to do without when no mirror can be reached", function()
    local message = refusal():gsub("Failed to connect[^\n]*", "NO WAY")
    assert.equal(([[
tiny: Tiny is not on this machine and cannot be downloaded:
  http://127.0.0.1:1/first/train-i.gz: cannot be fetched: NO WAY
  http://127.0.0.1:1/second/train-i.gz: cannot be fetched: NO WAY
To put it there by hand, fetch these files:
  http://127.0.0.1:1/first/train-i.gz
  http://127.0.0.1:1/first/train-l.gz
  http://127.0.0.1:1/first/test-i.gz
  http://127.0.0.1:1/first/test-l.gz
(or those of the same names from http://127.0.0.1:1/second/)
and put them into ROOT/cache/wrun/tiny-set
or into any folder that the environment variable WRUN_DATA names.
On Debian, `apt-get install dataset-tiny` does it too.]]):gsub("ROOT", machine.root), message)
  end)

  it("says when there is no place for a cache", function()
    machine.environment.XDG_CACHE_HOME = nil
    local message = refusal()
    local reason = "\n  there is no folder to download to: set HOME or XDG_CACHE_HOME\n"
    local advice = "\nand put them into a folder that the environment variable WRUN_DATA names.\n"
    assert.matches(reason, message, 1, true)
    assert.matches(advice, message, 1, true)
    machine.environment.XDG_CACHE_HOME = "/proc/cache"
    assert.matches("\n  /proc/cache: No such file or directory\n", refusal(), 1, true)
  end)
end)
