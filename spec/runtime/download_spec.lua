--- Downloads: whole and checked, or not at all. The server is one of our own, on loopback.

local core = require "wrun.core"
local files = require "spec.support.files"
local web = require "spec.support.server"

local server, served, folder, path

local it_over_http = web.it(it, pending, function()
  return server
end)

local function address(name)
  return server.address .. name
end

-- What stands in the target folder, by name.
local function listing()
  return files.shell(("ls -A '%s'"):format(folder))
end

-- The message that a download of `name` is refused with, without its address. It leaves nothing.
local function refusal(name, options)
  local ok, message = core.download(address(name), path, options)
  assert.is_nil(ok)
  assert.equal("", listing())
  local start = address(name) .. ": "
  assert.equal(start, message:sub(1, #start))
  return message:sub(#start + 1)
end

setup(function()
  served = files.folder()
  files.write(served .. "/hello", "hello, world\n")
  files.write(served .. "/packed.gz", files.gzip("hello, world\n"))
  files.write(served .. "/damaged.gz", files.gzip("hello, world\n"):sub(1, -2))
  files.write(served .. "/zeros", ("\0"):rep(1000000))
  files.shell(("gzip '%s/zeros'"):format(served))
  server = web.start(served)
end)

teardown(function()
  web.stop(server)
  files.remove(served)
end)

before_each(function()
  folder = files.folder()
  path = folder .. "/file"
end)

after_each(function()
  files.remove(folder)
end)

describe("download", function()
  it_over_http("fetches a file", function()
    assert.is_true(core.download(address("hello"), path))
    assert.equal("hello, world\n", files.read(path))
    assert.equal("file", listing())
  end)

  it_over_http("checks the uncompressed content of a file that it keeps compressed", function()
    local digest = files.sha256("hello, world\n")
    assert.is_true(core.download(address("packed.gz"), path, { sha256 = digest }))
    assert.equal(files.gzip("hello, world\n"), files.read(path))
    assert.is_true(core.download(address("hello"), path, { sha256 = digest }))
    assert.equal("hello, world\n", files.read(path))
  end)

  it_over_http("replaces a file, and leaves it alone when the new one is not right", function()
    files.write(path, "old")
    assert.is_nil((core.download(address("hello"), path, { sha256 = "00" })))
    assert.equal("old", files.read(path))
    assert.equal("file", listing())
    assert.is_true(core.download(address("hello"), path))
    assert.equal("hello, world\n", files.read(path))
  end)

  it_over_http("refuses other content than expected", function()
    local digest = files.sha256("hello, world\n")
    assert.equal("other content than expected: expected SHA-256 00, found " .. digest,
      refusal("hello", { sha256 = "00" }))
    assert.equal("damaged content: the gzip data ends early",
      refusal("damaged.gz", { sha256 = digest }))
  end)

  it_over_http("says what the server answered", function()
    assert.equal("cannot be fetched: The requested URL returned error: 404", refusal("nothing"))
  end)

  it_over_http("refuses a file that arrives cut", function()
    assert.matches("^cannot be fetched: transfer closed with %d+ bytes remaining to read",
      refusal("cut/hello"))
  end)

  it_over_http("stops at the limit, announced or not, compressed or not", function()
    local too_much = "the server sends more than the file can be"
    assert.is_true(core.download(address("hello"), path, { limit = 13 }))
    os.remove(path)
    assert.equal(too_much, refusal("hello", { limit = 12 }))
    assert.equal(too_much, refusal("endless/hello", { limit = 100000 }))
    assert.equal("damaged content: it inflates to more than the file can be",
      refusal("zeros.gz", { limit = 999999, sha256 = "00" }))
    assert.matches("^other content", refusal("zeros.gz", { limit = 1000000, sha256 = "00" }))
  end)

  it_over_http("follows a redirection, but not out of the web", function()
    assert.is_true(core.download(address("moved/hello"), path))
    assert.equal("hello, world\n", files.read(path))
    os.remove(path)
    assert.matches('^cannot be fetched: Protocol "file" not supported', refusal("elsewhere/hello"))
  end)

  it("fetches nothing but http and https", function()
    assert.matches('Protocol "file" not supported',
      select(2, core.download("file:///etc/hostname", path)))
  end)

  it_over_http("uses the proxy that the environment names", function()
    local environment = "env -u no_proxy -u NO_PROXY http_proxy=" .. server.address
    local output = files.run(environment, ([[
      print(require("wrun.core").download("http://moved.invalid/hello", "%s"))
    ]]):format(path))
    assert.equal("true", output)
    assert.equal("hello, world\n", files.read(path))
  end)

  it_over_http("reports how far it is", function()
    local reports = {}
    assert.is_true(core.download(address("slow/hello"), path, {
      progress = function(done, total)
        reports[#reports + 1] = { done, total }
      end,
    }))
    assert.is_true(#reports > 3)
    assert.same({ 650, 650 }, reports[#reports])
    for i = 2, #reports do
      assert.is_true(reports[i][1] >= reports[i - 1][1])
    end
  end)

  it_over_http("passes on what the progress function raises, and leaves nothing behind", function()
    local reason = {}
    local ok, message = pcall(core.download, address("slow/hello"), path, {
      progress = function(done)
        if done > 0 then
          error(reason)
        end
      end,
    })
    assert.is_false(ok)
    assert.equal(reason, message)
    assert.equal("", listing())
  end)

  it_over_http("overwrites what a killed run left behind", function()
    files.write(path .. ".part", ("x"):rep(100))
    assert.is_true(core.download(address("hello"), path))
    assert.equal("hello, world\n", files.read(path))
    assert.equal("file", listing())
  end)

  it_over_http("keeps out of another process's download", function()
    local holder = io.popen(("exec flock -s '%s.part' sh -c 'echo $$; exec sleep 9'"):format(path))
    local pid = holder:read("n")
    local ok, message = core.download(address("hello"), path)
    assert.is_nil(ok)
    assert.equal(address("hello") .. ": another process is downloading it", message)
    assert.equal("file.part", listing())
    os.execute(("kill %d"):format(pid))
    holder:close()
  end)

  it("says when there is no connection", function()
    local ok, message = core.download("http://127.0.0.1:1/file", path)
    assert.is_nil(ok)
    assert.matches("^http://127.0.0.1:1/file: cannot be fetched: Failed to connect", message)
    assert.equal("", listing())
  end)

  it("says when the file cannot be written", function()
    assert.same({ nil, "http://127.0.0.1:1/: cannot write the file: No such file or directory" },
      { core.download("http://127.0.0.1:1/", "/nowhere/file") })
  end)

  it_over_http("says when the disk is full", function()
    local limited = "sh -c 'trap \"\" XFSZ; ulimit -f 8; exec \"$@\"' sh"
    local output = files.run(limited, ([[
      print(require("wrun.core").download("%s", "%s"))
    ]]):format(address("slow/zeros.gz"), path))
    assert.matches("cannot write the file: File too large$", output)
    assert.equal("", listing())
  end)

  it("does without libcurl until it is called, and says when it is missing", function()
    files.write(folder .. "/libcurl.so.4", "")
    local output = files.run(("LD_LIBRARY_PATH='%s'"):format(folder), ([[
      require("wrun").data.loader({ x = require("wrun").zeros(1) })
      for line in io.lines("/proc/self/maps") do
        assert(not line:find("libcurl"))
      end
      print(select(2, require("wrun.core").download("http://127.0.0.1:1/", "%s")))
    ]]):format(path))
    assert.equal("http://127.0.0.1:1/: needs libcurl.so.4 (Debian package libcurl4)", output)
  end)

  it("raises for wrong use", function()
    local function message_of(...)
      return select(2, pcall(core.download, ...)):match(":%d+: (.*)$")
    end
    assert.equal("download: argument 1: expected a URL, got nothing", message_of())
    assert.equal("download: argument 2: expected a path, got nothing", message_of("http://x"))
    assert.equal("download: option size: unknown; the options are sha256, limit, progress",
      message_of("http://x", path, { size = 1 }))
    assert.equal("download: option progress: expected a function, got 3",
      message_of("http://x", path, { progress = 3 }))
    assert.equal("download: option limit: expected a number of bytes, got true",
      message_of("http://x", path, { limit = true }))
  end)
end)

describe("make_folder", function()
  it("makes a folder and those above it, and is content with one that is there", function()
    assert.is_true(core.make_folder(folder .. "/a/b//c/"))
    assert.is_true(core.make_folder(folder .. "/a/b"))
    files.write(folder .. "/a/b/c/file", "x")
  end)

  it("says what is in the way", function()
    files.write(path, "x")
    assert.same({ nil, path .. ": Not a directory" }, { core.make_folder(path .. "/a") })
    assert.same({ nil, "/proc/x: No such file or directory" }, { core.make_folder("/proc/x/y") })
  end)
end)

describe("is_terminal", function()
  it("knows a file, a pipe and a closed file for what they are", function()
    local file <close> = io.open("/dev/null")
    assert.same({ false }, { core.is_terminal(file) })
    local pipe = io.popen("true")
    assert.same({ false }, { core.is_terminal(pipe) })
    pipe:close()
    assert.same({ false }, { core.is_terminal(pipe) })
  end)

  it("raises for what is no file", function()
    local _, message = pcall(core.is_terminal, 1)
    assert.equal("is_terminal: argument 1: expected a file, got 1", message:match(":%d+: (.*)$"))
  end)
end)

describe("clock", function()
  it("counts seconds, asleep or not", function()
    local before = core.clock()
    files.shell("sleep 0.1")
    local passed = core.clock() - before
    assert.is_true(passed >= 0.1)
  end)
end)
