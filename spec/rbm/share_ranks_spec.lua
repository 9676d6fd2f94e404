--- Machines on several ranks: the bits of one, for every method, kind of units, and batch that no
--- number of ranks divides.

local mpirun = require "spec.support.mpirun"

local SCRIPT = 'assert(loadfile("spec/support/machines.lua"))(...)'

describe("a machine on several ranks", function()
  local folders = {}

  local function folder()
    local path = os.tmpname()
    os.remove(path)
    assert(os.execute("mkdir " .. path))
    folders[#folders + 1] = path
    return path
  end

  teardown(function()
    for _, path in ipairs(folders) do
      os.execute("rm -r " .. path)
    end
  end)

  local function lines(ranks, arguments)
    local result = mpirun.run(ranks, SCRIPT, { arguments = arguments })
    assert.equal(0, result.status, result.err)
    return result.out
  end

  local function check_all(counts)
    if not mpirun.is_there(pending) then
      return
    end
    local one = lines(1, folder())
    assert.equal(11, select(2, one:gsub("\n", "")))
    assert.truthy(one:find("study\t1\t0x[%x.p-]+\t.*too much"), one)
    for _, ranks in ipairs(counts) do
      assert.equal(one, lines(ranks, folder()), ranks .. " ranks")
    end
  end

  it("learns, estimates and studies to the same bits on 1, 2 and 3 #many", function()
    check_all { 2, 3 }
  end)

  it("does on more, also than there are shards #slow", function()
    check_all { 4, 8, 16, 18 }
  end)

  it("goes on where other numbers of ranks have stopped #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    local place = folder()
    lines(3, place .. " begin")
    local gone_on = lines(2, place .. " go_on")
    local whole = lines(1, folder())
    assert.equal(5, select(2, gone_on:gsub("\n", "")))
    assert.equal(gone_on, whole:sub(1, #gone_on))
  end)

  it("refuses, on all, an option and data that one has otherwise, and an option misread", function()
    if not mpirun.is_there(pending) then
      return
    end
    local function error_of(text)
      local result = mpirun.run(2, ([[
        local wrun = require "wrun"
        local rank = wrun.mpi.rank()
        local machine = wrun.rbm.new({ visible = 3, hidden = 2, seed = 1 }):distribute(wrun.mpi)
        local data = wrun.zeros(4, 3)
        %s
      ]]):format(text), { arguments = folder() })
      assert.not_equal(0, result.status)
      return result.err
    end
    local refused = "fit: the data or options of rank 1 are not those of rank 0"
    for _, text in ipairs {
      "machine:fit(data + rank, {})", "machine:fit(data, { batch_size = 3 + rank })",
    } do
      local message = error_of(text)
      assert.truthy(message:find(refused, 1, true), message)
    end
    local message = error_of([[
      wrun.sweep({ seed = { 1, 2, 3 } }, function(o)
        return { loss = o.sed }
      end, { name = "wrong", folder = ..., mpi = wrun.mpi })
    ]])
    assert.truthy(message:find("sweep: no name 'sed'; did you mean seed?", 1, true), message)
  end)
end)
