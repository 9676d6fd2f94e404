--- tostring(tensor), character for character as PyTorch prints; spec/fixtures/make_format.py made
--- the texts.

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local environment = { wrun = wrun, math = math }

local function restore()
  wrun.set_printoptions { profile = "default" }
end

describe("tostring of a tensor", function()
  after_each(restore)

  for _, case in ipairs(require("spec.fixtures.format")) do
    local expression, text = table.unpack(case)
    it("prints " .. expression .. " as PyTorch does", function()
      assert.equal(text, tostring(cases.evaluate(expression, environment)))
    end)
  end
end)

describe("set_printoptions and get_printoptions", function()
  after_each(restore)

  local function now(given)
    wrun.set_printoptions(given)
    return wrun.get_printoptions()
  end

  it("keep what is left out, but sci_mode", function()
    local default = { precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80 }
    assert.same(default, wrun.get_printoptions())
    assert.same({
      precision = 2, threshold = 1000, edgeitems = 3, linewidth = 80, sci_mode = false,
    }, now({ precision = 2, sci_mode = false }))
    assert.same({ precision = 2, threshold = 1000, edgeitems = 5, linewidth = 80 },
      now({ edgeitems = 5 }))
    assert.same({ precision = 2, threshold = 1000, edgeitems = 5, linewidth = 80 }, now())
    assert.same({ precision = 2, threshold = 1000, edgeitems = 2, linewidth = 72 },
      now({ profile = "short", linewidth = 72 }))
    assert.same({ precision = 4, threshold = math.huge, edgeitems = 3, linewidth = 80 },
      now({ profile = "full" }))
    assert.same(default, now({ profile = "default" }))
  end)

  it("take and give tables of their own", function()
    local given = { precision = 1 }
    wrun.set_printoptions(given)
    given.precision = 3
    wrun.get_printoptions().precision = 2
    assert.equal("tensor(0.5)", tostring(wrun.tensor(0.5)))
    wrun.set_printoptions { profile = "short" }
    wrun.get_printoptions().precision = 7
    wrun.set_printoptions { profile = "short" }
    assert.equal(2, wrun.get_printoptions().precision)
  end)

  it("refuse what is no option, and then change nothing", function()
    for _, case in ipairs({
      { 5, "expected a table of options, got 5; write { NAME = 5 }, NAME one of edgeitems, "
        .. "linewidth, precision, threshold" },
      { { digits = 2 }, "option digits: unknown; the options are edgeitems, linewidth, precision, "
        .. "profile, sci_mode, threshold" },
      { { edgeitems = 1, precision = -1 }, "option precision: expected an integer from 0 to 99, "
        .. "got -1" },
      { { precision = 100 }, "option precision: expected an integer from 0 to 99, got 100" },
      { { precision = 1.5 }, "option precision: expected an integer from 0 to 99, got 1.5" },
      { { threshold = -1 }, "option threshold: expected a number >= 0, got -1" },
      { { threshold = 0 / 0 }, "option threshold: expected a number >= 0, got nan" },
      { { edgeitems = -1 }, "option edgeitems: expected an integer >= 0, got -1" },
      { { linewidth = 0 }, "option linewidth: expected an integer >= 1, got 0" },
      { { sci_mode = 1 }, "option sci_mode: expected true or false, got 1" },
      { { profile = "long" }, "option profile: expected default, short or full, got the string "
        .. "'long'" },
    }) do
      local given, message = table.unpack(case)
      assert.equal("set_printoptions: " .. message, refusal(wrun.set_printoptions, given))
      assert.equal(3, wrun.get_printoptions().edgeitems)
    end
  end)
end)
