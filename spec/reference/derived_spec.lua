--- Entries that follow from others: what they take from those, and what they say instead.

local check = require "wrun.check"
local comments = require "wrun.reference.comments"
local derived = require "wrun.reference.derived"
local reference = require "wrun.reference"

local SCALE = [[
--- Head.

--- Returns x times factor. It is quick.
--- shapes  x and factor broadcast
--- domain  any dtype
--- raises  `scale: argument 2: expected`; as `mul`
--- cost    little
---     print(wrun.scale(x, 2), x:scale(2))
---@param factor number
---@return wrun.Tensor
function M.scale(x, factor) end

--- Returns x twice.
--- raises  nothing
--- as      scale
function M.twice(x) end
]]

local scale, twice = table.unpack((comments.parse(SCALE, "sample")))

local function types(entry)
  local list = {}
  for i, param in ipairs(entry.params) do
    list[i] = param.name .. ": " .. param.type .. (param.optional and "?" or "")
  end
  return list
end

describe("an entry that names another", function()
  it("says what differs, and the rest is as there", function()
    local entry = derived.completed(twice, scale)
    assert.equal("Returns x twice.", entry.summary)
    assert.same({}, entry.text)
    assert.same({
      shapes = "x and factor broadcast", domain = "any dtype", raises = "nothing", cost = "little",
    }, entry.parts)
    assert.same({ "x: wrun.Tensor" }, types(entry))
    assert.equal(scale.example, entry.example)
    assert.equal("M.twice", entry.path)
  end)

  it("speaks of itself by its own name", function()
    local entry = derived.under_name(scale, "scale", "times")
    assert.equal("`times: argument 2: expected`; as `mul`", entry.parts.raises)
    assert.equal("print(wrun.times(x, 2), x:times(2))", entry.example)
    assert.equal("Returns x times factor.", entry.summary)
    assert.equal("`scale: argument 2: expected`; as `mul`", scale.parts.raises)
  end)
end)

describe("an entry derived", function()
  it("in place returns its first argument, which keeps its shape", function()
    local entry = derived.in_place(scale, "scale")
    assert.equal("`scale` in place: x becomes x times factor.", entry.summary)
    assert.equal("x and factor broadcast; x keeps its shape", entry.parts.shapes)
    assert.equal("`scale_: argument 2: expected`; as `mul`", entry.parts.raises)
    assert.equal("print(wrun.scale_(x, 2), x:scale_(2))", entry.example)
    assert.same({ { type = "wrun.Tensor", text = "x" } }, entry.returns)
  end)

  it("in the shape of another takes that and options", function()
    local entry = derived.like(scale, "scale")
    assert.equal("Returns x times factor, in the shape of x.", entry.summary)
    assert.same({ "x: wrun.Tensor", "options: table?" }, types(entry))
    assert.equal("`scale_like: argument 1: expected a tensor`; as `scale`", entry.parts.raises)
  end)

  it("of a loss calls it with the options last", function()
    local loss = {
      summary = "Makes the loss |x|.", text = {}, parts = { domain = "any" }, params = {},
      example = 'local criterion = nn.Loss({ reduction = "sum" })\nprint(criterion(x, y))',
    }
    local entry = derived.functional(loss, "nn.Loss", "some_loss", { "input", "target" })
    assert.equal("Returns the loss |x|: `nn.Loss` as a function.", entry.summary)
    assert.equal('print(nn.functional.some_loss(x, y, { reduction = "sum" }))', entry.example)
    assert.same({ "input: wrun.Tensor", "target: wrun.Tensor", "options: table?" }, types(entry))
  end)

  it("of a layer has its settings between function and input", function()
    local entry = derived.layer(scale, "nn.Scale", "scale", {
      { "by", check.number(2, 0) }, { "mode", check.choice(nil, { "a", "b" }) },
    })
    assert.equal("Makes a layer that returns x times by.", entry.summary)
    assert.same({ "by: number?", "mode: string" }, types(entry))
    assert.equal("default 2; a number >= 0", entry.params[1].text)
    assert.equal("`Scale: argument 1: expected a number >= 0`; "
      .. "`Scale: argument 2: expected a or b`; `Scale: option NAME: unknown`; as `scale`",
      entry.parts.raises)
  end)

  it("lists the options of its base that it does not list itself", function()
    local entry = { summary = "S.", text = {}, params = {}, parts = { options = "b 2; c 3" } }
    local base = { parts = { options = "a 1; b 9", raises = "`option NAME: expected`" } }
    local both = derived.with_options(entry, base)
    assert.equal("b 2; c 3; a 1", both.parts.options)
    assert.equal("`option NAME: expected`", both.parts.raises)
  end)
end)

describe("the reference", function()
  it("has an entry for what has no comment of its own", function()
    local items = reference.items(reference.faces())
    for name, summary in pairs {
      ["wrun.masked_fill_"] = "`masked_fill` in place: x becomes x with value where mask is true.",
      ["wrun.zeros_like"] = "Returns a tensor of zeros, in the shape of x.",
      ["nn.functional.l1_loss"] =
        "Returns the loss |x - y|, averaged over all elements: `nn.L1Loss` as a function.",
      ["nn.ELU"] = "Makes a layer that returns x where positive, else alpha (e^x - 1).",
    } do
      local entry = reference.documentation(items, items[name])
      assert.equal(summary, entry.summary)
      assert.is_string(entry.parts.raises)
      assert.is_string(entry.example)
    end
  end)

  it("says for a silent function of tensors that it takes any dtype, and nothing else", function()
    local items = reference.items(reference.faces())
    local entry = reference.documentation(items, items["wrun.outer"])
    assert.equal("any dtypes", entry.parts.domain)
    assert.equal("`outer: argument N: expected a tensor`", entry.parts.raises)
  end)

  it("says the type and the defaults of options by their rules", function()
    local kind, text = derived.options_type {
      dtype = check.dtype(), left = check.boolean(true), n = check.integer(nil, 1),
      generator = check.generator(),
    }
    assert.equal("{ dtype: string, generator: wrun.Generator, left: boolean, n: integer }", kind)
    assert.equal("left = true", text)
    assert.is_nil(derived.options_type { any = check.passed_on() })
    assert.is_nil(derived.options_type {})
  end)
end)
