--- tostring(tensor), character for character as PyTorch prints; spec/fixtures/make_format.py made
--- the texts.

local cases = require "spec.support.cases"
local wrun = require "wrun"

local environment = { wrun = wrun, math = math }

describe("tostring of a tensor", function()
  for _, case in ipairs(require("spec.fixtures.format")) do
    local expression, text = table.unpack(case)
    it("prints " .. expression .. " as PyTorch does", function()
      assert.equal(text, tostring(cases.evaluate(expression, environment)))
    end)
  end
end)
