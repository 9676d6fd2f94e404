--- Functions of vectors over the whole range of float32 and float64: values and derivatives up to
--- the third, beside mpmath's; spec/fixtures/make_composites.py made them.

local wrun = require "wrun"

local cases = require "spec.fixtures.composites"

-- By order, in parts of the largest element: each order adds sums whose terms cancel.
local RTOL = { float32 = { 1e-5, 1e-4, 1e-3, 1e-2 }, float64 = { 1e-13, 1e-12, 1e-10, 1e-8 } }
-- What terms of the size of 1 leave of their difference, where it is 0: 1 - y of a probability y.
local ROUNDING = { float32 = 1e-6, float64 = 1e-14 }
local SATURATES = {
  binary_cross_entropy_with_logits = true, cross_entropy = true, cross_entropy_of_shares = true,
  kl_div = true, log_softmax = true, logcumsumexp = true, logsumexp = true,
  multilabel_soft_margin_loss = true, soft_margin_loss = true, softmax = true, softmin = true,
}
-- Whose second derivatives at inputs far below eps are products of factors below the dtype.
local ONLY_FIRST_BELOW = { LayerNorm = 1e-20, RMSNorm = 1e-20 }
-- Below it digits are lost.
local LEAST = { float32 = 1e-36, float64 = 1e-290 }

-- Of the elements of y, of its gradient, and of that one's.
local WEIGHTS = { { 1, -0.5, 0.25, 2 }, { 0.5, 1, -1.5, 0.75 }, { -1, 0.25, 1, 0.5 } }

-- The value of a case and its gradients, each of the one before, weighed.
local function derivatives(call, dtype, point)
  local function tensor(numbers)
    return wrun.tensor(numbers, { dtype = dtype })
  end
  local x, results = tensor(point):requires_grad_(), {}
  local f = assert(load("local x, wrun, F, other, shares = ... return " .. call))
  local y = f(x, wrun, wrun.nn.functional, tensor { 0.5, -0.25, 1.5, 1.0 },
    tensor { 0.125, 0.25, 0.5, 0.125 })
  y = y:reshape(-1)
  results[1] = y:detach():tolist()
  for order = 1, 3 do
    local sum = (y * tensor(WEIGHTS[order]):narrow(1, 1, y:numel())):sum()
    local options = { create_graph = true, allow_unused = true }
    y = sum.requires_grad and wrun.autograd.grad(sum, x, options) or wrun.zeros_like(x)
    results[order + 1] = y:detach():tolist()
  end
  return results
end

-- Texts of what is NaN, or further off than it may be; NaN is expected where nothing is known.
local function compare(case)
  local name, call, dtype, point, expected = table.unpack(case)
  local wrong, results = {}, derivatives(call, dtype, point)
  for k = 1, math.abs(point[1]) < (ONLY_FIRST_BELOW[name] or 0) and 2 or 4 do
    local got, most = results[k], 0
    for _, want in ipairs(expected[k]) do
      most = want == want and math.max(most, math.abs(want)) or most
    end
    local allowed = RTOL[dtype][k] * most + LEAST[dtype]
    allowed = allowed + (SATURATES[name] and ROUNDING[dtype] or 0)
    for i, want in ipairs(expected[k]) do
      local is_near = math.abs(got[i] - want) <= allowed or got[i] == want
      if want == want and not is_near then
        wrong[#wrong + 1] = ("order %d, element %d: expected %g, got %g")
          :format(k - 1, i, want, got[i])
      end
    end
  end
  return wrong
end

describe("a function of vectors at extremes", function()
  for _, case in ipairs(cases) do
    it(("is right: %s of %s around %g"):format(case[1], case[3], case[4][1]), function()
      assert.same({}, compare(case))
    end)
  end

  it("would be found out", function()
    local zeros = { 0, 0, 0, 0 }
    local wrong = { "square", "x:square()", "float64", { 1.0, 2.0, 3.0, 4.0 },
      { { 1, 4, 9, 17 }, { 2, -2, 1.5, 16 }, { 1, -1, -0.75, 3 }, zeros } }
    assert.same({ "order 0, element 4: expected 17, got 16" }, compare(wrong))
  end)
end)
