--- Elementwise operations over the whole range of float32 and float64: values and derivatives up to
--- the third, beside mpmath's; spec/fixtures/make_extremes.py made them.

local core = require "wrun.core"
local extremes = require "spec.support.extremes"

local cases = require "spec.fixtures.extremes"

-- Rows that are no smooth function of a number: choices, roundings, comparisons, quotients. Those of
-- losses have their extremes in losses_extremes_spec.lua.
local OTHERS = {
  add = true, clamp = true, copysign = true, floor_divide = true, fmax = true, fmod = true,
  frac = true, hardshrink = true, hardtanh = true, heaviside = true, maximum = true, minimum = true,
  mul = true, polygamma = true, remainder = true, softshrink = true, sub = true, threshold = true,
  where = true,
}

describe("an elementwise operation at extremes", function()
  for _, case in ipairs(cases) do
    it(("is right: %s of %s, argument %d, others %s"):format(case[1], case[4], case[2],
      table.concat(case[3], " ")), function()
      for order, result in pairs(extremes.compare(case)) do
        if not extremes.exception(case, order) then
          assert.same({}, result.wrong)
        end
      end
    end)
  end

  it("would be found out", function()
    local wrong = { "exp", 1, {}, "float64", { 0.0, 710.0 }, { { 1.0, 5.0 }, {}, {}, {} } }
    assert.same({ "exp of float64: order 0 at 710: expected 5, got inf" },
      extremes.compare(wrong)[0].wrong)
  end)

  it("has its points, where it has a derivative", function()
    local known = {}
    for _, case in ipairs(cases) do
      known[case[1]] = true
    end
    for _, row in ipairs(core.elementwise_rows()) do
      local is_smooth = false
      for _, text in ipairs(row.derivatives) do
        is_smooth = is_smooth or text ~= "0"
      end
      local has_place = OTHERS[row.name] or row.name:find("^_") ~= nil
      assert.is_true(known[row.name] or has_place or not is_smooth, row.name)
    end
  end)
end)
