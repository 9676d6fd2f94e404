--- Precompiled Lua is refused, whichever way it comes.

local child = require "spec.support.child"

local run, with_file, with_folder = child.run, child.with_file, child.with_folder

describe("precompiled Lua", function()
  local binary = string.dump(function() return 1 end)
  local refusal = "attempt to load a binary chunk (mode is 't')"

  it("is refused as a script, a file and standard input", function()
    with_file(binary, function(path)
      local env = { env = "LUA_INIT=@" .. path }
      local stdin = { input = binary }
      local ways = { { { path } }, { { "-" }, stdin }, { {}, stdin }, { { "-v" }, env } }
      for _, way in ipairs(ways) do
        local result = run(table.unpack(way))
        assert.equal(1, result.status)
        assert.truthy(result.err:find(refusal, 1, true), result.err)
      end
    end)
  end)

  it("is refused by load, loadfile, dofile and require, whatever the mode", function()
    assert.same({ nil, refusal }, { load(binary, "=b") })
    assert.same({ nil, refusal }, { load(binary, "=b", "bt") })
    assert.is_nil(load(binary, "=b", "b"))
    assert.is_nil(load(function() local part = binary binary = nil return part end))
    with_file(string.dump(function() return 1 end), function(path)
      for _, mode in ipairs({ "t", "bt" }) do
        local chunk, message = loadfile(path, mode)
        assert.is_nil(chunk)
        assert.truthy(message:find(refusal, 1, true), message)
      end
      assert.is_nil(loadfile(path, "b"))
      assert.error_matches(function() dofile(path) end, refusal, 1, true)
      local before = package.path
      package.path = path
      local ok, message = pcall(require, "precompiled")
      package.path = before
      assert.is_false(ok)
      local expected = "error loading module 'precompiled' from file '%s':\n\t"
      assert.equal(expected:format(path), message:sub(1, #expected + #path - 2))
      assert.truthy(message:find(refusal, 1, true), message)
    end)
  end)

  it("is refused from WRUN_LUA", function()
    with_folder(function(folder)
      child.write(string.dump(function() return 1 end), folder .. "/wrun.lua")
      local result = run({ "-e", "require 'wrun'" }, { env = "WRUN_LUA=" .. folder })
      assert.truthy(result.err:find(refusal, 1, true), result.err)
    end)
  end)
end)
