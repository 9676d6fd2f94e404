--- The README tells the truth: its script prints what it says, its spec passes, and what it names
--- exists.

local child = require "spec.support.child"

local README = child.read("README.md")

-- Rounding differs between processors' BLAS kernels, and training carries it on.
local COST_TOLERANCE = 0.05

local function blocks(language)
  local list = {}
  for kind, text in README:gmatch("\n```(%w*)\n(.-)```\n") do
    list[#list + 1] = kind == language and text or nil
  end
  return list
end

-- Runs what the README shows, with more words before it on the command line.
local function run(text, ...)
  local name = os.tmpname()
  local words = { ... }
  words[#words + 1] = child.write(text, name .. "_spec.lua") -- busted looks at names
  local result = child.run(words)
  os.remove(name)
  os.remove(name .. "_spec.lua")
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

  it("shows a machine that learns", function()
    local picture = os.tmpname()
    local result = run((blocks("lua")[2]:gsub("fantasies.png", picture)))
    os.remove(picture)
    if result.err:find("MNIST is not on this machine", 1, true) then
      pending("MNIST is not on this machine")
      return
    end
    assert.equal("", result.err)
    assert.is_true(tonumber(result.out) > -145) -- nats; the base rate has -206
  end)

  it("shows a spec that passes", function()
    local busted = child.shell("command -v busted").out:match("%S+")
    local result = run(blocks("lua")[3], busted, "--ignore-lua", "--output=TAP")
    assert.equal(0, result.status)
    assert.is_truthy(result.out:find("^ok 1 [^\n]+\nok 2 [^\n]+\nok 3 [^\n]+\n1%.%.3\n$"))
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
    for target in README:gmatch("[`\n] *make (%l[%w-]*)") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), target)
      count = count + 1
    end
    assert.is_true(count >= 5)
  end)
end)
