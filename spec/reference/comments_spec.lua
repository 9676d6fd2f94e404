--- Comments as the reference takes them apart.

local comments = require "wrun.reference.comments"

local SAMPLE = [[
--- What the file is.
-- And more.

local M = {}

--- Returns both, e.g. a pair. Then more
--- of it:
---     a formula
--- and so on.
---
--- Another paragraph.
--- shapes  x [n] ->
---   y [n]
--- raises  `both: argument 1`;
---   `both: argument 2`
---
---     local x = M.both(1)
---     print(x)
---@param x table<string, { a: number }>?  the
---@param y? fun(a: integer, ...): string, number how
---@return Tensor[]  both
---@return nil
function M.both(x,
  y) end

function M.bare() end

---@class wrun.nn.Thing: wrun.nn.Module
---@field size integer[] its size
---@field [integer] string?
local Thing = {}

--- Sets it.
---@type fun(self: Thing, value: number|nil, ...: any)
Thing.set = function() end

  --- Indented.
  function Thing.inner(a) end
]]

describe("a comment", function()
  local entries, head, returned = comments.parse(SAMPLE .. "\nreturn M\n", "sample")

  it("is taken apart", function()
    assert.equal("What the file is.", head.summary)
    assert.same({ "And more." }, head.text)
    assert.equal("M", returned)
    assert.equal(5, #entries)
    assert.same({
      module = "sample",
      line = 23,
      path = "M.both",
      summary = "Returns both, e.g. a pair.",
      text = { "Then more of it:", "    a formula", "and so on.", "", "Another paragraph." },
      parts = { shapes = "x [n] -> y [n]", raises = "`both: argument 1`; `both: argument 2`" },
      example = "local x = M.both(1)\nprint(x)",
      params = {
        { name = "x", type = "table<string, { a: number }>", text = "the", optional = true },
        { name = "y", type = "fun(a: integer, ...): string, number", text = "how",
          optional = true },
      },
      returns = { { type = "Tensor[]", text = "both" }, { type = "nil", text = "" } },
      fields = {},
      arguments = { "x", "y" },
    }, entries[1])
  end)

  it("may be missing", function()
    assert.is_true(entries[2].is_bare)
    assert.equal("M.bare", entries[2].path)
  end)

  it("may describe a class or an assignment", function()
    assert.equal("wrun.nn.Thing", entries[3].class)
    assert.equal("wrun.nn.Module", entries[3].base)
    assert.same({
      { name = "size", type = "integer[]", text = "its size" },
      { name = "[integer]", type = "string?", text = "" },
    }, entries[3].fields)
    assert.same({
      { name = "value", type = "number|nil", text = "", optional = false },
      { name = "...", type = "any", text = "", optional = false },
    }, entries[4].params)
    assert.is_true(entries[4].is_typed)
    assert.equal("Indented.", entries[5].summary)
    assert.equal(38, entries[5].line)
  end)

  it("takes results from the names behind the arrow, and an example after a sentence", function()
    local found = comments.parse([[
--- Head.

--- Returns factors.
---     print(M.factors(x))
--- shapes  x [m, n] -> u [m, k], s [k]; k = min(m, n)
function M.factors(x) end

--- Returns x squared.
--- shapes  x [n] -> y [n]
function M.square(x) end
]], "sample")
    assert.equal("print(M.factors(x))", found[1].example)
    assert.same({ { type = "wrun.Tensor", text = "u" }, { type = "wrun.Tensor", text = "s" } },
      found[1].returns)
    assert.same({ { type = "wrun.Tensor", text = "" } }, found[2].returns)
  end)
end)
