--- The README tells the truth: its script prints what it says, its spec passes, what it names exists.

local child = require "spec.support.child"

local README = child.read("README.md")

-- Rounding differs between processors' BLAS kernels, and training carries it on.
local COST_TOLERANCE = 0.05

local function blocks(language)
  local list = {}
  for text in README:gmatch("\n```" .. language .. "\n(.-)```\n") do
    list[#list + 1] = text
  end
  return list
end

local function run(text, command)
  local script = child.write(text)
  local result = child.run({ script }, command)
  os.remove(script)
  return result
end

describe("the README", function()
  it("shows what its script prints", function()
    local script, promised = blocks("lua")[1], blocks("")[1]
    local result = run(script)
    assert.equal("", result.err)
    local pattern = "(%a+)%s+([%d.]+)\n"
    local printed = result.out:gmatch(pattern)
    local count = 0
    for name, cost in promised:gmatch(pattern) do
      local name_printed, cost_printed = printed()
      assert.equal(name, name_printed)
      assert.near(tonumber(cost), tonumber(cost_printed), COST_TOLERANCE)
      count = count + 1
    end
    assert.equal(3, count)
    assert.is_nil(printed())
  end)

  it("has a script of about twenty lines", function()
    local _, lines = blocks("lua")[1]:gsub("\n%s*%S", "")
    assert.is_true(lines <= 22, lines .. " lines")
  end)

  it("shows a spec that passes", function()
    local result = run('require "busted.runner"()\n' .. blocks("lua")[2])
    assert.equal(0, result.status)
    assert.is_truthy(result.out:find("2 successes / 0 failures / 0 errors / 0 pending", 1, true))
  end)

  it("names files that exist", function()
    local count = 0
    for path in README:gmatch("`([%w_/]+/[%w_]+%.[%a]+)`") do
      if not path:find("^build/") then
        child.read(path)
        count = count + 1
      end
    end
    assert.is_true(count >= 10)
  end)

  it("names targets that make has", function()
    local makefile = child.read("Makefile")
    local count = 0
    for target in README:gmatch("%f[%w]make (%l[%w-]*)") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), target)
      count = count + 1
    end
    assert.is_true(count >= 5)
  end)
end)
