--- What all shipped scripts have in common: options, --help, and no patience with what is unknown.

local lfs = require "lfs"
local script = require "spec.support.script"

local names = {}
for name in lfs.dir("scripts") do
  names[#names + 1] = name:match("^.+%.lua$")
end
table.sort(names)

describe("a shipped script", function()
  for _, name in ipairs(names) do
    it(name .. " explains itself", function()
      local output, ok = script(name, "--help")
      assert(ok, output)
      assert.equal("Usage: " .. name .. " ", output:sub(1, #name + 8))
      assert.is_truthy(output:find("--seed", 1, true), output)
    end)

    it(name .. " refuses options that it does not know", function()
      local output, ok = script(name, "--sead 1")
      assert.is_nil(ok)
      assert.is_truthy(output:find("unknown option '--sead'", 1, true), output)
    end)
  end
end)
