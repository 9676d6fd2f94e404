--- Tasks that wait for messages beside each other.

local mpirun = require "spec.support.mpirun"
local Tasks = require "wrun.mpi.tasks"

describe("tasks", function()
  it("run at once where they wait for nothing", function()
    local seen, tasks = {}, Tasks.new()
    tasks:start(function(...)
      seen = { ... }
    end, 1, 2)
    assert.same({ 1, 2 }, seen)
    tasks:poll()
    tasks:finish()
  end)

  it("raise their errors where they are gone on with", function()
    assert.has_error(function()
      Tasks.new():start(error, "a bad day", 0)
    end, "a bad day")
  end)

  it("take messages in any order, and do not wait for each other", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(2, [[
      local wrun = require "wrun"
      local mpi, Tasks = wrun.mpi, require "wrun.mpi.tasks"
      local FIRST, LAST, LARGE = 21, 29, 300000
      local other, tasks, came = 1 - mpi.rank(), Tasks.new(), {}
      local function answer(tag)
        local x = wrun.empty(LARGE)
        local is_filled = tasks:receive(x, other, tag)
        came[#came + 1] = is_filled and x[LARGE]:item() or "nothing"
        tasks:send(wrun.ones(1) * tag, other, tag + 100)
      end
      for tag = FIRST, LAST do tasks:start(answer, tag) end
      local answers = {}
      for tag = LAST, FIRST, -1 do
        tasks:post(tag == LAST and "" or wrun.ones(LARGE) * tag, other, tag)
        tasks:poll()
        tasks:start(function()
          answers[tag] = wrun.empty(1)
          assert(tasks:receive(answers[tag], other, tag + 100))
        end)
      end
      tasks:finish()
      for tag = FIRST, LAST do assert(answers[tag]:item() == tag) end
      local wanted = {}
      for tag = FIRST, LAST - 1 do wanted[tag] = true end
      for _, value in ipairs(came) do wanted[value] = nil end
      assert(next(wanted) == nil and #came == LAST - FIRST + 1)
      print(table.concat(came, " "):find("nothing") and "one was empty")
    ]])
    assert.equal("one was empty\n", result.out, result.err)
  end)

  it("end where a rank waits for one that is at its end, or is sent something else", function()
    if not mpirun.is_there(pending) then
      return
    end
    local FORM = [[
      local wrun = require "wrun"
      local Tasks = require "wrun.mpi.tasks"
      local tasks, rank = Tasks.new(), wrun.mpi.rank()
      if rank == 0 then
        for tag = 20, 21 do
          tasks:start(function() tasks:receive(wrun.empty(3), 1, tag) end)
        end
      elseif %s then
        tasks:start(function() tasks:send(wrun.ones(2), 0, 21) end)
      end
      tasks:finish()
    ]]
    local result = mpirun.run(2, FORM:format("false"))
    assert.equal(1, result.status)
    assert.truthy(result.err:find("mpi: rank 1 has come to its end, and rank 0 waits for it", 1,
      true), result.err)
    result = mpirun.run(2, FORM:format("true"))
    assert.equal(1, result.status)
    assert.truthy(result.err:find("mpi: ranks 1 and 0 disagree on what is sent", 1, true),
      result.err)
  end)
end)
