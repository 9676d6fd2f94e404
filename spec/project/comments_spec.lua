--- The comments of the library: few beside its code, and none that says what follows.

local arguments = require "wrun.reference.arguments"
local comments = require "wrun.reference.comments"
local errors = require "wrun.reference.errors"
local files = require "spec.support.files"
local sources = require "wrun.sources"

local MOST = 0.22 -- of all lines

--- the text of a module, in the program or in the folder that WRUN_LUA names
local function source_of(name)
  local text, path = sources.text(name)
  return text or files.read(path)
end

--- how many lines a source has, and how many of them are comments
local function count(text)
  local lines, commented = 0, 0
  for line in text:gmatch("([^\n]*)\n") do
    lines = lines + 1
    commented = commented + (line:find("^%s*%-%-") and 1 or 0)
  end
  return lines, commented
end

--- "M.f: x" for each tag of a source that only repeats what the function checks
local function repeated(text, module)
  local source, list = errors.parse(text), {}
  for _, entry in ipairs((comments.parse(text, module))) do
    local checked = entry.path and arguments.of(source, entry.path) or {}
    for _, param in ipairs(entry.is_typed and {} or entry.params) do
      local said = checked[param.name]
      local shown = said and (said.default == nil and "" or tostring(said.default))
      if said and not param.is_usual and param.type == said.type and param.text == shown
        and param.optional == (said.optional or false) then
        list[#list + 1] = ("%s: %s: %s"):format(module, entry.path, param.name)
      end
    end
  end
  return list
end

describe("the comments", function()
  it("are at most a share of all lines", function()
    local lines, commented = 0, 0
    for _, name in ipairs(sources.names()) do
      local all, some = count(source_of(name))
      lines, commented = lines + all, commented + some
    end
    assert.is_true(lines > 10000)
    assert.is_true(commented <= MOST * lines, ("%d of %d"):format(commented, lines))
  end)

  it("have no tag that repeats what a function checks", function()
    local list = {}
    for _, name in ipairs(sources.names()) do
      table.move(repeated(source_of(name), name), 1, 100, #list + 1, list)
    end
    assert.same({}, list)
  end)

  it("would be found out", function()
    assert.same({ 3, 2 }, { count("-- a\nlocal b -- c\n  --- d\n") })
    assert.same({ "sample: M.scale: factor", "sample: M.scale: times" }, repeated([[
--- Head.

local check = require "wrun.check"

--- Scales.
---@param factor number
---@param times integer?  2
---@param most integer? as many as there are
function M.scale(factor, times, most)
  check.argument("scale", 1, factor, check.number())
  check.argument("scale", 2, times, check.integer(2))
  check.argument("scale", 3, most, check.integer(9))
end
]], "sample"))
  end)
end)
