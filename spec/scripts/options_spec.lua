--- What all shipped scripts have in common: options, --help, and no patience with what is unknown.

local child = require "spec.support.child"
local lfs = require "lfs"
local script = require "spec.support.script"

local names = {}
for name in lfs.dir("scripts") do
  names[#names + 1] = name:match("^.+%.lua$")
end
table.sort(names)

-- Called as `wrun check`: usage names them so, and they draw nothing.
local COMMANDS = { ["check.lua"] = "check", ["report.lua"] = "report", ["sweep.lua"] = "sweep" }

describe("a shipped script", function()
  for _, name in ipairs(names) do
    local usage = ("Usage: %s "):format(COMMANDS[name] or name)

    it(name .. " explains itself", function()
      local output, ok = script(name, "--help")
      assert(ok, output)
      assert.equal(usage, output:sub(1, #usage))
      assert.equal(COMMANDS[name] == nil, output:find("--seed", 1, true) ~= nil, output)
    end)

    it(name .. " starts in a stock Lua", function()
      local module = child.wrun .. ".so"
      if not io.open(module) then
        pending("this build has no wrun.so")
      end
      local env = "LUA_CPATH=" .. child.quote(module:gsub("wrun%.so$", "?.so"))
      local result = child.run({ "scripts/" .. name, "--help" }, { program = "lua5.4", env = env })
      assert.equal(0, result.status, result.err)
      assert.equal(usage, result.out:sub(1, #usage))
    end)

    it(name .. " refuses options that it does not know", function()
      local output, ok = script(name, "--sead 1")
      assert.is_nil(ok)
      assert.is_truthy(output:find("unknown option '--sead'", 1, true), output)
    end)
  end
end)

describe("a script that draws plots", function()
  it("says before the work that gnuplot is missing", function()
    for _, name in ipairs { "init_study.lua", "mnist_init.lua" } do
      local output, ok = script(name, "--out /tmp", false, "PATH=/nowhere")
      assert.is_nil(ok)
      assert.is_truthy(output:find("option '--out': gnuplot is not there; install Debian's package "
        .. "gnuplot-nox", 1, true), output)
    end
  end)
end)

describe("what can be known before the work", function()
  it("is refused before it", function()
    for line, text in pairs {
      ["rbm_mnist.lua --out no/folder"] = "option '--out': expected a folder that can be written "
        .. "to, got 'no/folder'",
      ["rbm_inpaint.lua --out no/folder"] = "option '--out': expected a folder",
      ["dbn_mnist.lua --out no/folder"] = "option '--out': expected a folder",
      ["autoencoder_mnist.lua --out no/folder"] = "option '--out': expected a folder",
      ["dbn_mnist.lua --labels 100 --starts dbn,dnb"] = "option '--starts': no start called 'dnb'",
      ["autoencoder_mnist.lua --starts dbn,dnb"] = "option '--starts': no start called 'dnb'",
      ["dbn_mnist.lua --labels 100,241"] = "option '--labels': expected whole numbers from 1 to "
        .. "240, got '100,241'",
      ["autoencoder_npy.lua no/file.npy"] = "no/file.npy: No such file or directory",
      ["regression.lua no/file.csv"] = "csv: no/file.csv: No such file or directory",
    } do
      local name, options = line:match("^(%S+) (.*)$")
      local output, ok = script(name, options)
      assert.is_nil(ok)
      assert.is_truthy(output:find(text, 1, true), output)
      assert.is_nil(output:find("epoch", 1, true) and output:find("loss", 1, true), output)
    end
  end)
end)
