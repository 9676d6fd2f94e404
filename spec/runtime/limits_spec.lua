--- What a process may have, as its user or system says: too little is said, and ends.

local child = require "spec.support.child"
local wrun = require "wrun"

--- Runs wrun, or the host that `options` name, in a shell that has carried out `limit`, for at most a
--- minute.
local function run(limit, arguments, options)
  options = options or {}
  local words = { limit, options.env or "", "timeout 60",
    options.program or child.quote(child.wrun) }
  for _, argument in ipairs(arguments) do
    words[#words + 1] = child.quote(argument)
  end
  return child.shell(table.concat(words, " "))
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
      local result = run(("ulimit -v %d;"):format(kilobytes),
        { "--native", "--threads", "2", "-e", PRODUCT })
      assert.same({ out = DONE, err = "", status = 0 }, result)
    end
  end)

  local NO_AREA = "false\t(command line):%d: %s: "
    .. "not enough memory for the 128 MB that OpenBLAS works in\n"

  it("that leaves room for none is an error of what wanted to compute by it", function()
    local native = NO_AREA:format(3, "matmul") .. NO_AREA:format(4, "det")
      .. NO_AREA:format(5, "linear")
    local own = DONE:gsub("true\t1.0\n", NO_AREA:format(4, "det"))
    for _, kilobytes in ipairs { 30000, 100000, 170000 } do
      local limit = ("ulimit -v %d;"):format(kilobytes)
      assert.same({ out = native, err = "", status = 0 }, run(limit, { "--native", "-e", PRODUCT }))
      assert.same({ out = own, err = "", status = 0 }, run(limit, { "-e", PRODUCT }))
    end
  end)

  it("ends no host of the module either, and nothing waits", function()
    local host = child.host(pending)
    for kilobytes = 30000, 330000, host and 20000 or math.huge do
      local result = run(("ulimit -v %d;"):format(kilobytes), { "-e", PRODUCT }, host)
      assert.same({ err = "", status = 0 }, { err = result.err, status = result.status })
      if kilobytes >= 210000 then
        assert.equal(DONE, result.out)
      end
    end
  end)

  it("that a file does not fit in is an error that names the file and what it holds", function()
    local size = 1 << 26
    local x = wrun.zeros(size, { dtype = "uint8" })
    child.with_folder(function(folder)
      local npy, saved, idx = folder .. "/npy", folder .. "/saved", folder .. "/idx"
      local cifar = folder .. "/cifar-10-batches-bin"
      wrun.data.save_npy(npy, x)
      wrun.save(saved, { x = x })
      child.write("\0\0\8\1" .. string.pack(">I4", size) .. ("\0"):rep(size), idx)
      assert(os.execute("mkdir " .. cifar))
      for i = 1, 5 do
        child.write("", ("%s/data_batch_%d.bin"):format(cifar, i))
      end
      child.write("", cifar .. "/test_batch.bin")
      local function result(kilobytes, call)
        return run(("ulimit -v %d;"):format(kilobytes), { "-e", ([[
          local data, load = require("wrun").data, require("wrun").load
          print(pcall(function() return %s end))]]):format(call) })
      end
      local FORM = "false\t(command line):2: %s: %s: "
        .. "not enough memory for a tensor [%s] of %d bytes\n"
      local function expected(f, path, sizes, bytes)
        return { out = FORM:format(f, path, sizes, bytes), err = "", status = 0 }
      end
      for f, path in pairs { ["data.npy"] = npy, load = saved, ["data.idx"] = idx } do
        assert.same(expected(f:match("%w+$"), path, size, size),
          result(60000, ("%s %q"):format(f, path)))
      end
      assert.same(expected("cifar10", cifar .. "/test_batch.bin", "10000, 3073", 30730000),
        result(36000, ("data.cifar10 { split = 'test', folder = %q }"):format(folder)))
    end)
  end)

  it("does not touch what computes nothing", function()
    assert.same({ out = "1\n", err = "", status = 0 },
      run("ulimit -v 100000;", { "-e", "print(1)" }))
  end)
end)

describe("a limit of threads #memory", function()
  local limit = "prlimit --nproc=1:1"
  if child.shell("id -u").out == "0\n" then -- root has no such limit
    limit = "setpriv --reuid=65534 --clear-groups " .. limit
  end

  --- Runs the product where nobody may start a thread, with a copy of `file` that all may read.
  local function run_limited(file, command)
    child.with_folder(function(folder)
      assert(os.execute(("cp %s %s && chmod -R a+rX %s"):format(child.quote(file), folder, folder)))
      local result = child.shell(("cd %s; %s"):format(folder, command:format(limit)), PRODUCT)
      assert.same({ out = DONE, err = "", status = 0 }, result)
    end)
  end

  it("leaves the thread that is there", function()
    run_limited(child.wrun, "%s ./wrun --threads 4 -")
  end)

  it("leaves a host of the module its own", function()
    if child.host(pending) then
      run_limited(child.wrun .. ".so", "LUA_CPATH='./?.so' %s lua5.4 -")
    end
  end)
end)
