--- The reference: whatever is public is documented as STYLE asks, and every example runs. Each rule
--- is also shown comments that break it.

local comments = require "wrun.reference.comments"
local reference = require "wrun.reference"
local public_items = require "spec.support.public_items"
local rules = require "spec.support.rules_of_reference"
local run = require "spec.support.example"

-- Each rule, a source of which some comments break it and others do not, and what it says of them.
local RULES = {
  {
    "it begins with a sentence",
    rules.summaries,
    [[
--- Returns what is good. More of it.
function M.good() end

--- Is a an element?
function M.asks(a) end

function M.bare() end

--- shapes  any
function M.silent() end

--- the sum
function M.lower() end

--- Returns the sum
function M.endless() end
]],
    {
      "M.bare: has no comment",
      "M.endless: the summary is no sentence: Returns the sum",
      "M.lower: the summary is no sentence: the sum",
      "M.silent: has no summary",
    },
  },
  {
    "functions that take or give tensors say the shapes",
    rules.shapes,
    [[
--- Returns x.
--- shapes  x [...] -> same
---@param x Tensor
---@return Tensor
function M.good(x) end

--- Returns a number.
---@param n integer
---@return integer
function M.number(n) end

--- Returns tensors.
---@type fun(list: wrun.Tensor[]): number
M.taking = f

--- Returns tensors.
---@return Tensor?
function M.giving() end
]],
    { "M.giving: says no shapes", "M.taking: says no shapes" },
  },
  {
    "functions with arguments say which values are good",
    rules.domains,
    [[
--- Returns x.
--- domain  any
---   number
---@param x number
function M.good(x) end

--- Returns 1.
function M.nothing() end

--- Returns x.
---@param x number
function M.unclear(x) end
]],
    { "M.unclear: says no domain" },
  },
  {
    "every argument has a type, by its tag or its name",
    rules.params,
    [[
--- Returns x.
---@param x number
---@param list { a: number, b: fun(c: integer): string }?  of things
---@param ... any
function M.good(x, list,
  ...) end

--- Returns x.
---@type fun(x: Tensor, d?: integer|integer[]): Tensor
M.typed = f

--- Returns x.
---@type fun(self: Class, x: number)
function Class:method(x) end

--- Returns x.
---@param y number
---@param z number
---@param x number
function M.swapped(x, y) end

--- Returns x.
---@param x number
function M.missing(x, factor) end

--- Returns x.
---@param x
function M.untyped(x) end
]],
    {
      "M.missing: has tags for (x), takes (x, factor)",
      "M.swapped: has tags for (y, z, x), takes (x, y)",
      "M.untyped: argument x has no type",
    },
  },
  {
    "functions show an example",
    rules.examples,
    [[
--- Returns x.
---
---     print(wrun.good(1))
function M.good(x) end

--- Returns x:
---     x
function M.formula(x) end
]],
    { "M.formula: shows no example" },
  },
  {
    "what comes back has a tag",
    rules.returns,
    [[
--- Returns x.
---@return number
function M.good(x) end

--- Sets x.
function M.sets(x) end

--- Returns x.
function M.promises(x) end

--- Is it so?
function M.asks(x) end

--- Sets x and returns it.
function M.both(x) end
]],
    {
      "M.both: promises a result without a tag",
      "M.promises: promises a result without a tag",
    },
  },
}

--- What comments.parse finds, as items.
local function items_of(text)
  local items = {}
  local entries = comments.parse("--- Head.\n\n" .. text, "sample")
  for i, entry in ipairs(entries) do
    items[i] = {
      name = entry.path,
      kind = "function",
      value = entry,
      entry = not entry.is_bare and entry or nil,
    }
  end
  return items
end

describe("the reference", function()
  local public = public_items()

  for _, rule in ipairs(RULES) do
    local title, check, lawless, complaints = table.unpack(rule)
    it("obeys: " .. title, function()
      assert.same({}, check(public))
    end)
    it("would be found out: " .. title, function()
      assert.same(complaints, check(items_of(lawless)))
    end)
  end

  local TYPES = [[
---@class Thing
---@field good Thing?
---@field list { a: Thing[], b: fun(thing: Thing, ...): string, number }
local Thing = {}

---@alias wrun.Thing Thing
local alias

--- Returns x.
---@param x wrun.Thing|"string"|table<string, any>
function M.good(x) end

--- Returns x.
---@param x { thing: Thin }
function M.bad(x) end

--- Returns x.
---@type fun(x: integer): Thing, thing
M.worse = f
]]

  it("obeys: the types that tags name exist", function()
    local all = {}
    for i, entry in ipairs(reference.entries()) do
      all[i] = { name = ("%s:%d"):format(entry.module, entry.line), entry = entry }
    end
    assert.is_true(#all > 500)
    assert.same({}, rules.types(all))
  end)

  it("would be found out: the types that tags name exist", function()
    assert.same({
      "M.bad: nothing is of the type Thin", "M.worse: nothing is of the type thing",
    }, rules.types(items_of(TYPES)))
  end)

  it("obeys: a layer says the shapes of what goes in and comes out", function()
    assert.same({}, rules.layers(public))
  end)

  it("would be found out: a layer says the shapes of what goes in and comes out", function()
    local function class(name, parts, forward_parts)
      local forward = { name = name .. ":forward", entry = { parts = forward_parts } }
      return { name = name, kind = "class", entry = { parts = parts }, members = { forward } }
    end
    assert.same({ "C: says no shapes, nor does its forward" }, rules.layers {
      class("A", { shapes = "any" }, {}), class("B", {}, { shapes = "any" }), class("C", {}, {}),
    })
  end)
end)

describe("the examples #many", function()
  local seen = {}
  for _, item in ipairs(public_items()) do
    local example = item.entry and item.entry.example
    if example and not seen[example] then
      seen[example] = true
      it(item.name .. " runs by itself and shows something", function()
        local ok, out = pcall(run, item.name, example)
        if not ok and tostring(out):find("is not on this machine", 1, true) then
          pending("its data is not on this machine")
          return
        end
        assert.is_true(ok, out)
        assert.is_true(out ~= "" or example:find("assert", 1, true) ~= nil, "it shows nothing")
      end)
    end
  end

  it("nothing would be found out", function()
    assert.has_error(function() run("x", "local x = nobody.knows") end)
    assert.has_error(function() run("x", "leaked = 1") end, "the example sets the global leaked")
    assert.equal("1\t2", run("x", "print(1, 2)"))
  end)
end)
