--- Results in the same bits on every x86-64-v3 processor, but by --native; `make portable` has them
--- under emulated ones.

local child = require "spec.support.child"
local results = require "spec.support.portable_results"

local WHY = 'local is, why = require "wrun".has_portable_bits() print(is, why)'

describe("portable bits", function()
  it("are those of the committed fingerprints, on one thread and on three", function()
    local why = child.run({ "-e", WHY }).out:match("false%s+([^\n]*)")
    if why then
      pending(why)
      return
    end
    for _, threads in ipairs({ "1", "3" }) do
      local run = child.run({ "--threads", threads, "spec/portable.lua" })
      assert.equal("", run.err)
      assert.same(results.committed(), results.read(run.out))
    end
  end)

  it("are committed for each part", function()
    local committed, names = results.committed(), results.names()
    for _, name in ipairs(names) do
      assert.matches("^" .. ("%x"):rep(64) .. "$", committed[name], 1, name)
    end
  end)

  it("are given up by --native", function()
    assert.equal("false\twrun was started with --native\n",
      child.run({ "--native", "-e", WHY }).out)
    assert.matches("\nbits: of this processor: wrun was started with %-%-native\n",
      child.run({ "--native", "--version" }).out)
  end)

  it("are those of a host of the module", function()
    local host = child.host(pending)
    if host then
      assert.equal(child.run({ "-e", WHY }).out, child.run({ "-e", WHY }, host).out)
      local PRODUCT = 'local wrun = require "wrun" wrun.manual_seed(1) local x = wrun.randn(70, 9) '
        .. 'print(wrun.fingerprint { x:mm(x:t()), wrun.linalg.svd(x, false) })'
      assert.equal(child.run({ "-e", PRODUCT }).out, child.run({ "-e", PRODUCT }, host).out)
    end
  end)

  it("are not those of kernels that the environment names", function()
    local run = child.run({ "-e", WHY }, { env = "OPENBLAS_CORETYPE=Zen" })
    assert.equal("false\tOPENBLAS_CORETYPE is not Haswell\n", run.out)
  end)

  it("leave the environment as it was", function()
    local run = child.run({ "-e", 'local wrun = require "wrun" wrun.linalg.det(wrun.eye(2)) '
      .. 'print(os.getenv("OPENBLAS_CORETYPE"))' }, { env = "unset OPENBLAS_CORETYPE;" })
    assert.equal("nil\n", run.out)
  end)
end)
