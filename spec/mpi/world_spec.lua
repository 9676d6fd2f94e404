--- How a process finds the others, and what becomes of all when one ends.

local child = require "spec.support.child"
local mpirun = require "spec.support.mpirun"

describe("world", function()
  it("refuses to be one of many where another MPI started it", function()
    local result = child.run({ "-e", "print(require('wrun').mpi.rank())" }, {
      env = "PMI_SIZE=4 PMI_RANK=1",
    })
    assert.equal(1, result.status)
    assert.truthy(result.err:find("mpi: this process was started by another MPI than Open MPI, "
      .. "as one of 4; start it by Open MPI's mpirun (Debian package openmpi-bin)", 1, true),
      result.err)
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
end)
