--- Running gnuplot: what it makes of a script, and what is said when it makes nothing.

local child = require "spec.support.child"
local gnuplot = require "wrun.plot.gnuplot"

describe("plot.gnuplot", function()
  it("returns what the script writes, or its complaint", function()
    assert.equal("3\n", gnuplot.run({ "set print '-'", "print 1 + 2" }))
    local picture, reason = gnuplot.run({ "plot nothing" })
    assert.is_nil(picture)
    assert.equal("gnuplot: undefined variable: nothing", reason)
    assert.equal("gnuplot ended without a picture", select(2, gnuplot.run({ "x = 1" })))
  end)

  it("quotes text, so that nothing in it is special", function()
    local text = [[it's `touch x` "$1" \n {/a_b}]]
    assert.equal(text .. "\n", gnuplot.run({ "set print '-'", "print " .. gnuplot.quoted(text) }))
  end)

  it("writes numbers so that nothing is lost, and gaps", function()
    assert.equal("0.1", gnuplot.number(0.1))
    assert.equal("NaN", gnuplot.number(1 / 0))
    assert.equal("NaN", gnuplot.number(0 / 0))
  end)

  it("leaves no files behind", function()
    child.with_folder(function(folder)
      local script = "require('wrun').plot.Figure():line({ 1, 2 }):text()"
      child.run({ "-e", script }, { env = "TMPDIR=" .. folder })
      assert.equal("", child.shell("ls " .. folder).out)
    end)
  end)

  it("does not depend on the locale, nor on what the user has gnuplot do", function()
    child.with_folder(function(folder)
      child.write("set terminal png; set output '/dev/null'", folder .. "/.gnuplot")
      local script = "io.write(require('wrun').plot.Figure():line({ 0.5, 1.5 }):text())"
      local plain = child.run({ "-e", script })
      local env = ("HOME=%s LC_ALL=de_DE.UTF-8"):format(folder)
      local other = child.run({ "-e", script }, { env = env })
      assert.equal(plain.out, other.out)
      assert.truthy(plain.out:find("1.4 ", 1, true))
    end)
  end)

  it("says why there is no picture, and leaves what was there", function()
    child.with_folder(function(folder)
      local path = folder .. "/old.png"
      child.write("old", path)
      local script = ([[print(select(2, pcall(function()
        require("wrun").plot.Figure():line({ 1, 2 }):save(%q)
      end)))]]):format(path)
      child.write("#!/bin/sh\necho \"$0: line 3: out of ink\" >&2; exit 1", folder .. "/gnuplot")
      local outcome = child.shell(("PATH=%s %s -e %s"):format(folder, child.wrun,
        child.quote(script)))
      assert.truthy(outcome.out:find("save: gnuplot", 1, true))
      assert.equal("old", child.read(path))
      child.shell("chmod +x " .. folder .. "/gnuplot")
      outcome = child.shell(("PATH=%s:/bin %s -e %s"):format(folder, child.wrun,
        child.quote(script)))
      assert.truthy(outcome.out:find("save: gnuplot: out of ink", 1, true))
      child.shell("rm " .. folder .. "/gnuplot")
      outcome = child.shell(("PATH=%s %s -e %s"):format(folder, child.wrun, child.quote(script)))
      assert.truthy(outcome.out:find(
        "save: gnuplot is not there; install Debian's package gnuplot-nox", 1, true))
      assert.equal("old", child.read(path))
    end)
  end)
end)
