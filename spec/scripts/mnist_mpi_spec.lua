--- The script under mpirun, on a small made-up set, beside itself in one process.

local mpirun = require "spec.support.mpirun"
local script = require "spec.support.script"

local OPTIONS = "--epochs 2 --batch-size 47 --threads 1"

local function fingerprint_of(output)
  return output:match("\nFingerprint: (%x+)\n")
end

describe("mnist_mpi.lua", function()
  it("learns, and prints the fingerprint last", function()
    local output, ok = script("mnist_mpi.lua", "--epochs 3 --batch-size 40")
    assert(ok, output)
    assert.is_true(tonumber(output:match("Accuracy: ([%d.]+)")) >= 0.9)
    assert.equal(64, #output:match("Fingerprint: (%x+)\n$"))
  end)

  it("learns the same bits on one, two and three ranks, and prints once", function()
    if not mpirun.is_there(pending) then
      return
    end
    local alone = fingerprint_of(script("mnist_mpi.lua", OPTIONS))
    assert.equal(64, #alone)
    for ranks = 1, 3 do
      local output = script("mnist_mpi.lua", OPTIONS, false, mpirun.command(ranks))
      assert.equal(alone, fingerprint_of(output), output)
      local _, count = output:gsub("Epoch: 0002", "")
      assert.equal(1, count, output)
    end
  end)
end)
