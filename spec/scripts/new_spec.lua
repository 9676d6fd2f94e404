--- `wrun new demo`: what it writes trains, goes on, passes its spec, and is in style.

local child = require "spec.support.child"
local experiments = require "wrun.experiment"

-- Runs a command in a folder, with wrun on the path.
local function run_in(folder, command)
  local programs = child.wrun:match("^(.*)/")
  return child.shell(("cd %s && PATH=%s:$PATH; %s"):format(folder, child.quote(programs), command))
end

describe("new.lua", function()
  it("writes an experiment that trains, goes on, and passes its spec", function()
    child.with_folder(function(folder)
      local written = run_in(folder, "wrun new demo")
      assert.equal(0, written.status, written.err)
      local demo = folder .. "/demo"
      local train = "wrun train.lua --epochs %d --width 8"
      run_in(demo, train:format(1))
      local trained = run_in(demo, train:format(3))
      if trained.err:find("gnuplot is not there", 1, true) then
        pending("gnuplot is not there")
        return
      end
      assert.equal(0, trained.status, trained.err)
      assert.is_nil(trained.out:find("epoch   1", 1, true))
      assert.matches("epoch   3  loss [%d.]+  test loss [%d.]+  accuracy [%d.]+\nbest: ",
        trained.out)
      assert.equal("\137PNG", child.read(demo .. "/runs/first/loss.png"):sub(1, 4))
      local manifest, rows = experiments.read(demo .. "/runs/first")
      assert.same({ lr = 0.01, width = 8 }, manifest.options)
      assert.is_number(manifest.results.accuracy)
      assert.equal(3, #rows)
      local tested = run_in(demo, 'busted --lua="$(command -v wrun)"')
      assert.equal(0, tested.status, tested.out .. tested.err)
      assert.matches("3 successes / 0 failures / 0 errors", tested.out)
      local style = run_in(demo, "luacheck --std max+busted --quiet . || command -v luacheck")
      assert.is_true(style.status == 0 and not style.out:find("warning[^s]"), style.out)
    end)
  end)

  it("refuses a folder that is there, and names that are no folders", function()
    child.with_folder(function(folder)
      run_in(folder, "wrun new demo")
      local again = run_in(folder, "wrun new demo")
      assert.equal(1, again.status)
      assert.equal("new.lua: demo: is there already\n", again.err)
      local wrong = run_in(folder, "wrun new ../demo")
      assert.equal(1, wrong.status)
      assert.matches("name: expected letters, digits, %- and _, got '../demo'", wrong.err)
    end)
  end)
end)
