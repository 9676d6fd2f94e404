--- --portable: results in the same bits on every x86-64-v3 processor; `make portable` has them under
--- emulated ones.

local child = require "spec.support.child"
local results = require "spec.support.portable_results"

local WHY = 'local is, why = require "wrun".has_portable_bits() print(is, why)'

describe("--portable", function()
  it("gives the committed fingerprints, on one thread and on three", function()
    local why = child.run({ "--portable", "-e", WHY }).out:match("false%s+([^\n]*)")
    if why then
      pending(why)
      return
    end
    for _, threads in ipairs({ "1", "3" }) do
      local run = child.run({ "--portable", "--threads", threads, "spec/portable.lua" })
      assert.equal("", run.err)
      assert.same(results.committed(), results.read(run.out))
    end
  end)

  it("has each part committed", function()
    local committed, names = results.committed(), results.names()
    for _, name in ipairs(names) do
      assert.matches("^" .. ("%x"):rep(64) .. "$", committed[name], 1, name)
    end
  end)

  it("is asked for", function()
    assert.equal("false\twrun was started without --portable\n", child.run({ "-e", WHY }).out)
    assert.matches("\nbits: of this processor: wrun was started without %-%-portable\n",
      child.run({ "--version" }).out)
  end)

  it("does not hold for kernels that the environment names", function()
    local run = child.run({ "--portable", "-e", WHY }, { env = "OPENBLAS_CORETYPE=Zen" })
    assert.matches("^false\t", run.out)
  end)

  it("leaves the environment as it was", function()
    local run = child.run({ "--portable", "-e", 'local x = require "wrun".ones(2, 2) x:mm(x) '
      .. 'print(os.getenv("OPENBLAS_CORETYPE"))' }, { env = "unset OPENBLAS_CORETYPE;" })
    assert.equal("nil\n", run.out)
  end)
end)
