--- How a process finds the others, and what becomes of all when one ends.

local child = require "spec.support.child"
local files = require "spec.support.files"
local mpirun = require "spec.support.mpirun"

describe("world", function()
  local folder = files.scratch(teardown)

  it("refuses to be one of many where another MPI started it", function()
    local result = child.run({ "-e", "print(require('wrun').mpi.rank())" }, {
      env = "PMI_SIZE=4 PMI_RANK=1",
    })
    assert.equal(1, result.status)
    assert.truthy(result.err:find("mpi: this process was started by another MPI than Open MPI, "
      .. "as one of 4; start it by Open MPI's mpirun (Debian package openmpi-bin)", 1, true),
      result.err)
  end)

  it("refuses an Open MPI that knows nothing of the mpirun that started it", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = child.run({ "-e", "print(require('wrun').mpi.rank())" }, {
      env = "OMPI_COMM_WORLD_SIZE=2",
    })
    assert.equal(1, result.status)
    assert.truthy(result.err:find("mpi: mpirun started 2 processes, and Open MPI knows of 1: they "
      .. "are of different versions", 1, true), result.err)
  end)

  it("says which rank, on which machine, finds no Open MPI that it can load", function()
    files.write(folder .. "/libmpi.so.40", "no library")
    local result = child.run({ "-e", "print(require('wrun').mpi.rank())" }, {
      env = "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1 LD_LIBRARY_PATH="
        .. child.quote(folder),
    })
    assert.equal(1, result.status)
    assert.truthy(result.err:find("mpi: mpirun started this process as rank 1 on %S+, and it "
      .. "cannot join the others: %S+/libmpi.so.40: "), result.err)
  end)

  it("ends all ranks when one has an error, with its traceback", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(3, [[
      local mpi = require("wrun").mpi
      if mpi.rank() == 1 then error("a bad day") end
      mpi.barrier()
      print("never")
    ]])
    assert.equal("", result.out)
    assert.truthy(result.err:find(":2: a bad day\nstack traceback:", 1, true), result.err)
    assert.equal(1, result.status)
  end)

  it("says once what all ranks refuse, and refuses ranks with other arguments", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(2, "require('wrun').mpi.rank()", { arguments = "a : -n 1 "
      .. child.quote(child.wrun) .. " -e 'require(\"wrun\").mpi.rank()'" })
    local _, count = result.err:gsub("mpi: the script or arguments of rank 2 are not those of rank "
      .. "0", "")
    assert.equal(1, count, result.err)
    assert.equal(1, result.status)
  end)

  it("says how many ranks and threads there are, and leaves a user's --threads", function()
    if not mpirun.is_there(pending) then
      return
    end
    local text = "print(require('wrun').mpi.size(), require('wrun').get_num_threads())"
    local result = mpirun.run(2, text, { threads = 3 })
    assert.equal("2\t3\n", result.out)
    assert.truthy(result.err:find("wrun: 2 ranks on 1 machine, 3 threads each\n", 1, true))
  end)

  it("ends where a rank waits for one that has come to its end", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(2, [[
      local mpi = require("wrun").mpi
      if mpi.rank() == 0 then mpi.receive(1) end
    ]])
    assert.truthy(result.err:find("mpi: rank 1 has come to its end, and rank 0 waits for it", 1,
      true), result.err)
    assert.equal(1, result.status)
  end)

  it("says on rank 0 that it waits for a rank that is slow", function()
    if not mpirun.is_there(pending) then
      return
    end
    local path = folder .. "/messages"
    local result = mpirun.run(2, [[
      local core, mpi = require "wrun.core", require("wrun").mpi
      if mpi.rank() == 1 then
        repeat
          core.sleep(0.1)
          local file <close> = assert(io.open(arg[1]))
        until file:read("a"):find("\nwrun: rank 0 waits for rank 1, which is slow", 1, true)
      end
      mpi.barrier()
      print(mpi.rank())
    ]], { arguments = path .. " 2>" .. path })
    assert.equal("0\n", result.out)
    assert.equal(0, result.status)
  end)
end)
