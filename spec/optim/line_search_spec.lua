--- The line search of LBFGS beside PyTorch's (spec/fixtures/make_lbfgs.py).

local line_search = require "wrun.optim.line_search"
local near = require "spec.support.near"

local fixture = require "spec.fixtures.lbfgs"

-- A few roundings for each of some ten interpolations.
local LINE = { rtol = 1e-12, atol = 1e-12 }

describe("strong_wolfe", function()
  for _, case in ipairs(fixture.searches) do
    local how = ("from %g over %g cos(%g t) + %g (t - 1)^2 in %d steps"):format(case.t, case.a,
      case.b, case.c, case.most)
    it("tries what PyTorch tries " .. how, function()
      local tried = {}
      local function at(t)
        tried[#tried + 1] = t
        return {
          t = t,
          f = case.c * (t - 1) ^ 2 + case.a * math.cos(case.b * t),
          slope = 2 * case.c * (t - 1) - case.a * case.b * math.sin(case.b * t),
        }
      end
      local start = at(0.0)
      tried = {}
      local point = line_search.strong_wolfe(at, start, case.t, case.most, 1)
      near.lists(case.calls, tried, LINE)
      near.lists({ case.found, case.f, case.slope }, { point.t, point.f, point.slope }, LINE)
    end)
  end
end)
