--- Values of operations beside PyTorch's; spec/fixtures/make_elementwise.py and its neighbours made
--- them.

local cases = require "spec.support.cases"

-- Vectorised exp, log and tanh are good to 4 units in the last place.
local ELEMENTWISE = { float32 = { ulp = 4 }, float64 = { rtol = 1e-12 } }
-- Sums may be added in another order.
local SUMS = { float32 = { rtol = 1e-5, atol = 2e-6 }, float64 = { rtol = 1e-12, atol = 1e-14 } }

local FUNCTIONS = { float32 = { ulp = 4 }, float64 = { rtol = 1e-12 }, gradients = SUMS }

-- Sums of terms that cancel near a zero: 4 steps of what the size 1 has.
local ACTIVATIONS = {
  float32 = { ulp = 4, scale = 1 }, float64 = { rtol = 1e-12, atol = 1e-15 }, gradients = SUMS,
}

local FIXTURES = {
  { "counting", SUMS },
  { "elementwise", ELEMENTWISE },
  { "functions", FUNCTIONS },
  { "activations", ACTIVATIONS },
  { "promotion", ELEMENTWISE },
  { "reductions", SUMS },
  { "order", ELEMENTWISE },
  { "relations", SUMS },
  { "scans", SUMS },
  { "statistics", SUMS },
  { "products", SUMS },
  { "views", {} },
  { "indexing", {} },
  { "shapes", {} },
  { "creation", ELEMENTWISE },
}

for _, fixture in ipairs(FIXTURES) do
  local name, rules = table.unpack(fixture)
  describe(name .. " #many", function()
    for claim, check in cases.each(require("spec.fixtures." .. name), rules) do
      it(claim, check)
    end
  end)
end
