--- The README tells the truth: its script prints what it says, its spec passes, and what it names
--- exists.

local child = require "spec.support.child"
local source = require "spec.support.source"
local structure = require "spec.support.structure"

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

  it("shows what is wrong with a start", function()
    local result = run(blocks("lua")[2])
    assert.equal("", result.err)
    -- the digits depend on rounding
    assert.equal((blocks("")[2]:gsub("0%.%d+", "0.7")), (result.out:gsub("0%.%d+", "0.7")))
  end)

  it("shows a machine that learns", function()
    local picture = os.tmpname()
    local result = run((blocks("lua")[3]:gsub("fantasies.png", picture)))
    os.remove(picture)
    if result.err:find("MNIST is not on this machine", 1, true) then
      pending("MNIST is not on this machine")
      return
    end
    assert.equal("", result.err)
    assert.is_true(tonumber(result.out) > -145) -- nats; the base rate has -206
  end)

  it("shows a run that goes on, to the end that it came to", function()
    child.with_folder(function(folder)
      local script = child.write(blocks("lua")[4], folder .. "/lines.lua")
      local function again()
        local wrun = child.quote(child.wrun)
        local result = child.shell(("cd %s && %s %s"):format(folder, wrun, script))
        assert.equal("", result.err)
        return result.out
      end
      local fingerprint = again():match("^1\ttrue\n2\ttrue\n3\ttrue\n4\ttrue\n5\ttrue\n(%x+)\n$")
      assert.is_string(fingerprint)
      assert.equal(fingerprint .. "\n", again())
    end)
  end)

  it("shows what its study comes to", function()
    child.with_folder(function(folder)
      local script = child.write(blocks("lua")[5], folder .. "/study.lua")
      local wrun = child.quote(child.wrun)
      local result = child.shell(("cd %s && %s %s"):format(folder, wrun, script))
      assert.equal("", result.err)
      local function words(text) -- the digits depend on rounding
        return (text:gsub("%d+%.%d%d%d+", "0"):gsub(" +", " "))
      end
      assert.equal(words(blocks("")[3]), words(result.out))
    end)
  end)

  it("shows a spec that passes", function()
    local busted = child.shell("command -v busted").out:match("%S+")
    local result = run(blocks("lua")[6], busted, "--ignore-lua", "--output=TAP")
    assert.equal(0, result.status)
    assert.is_truthy(result.out:find("^ok 1 [^\n]+\nok 2 [^\n]+\nok 3 [^\n]+\n1%.%.3\n$"))
  end)

  it("names files that exist, as the list for contributors does", function()
    local count = 0
    for _, text in ipairs { README, child.read(".github/CONTRIBUTING.md") } do
      for path in text:gmatch("%f[%w_./-]([%w_.-]+/[%w_/]+%.%l+)%f[^%w_.]") do
        local is_example = path:find("^build/") or path:find("NAME") or path:find("ASPECT")
        if not is_example then
          child.read(path)
          count = count + 1
        end
      end
    end
    assert.is_true(count >= 30, count)
  end)

  it("shows where x:sum() is computed, has its gradient, and is tested", function()
    for path, what in pairs {
      ["lua/wrun/tensor/reduce.lua"] = "\nfunction M%.sum%(",
      ["runtime/bind/bind_reduce.c"] = '"sum"',
      ["runtime/kernels/reduce.c"] = "elements summed",
      ["spec/tensor/reduce_spec.lua"] = "sum",
    } do
      assert.matches("\n    " .. path .. "  ", README, 1, true)
      assert.matches(what, child.read(path))
    end
  end)
end)

describe("a README", function()
  local function is_there(path)
    local file = io.open(path)
    return file and file:close()
  end

  -- The text of the nearest README above a folder.
  local function above(folder)
    folder = structure.folder(folder)
    return is_there(folder .. "/README.md") and child.read(folder .. "/README.md") or above(folder)
  end

  it("is in each folder, or the one above names the folder", function()
    local missing, seen = {}, {}
    for path in pairs(source.tree()) do
      local folder = structure.folder(path)
      local name = "%f[%w]" .. folder:match("[^/]+$") .. "/"
      if not seen[folder] and not is_there(folder .. "/README.md")
        and not above(folder):find(name) then
        missing[#missing + 1] = folder
      end
      seen[folder] = true
    end
    assert.same({}, missing)
  end)

  it("names only files that its folder has", function()
    local wrong = {}
    for path in pairs(source.tree()) do
      local folder = structure.folder(path)
      local text = is_there(folder .. "/README.md") and child.read(folder .. "/README.md") or ""
      for name, kind in text:gmatch("`([%w_]+%.(%l+))`") do
        local is_file = (" c def h lua py "):find(" " .. kind .. " ") and not name:find("NAME")
        if is_file and not is_there(folder .. "/" .. name) then
          wrong[folder .. "/README.md: " .. name] = true
        end
      end
    end
    assert.same({}, wrong)
  end)
end)

describe("the Makefile", function()
  local makefile = child.read("Makefile")

  it("has the targets that the README and the list for contributors name", function()
    local text, count = README .. child.read(".github/CONTRIBUTING.md"), 0
    for target in text:gmatch("[`\n] *make (%l[%w-]*)") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), target)
      count = count + 1
    end
    assert.is_true(count >= 20, count)
  end)

  it("explains every target in make help", function()
    local help = child.shell("make -s help").out
    local count = 0
    for target in makefile:match("\n%.PHONY:(.-[^\\])\n"):gmatch("[%l-]+") do
      assert.matches("make " .. target:gsub("%-", "%%-") .. " +%w", help)
      count = count + 1
    end
    assert.is_true(count >= 20, count)
  end)
end)
