--- What a run of several ranks leaves to the first: its folder, its pictures, and when it ends.

local child = require "spec.support.child"
local kills = require "spec.support.rank_kills"
local mpirun = require "spec.support.mpirun"

describe("ranks", function()
  it("go on, on another number of them, where a run was killed #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    local found = kills.kill(2, 3)
    local text, is_right = kills.text(found)
    assert.is_true(is_right, text)
    assert.equal(2, found.kills)
  end)

  it("end together where one of them is told to, and go on from there #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    child.with_folder(function(folder)
      local result = kills.run(3, folder, 1, 5, "TERM")
      assert.equal(143, result.status)
      assert.truthy(result.err:find("rank 0: stopped by SIGTERM after %d batches of epoch %d; "
        .. "started again, .- goes on from there"), result.err)
      assert.equal(kills.whole(), kills.run(2, folder).out)
    end, true)
  end)

  it("write files once", function()
    if not mpirun.is_there(pending) then
      return
    end
    child.with_folder(function(folder)
      local result = mpirun.run(2, ([[
        local wrun = require "wrun"
        local mpi, folder = wrun.mpi, %q .. "/" .. wrun.mpi.rank()
        assert(os.execute("mkdir " .. folder))
        wrun.image.save(folder .. "/x.png", wrun.rand(2, 3, 3))
        local log <close> = wrun.logbook.open(folder .. "/x.csv")
        log:write { epoch = 1 }
        local checkpoint = wrun.checkpoint(folder .. "/x", { model = wrun.nn.Linear(1, 1) })
        print(checkpoint:save {})
      ]]):format(folder))
      assert.equal(folder .. "/0/x/000001.safetensors\n", result.out, result.err)
      assert.equal("x\nx.csv\nx.png\n", child.shell("ls " .. folder .. "/0").out)
      assert.equal("", child.shell("ls " .. folder .. "/1").out)
    end, true)
  end)

  it("all hear of what the first could not do", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(2, [[
      local wrun = require "wrun"
      local mpi = wrun.mpi
      local checkpoint = wrun.checkpoint("/dev/null/x", { model = wrun.nn.Linear(1, 1) })
      local ok, message = pcall(checkpoint.save, checkpoint)
      for _, text in ipairs(mpi.all_gather(message)) do
        print(ok, text)
      end
    ]])
    local line = "false\tcheckpoint: /dev/null: Not a directory\n"
    assert.equal(line .. line, (result.out:gsub("\t%S+:%d+: ", "\t")))
  end)
end)
