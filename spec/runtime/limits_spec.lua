--- What a process may have, as its user or system says: too little is said, and ends.

local child = require "spec.support.child"
local wrun = require "wrun"

--- Runs a script in a shell that has carried out `limit`, for at most a minute.
local function run(limit, arguments)
  local words = {}
  for i, argument in ipairs(arguments) do
    words[i] = child.quote(argument)
  end
  return child.shell(("%s timeout 60 %s %s"):format(limit, child.quote(child.wrun),
    table.concat(words, " ")))
end

local PRODUCT = [[
  local wrun = require "wrun"
  local a = wrun.ones(500, 500)
  print(pcall(function() return a:matmul(a):sum():item() end))
  print(pcall(function() return wrun.linalg.det(wrun.eye(3)):item() end))
  print(pcall(function() return #wrun.nn.Linear(500, 2)(a) end))
]]
local DONE = "true\t125000000.0\ntrue\t1.0\ntrue\t500\n"

-- A sanitizer and valgrind take more room than these limits leave: #memory.
describe("a limit of address space #memory", function()
  it("that leaves room for one work area of OpenBLAS lets threads do without", function()
    for _, kilobytes in ipairs { 300000, 400000, 600000 } do
      local result = run(("ulimit -v %d;"):format(kilobytes), { "--threads", "2", "-e", PRODUCT })
      assert.same({ out = DONE, err = "", status = 0 }, result)
    end
  end)

  it("that leaves room for none is an error of what wanted to compute", function()
    local result = run("ulimit -v 100000;", { "-e", PRODUCT })
    local line = "false\t(command line):%d: %s: "
      .. "not enough memory for the 128 MB that OpenBLAS works in\n"
    assert.same({
      out = line:format(3, "matmul") .. line:format(4, "det") .. line:format(5, "linear"),
      err = "", status = 0,
    }, result)
  end)

  it("that a file does not fit in is an error that names the file and what it holds", function()
    local size = 1 << 26
    local x, npy, saved = wrun.zeros(size, { dtype = "uint8" }), os.tmpname(), os.tmpname()
    wrun.data.save_npy(npy, x)
    wrun.save(saved, { x = x })
    local result = run("ulimit -v 60000;", { "-e", ([[
      local wrun = require "wrun"
      print(pcall(function() return wrun.data.npy(%q) end))
      print(pcall(function() return wrun.load(%q) end))]]):format(npy, saved) })
    os.remove(npy)
    os.remove(saved)
    local line = "false\t(command line):%d: %s: %s: "
      .. "not enough memory for a tensor [%d] of %d bytes\n"
    assert.same({
      out = line:format(2, "npy", npy, size, size) .. line:format(3, "load", saved, size, size),
      err = "", status = 0,
    }, result)
  end)

  it("does not touch what computes nothing", function()
    assert.same({ out = "1\n", err = "", status = 0 },
      run("ulimit -v 100000;", { "-e", "print(1)" }))
  end)
end)

describe("a limit of threads #memory", function()
  it("leaves the thread that is there", function()
    local limit = "prlimit --nproc=1:1"
    local copy
    if child.shell("id -u").out == "0\n" then -- root has no such limit
      copy = os.tmpname()
      assert(os.execute(("cp %s %s && chmod 755 %s"):format(child.quote(child.wrun), copy, copy)))
      limit = "setpriv --reuid=65534 --clear-groups " .. limit
    end
    local result = child.shell(("cd /; %s %s --threads 4 -"):format(limit,
      copy or child.quote(child.wrun)), PRODUCT)
    assert.same({ out = DONE, err = "", status = 0 }, result)
    if copy then
      os.remove(copy)
    end
  end)
end)
