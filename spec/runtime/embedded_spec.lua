--- The modules and scripts inside the binary.

local child = require "spec.support.child"

local run, quote, with_folder = child.run, child.quote, child.with_folder

describe("wrun's own modules", function()
  it("are in the binary but not loaded before a script requires them", function()
    local script = "for name in pairs(package.loaded) do print(name) end"
    local loaded = run({ "-e", script }).out
    assert.truthy(loaded:find("string", 1, true))
    assert.is_nil(loaded:find("wrun", 1, true))
    local result = run({ "-e", "print(require 'wrun' == package.loaded.wrun, wrun)" })
    assert.equal("true\tnil\n", result.out)
    assert.equal("", run({ "-e", "require 'wrun'" }, { env = "LUA_PATH=/nowhere" }).err)
  end)

  it("have chunks named after them, wherever they come from", function()
    local show = "print(debug.getinfo(require('wrun.check').options, 'S').source)"
    assert.equal("=wrun.check\n", run({ "-e", show }).out)
    with_folder(function(folder)
      assert(os.execute("mkdir " .. folder .. "/wrun"))
      child.write("return { options = function() end }", folder .. "/wrun/check.lua")
      assert.equal("=wrun.check\n", run({ "-e", show }, { env = "WRUN_LUA=" .. folder }).out)
    end)
  end)

  it("are read from WRUN_LUA instead, and only from there", function()
    with_folder(function(folder)
      local env = { env = "WRUN_LUA=" .. folder }
      child.write("return 'mine'", folder .. "/wrun.lua")
      local found = "mine\t" .. folder .. "/wrun.lua\n"
      assert.equal(found, run({ "-e", "print(require 'wrun')" }, env).out)
      assert.equal("table\n", run({ "-E", "-e", "print(type(require 'wrun'))" }, env).out)
      local missing = run({ "-e", "require 'wrun.check'" }, env)
      assert.equal(1, missing.status)
      local place = "\n\tno file '" .. folder .. "/wrun/check.lua'\n"
      assert.truthy(missing.err:find(place, 1, true), missing.err)
      child.write("x =", folder .. "/wrun.lua")
      local broken = "wrun: error loading module 'wrun' from file '%s/wrun.lua':\n\twrun:1: "
      local message = run({ "-e", "require 'wrun'" }, env).err
      assert.equal(broken:format(folder), message:sub(1, #broken + #folder - 2))
      assert(os.remove(folder .. "/wrun.lua"))
      assert(os.execute("mkdir " .. folder .. "/wrun.lua"))
      local unreadable = run({ "-e", "require 'wrun'" }, env).err
      local reason = "cannot read " .. folder .. "/wrun.lua: Is a directory"
      assert.truthy(unreadable:find(reason, 1, true), unreadable)
    end)
  end)

  it("can be read as text, wherever they would come from", function()
    local sources = require "wrun.sources"
    local names = " " .. table.concat(sources.names(), " ") .. " "
    assert.truthy(names:find(" wrun wrun.", 1, true))
    assert.truthy(names:find(" wrun.nn.linear ", 1, true))
    assert.is_nil(names:find("mnist", 1, true)) -- scripts are no modules
    assert.equal(child.read("lua/wrun/nn/linear.lua"), (sources.text("wrun.nn.linear")))
    assert.same({ n = 2 }, table.pack(sources.text("wrun.nosuch")))
    local show = "print(require('wrun.sources').text('wrun.check'))"
    local result = run({ "-e", show }, { env = "WRUN_LUA=/somewhere" })
    assert.equal("nil\t/somewhere/wrun/check.lua\n", result.out)
  end)

  it("are said to be missing when there is no such module", function()
    local result = run({ "-e", "require 'wrun.nosuch'" })
    assert.equal(1, result.status)
    local place = "\n\tno file 'lua/wrun/nosuch.lua' in wrun\n"
    assert.truthy(result.err:find(place, 1, true), result.err)
  end)

  it("load into a stock Lua as a C module", function()
    local program = "local w = require 'wrun' print(w.ones(2, 2):sum():item(), w == require 'wrun')"
    local host = child.host(pending)
    if host then
      local result = run({ "-e", program }, host)
      assert.same({ out = "4.0\ttrue\n", err = "", status = 0 }, result)
    end
  end)

  it("come first into a stock Lua, where a script asks for a part before the library", function()
    local host = child.host(pending)
    local names = "check data image logbook metrics nn optim plot progress rbm testing"
    for name in names:gmatch("%a+") do
      local program = ("local part = require 'wrun.%s' print(part == package.loaded['wrun.%s'], "
        .. "require('wrun').ones(1):item())"):format(name, name)
      local result = host and run({ "-e", program }, host)
      assert.same(host and { out = "true\t1.0\n", err = "", status = 0 }, result)
    end
  end)
end)

describe("wrun's own scripts", function()
  local function in_folder(folder, arguments)
    return child.shell(("cd %s && %s %s"):format(folder, quote(child.wrun), arguments))
  end

  it("are found by their bare name from any folder, with or without .lua", function()
    with_folder(function(folder)
      for _, name in ipairs({ "mnist_xavier.lua", "mnist_xavier" }) do
        local result = in_folder(folder, name .. " --help")
        assert.equal(0, result.status)
        assert.truthy(result.out:find("--epochs", 1, true), result.out)
      end
      local result = in_folder(folder, "./mnist_xavier.lua --help")
      local message = child.wrun .. ": cannot open ./mnist_xavier.lua: No such file or directory\n"
      assert.equal(message, result.err)
    end)
  end)

  it("are listed with what they are, whatever marks are in it", function()
    local help = run({ "--help" }).out
    local line = "\n  mnist_init.lua         The network of mnist_xavier.lua\n"
    assert.truthy(help:find(line, 1, true))
    assert.truthy(help:find("\n  xor.lua                Exclusive or\n", 1, true))
  end)

  it("give way to a file in the current folder", function()
    with_folder(function(folder)
      child.write("print('mine', ...)", folder .. "/mnist_xavier.lua")
      assert.equal("mine\t1\n", in_folder(folder, "mnist_xavier.lua 1").out)
    end)
  end)

  it("do not give way to a folder", function()
    with_folder(function(folder)
      assert(os.execute("mkdir " .. folder .. "/xor"))
      local result = in_folder(folder, "xor --help")
      assert.equal(0, result.status)
      assert.truthy(result.out:find("--steps", 1, true), result.out)
    end)
  end)
end)
