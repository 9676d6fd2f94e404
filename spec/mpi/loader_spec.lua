--- Loaders whose batches are shared out, beside data.loader.

local mpirun = require "spec.support.mpirun"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local data, mpi = wrun.data, wrun.mpi

describe("a loader of several ranks", function()
  it("gives the samples of data.loader, in its order, shard by shard", function()
    local set = { x = wrun.randn(37, 3), y = wrun.arange(1, 38) }
    for _, options in ipairs {
      { batch_size = 10 }, { batch_size = 10, shuffle = true },
      { batch_size = 7, drop_last = true },
      { batch_size = 20, shuffle = true, order = "pytorch-0.4" }, { batch_size = 40 },
    } do
      wrun.manual_seed(9)
      local plain = data.loader(set, options):batches()
      local expected = {}
      for x, y in plain do
        expected[#expected + 1] = { x, y }
      end
      wrun.manual_seed(9)
      local loader, count = mpi.loader(set, options), 0
      for batch in loader:batches() do
        count = count + 1
        local xs, ys = {}, {}
        for i, shard in ipairs(batch.shards) do
          xs[i], ys[i] = shard.values[1], shard.values[2]
        end
        assert.is_true(wrun.cat(xs):equal(expected[count][1]))
        assert.is_true(wrun.cat(ys):equal(expected[count][2]))
        assert.equal(expected[count][1]:size(1), batch.count)
      end
      assert.equal(#expected, count)
      assert.equal(#expected, #loader)
    end
  end)

  it("leaves batches out at the start, and prints", function()
    local loader = mpi.loader({ x = wrun.rand(9, 2) }, { batch_size = 2 })
    local batch = loader:batches({ skip = 4 })()
    assert.equal("Batch(1 samples, 1 shards here)", tostring(batch))
    assert.equal("Loader(5 batches of 2, in order)", tostring(loader))
  end)

  it("refuses what data.loader refuses", function()
    assert.equal("loader: option batch_size: expected an integer >= 1, got 0",
      refusal(mpi.loader, { x = wrun.rand(2, 2) }, { batch_size = 0 }))
  end)

  it("refuses batches smaller than the ranks, and ranks with other data", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(3, [[
      local wrun = require "wrun"
      wrun.manual_seed(1)
      local set = { x = wrun.rand(9, 2) }
      local _, message = pcall(wrun.mpi.loader, set, { batch_size = 2 })
      print(message)
      wrun.mpi.loader(set, { batch_size = 3 })
      if wrun.mpi.rank() == 2 then
        set.x[4]:fill_(0)
      end
      wrun.mpi.loader(set, { batch_size = 3 })
    ]])
    assert.equal("loader: option batch_size: expected at least a sample for each of 3 ranks, "
      .. "got 2; it is the size of the batch of all ranks together",
      result.out:match("^%S+:%d+: (.*)\n$"))
    assert.truthy(result.err:find("loader: the data or options of rank 2 are not those of rank 0",
      1, true), result.err)
    assert.equal(1, result.status)
  end)
end)
