--- Layers and losses beside PyTorch's: the cases of their fixtures, a module's at a time.

local cases = require "spec.support.cases"

local M = {}

-- Sums may be added in another order; a gradient through a mean is what is left of larger terms.
local LAYERS = {
  float32 = { rtol = 1e-5, atol = 2e-6 },
  float64 = { rtol = 1e-12, atol = 1e-14 },
  gradients = { float32 = { rtol = 1e-4, atol = 1e-5 }, float64 = { rtol = 1e-11, atol = 1e-13 } },
}

-- Draws are the same; normal ones go through log and cos, AlphaDropout's through numbers rounded to
-- float32 in between.
local DRAWS = { float32 = { ulp = 16 }, float64 = { rtol = 1e-12 } }

-- Sums may be added in another order, and terms of both signs cancel.
local LOSSES = { float32 = { rtol = 1e-5, atol = 1e-6 }, float64 = { rtol = 1e-12, atol = 1e-14 } }

local RULES = {
  layers = function(expression)
    if expression:find(".Dropout(", 1, true) then
      return {}
    end
    return expression:find("manual_seed", 1, true) and DRAWS or LAYERS
  end,
  losses = function()
    return LOSSES
  end,
}

local function load_fixture(fixture, dtype)
  return require(("spec.fixtures.%s_%s"):format(fixture, dtype))
end

--- Returns what a case is about: the first class or function of nn that its expression names.
local function subject_of(expression)
  return expression:match("wrun%.nn%.functional%.([%w_]+)") or expression:match("wrun%.nn%.(%w+)")
end

--- Iterates over the cases of a fixture, "layers" or "losses", in both dtypes, that are about what
--- the module `subjects` has, or about the class it is: what each claims, and the function that
--- asserts it.
function M.each(fixture, subjects)
  return coroutine.wrap(function()
    for _, dtype in ipairs { "float64", "float32" } do
      local data = load_fixture(fixture, dtype)
      local own = { inputs = data.inputs, cases = {} }
      for _, case in ipairs(data.cases) do
        local subject = subject_of(case[1])
        if rawget(subjects, subject) ~= nil or subjects.__name == subject then
          own.cases[#own.cases + 1] = case
        end
      end
      assert(#own.cases > 0, "the fixture has no such cases")
      for claim, check in cases.each(own, RULES[fixture]) do
        coroutine.yield(("%s, in %s"):format(claim, dtype), check)
      end
    end
  end)
end

--- Returns the subjects of all cases of a fixture as a set.
function M.subjects(fixture)
  local found = {}
  for _, dtype in ipairs { "float64", "float32" } do
    for _, case in ipairs(load_fixture(fixture, dtype).cases) do
      found[subject_of(case[1])] = true
    end
  end
  return found
end

return M
