--- What the reference says of the rows of runtime/kernels/ops.def.

local core = require "wrun.core"
local elementwise = require "wrun.reference.elementwise"
local wrun = require "wrun"

local function entry_of(name)
  for _, row in ipairs(core.elementwise_rows()) do
    if row.name == name then
      return elementwise.entry(row)
    end
  end
end

describe("the entry of a row", function()
  it("says what the row says", function()
    local entry = entry_of("sqrt")
    assert.equal("Returns the square root of x; NaN below 0.", entry.summary)
    assert.equal("x [...] -> same", entry.parts.shapes)
    assert.same({ "x" }, entry.arguments)
    assert.equal("Is x not a number?", entry_of("isnan").summary)
  end)

  it("says which arguments need not be given", function()
    local entry = entry_of("hardtanh")
    assert.equal("b is -1 and c is 1 unless given.", entry.text[2])
    assert.is_true(entry.params[3].optional)
    assert.is_false(entry_of("add").params[2].optional)
  end)

  it("shows an example within the row's range", function()
    for _, row in ipairs(core.elementwise_rows()) do
      if row.name:find("^_") then
        break -- no script sees these
      end
      local example = elementwise.entry(row).example
      local shown = {}
      local environment = { wrun = wrun, print = function(x) shown[#shown + 1] = x end }
      assert(load(example, "=" .. row.name, "t", environment))()
      assert.equal(5, shown[1]:numel(), row.name)
    end
  end)
end)
