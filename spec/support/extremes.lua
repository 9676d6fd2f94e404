--- Elementwise operations beside values that mpmath has for them, at ordinary and extreme points.

local wrun = require "wrun"

local M = {}

-- What the values may be wrong by and still be right: steps of the expected value ...
local ULP = 64
-- ... or, where y is near a bound and its distance from that bound is what a derivative is made of
-- (1 - y in a sigmoid's y (1 - y)), steps of 1.
local SATURATES = {
  celu = true, elu = true, expm1 = true, gelu_erf = true, gelu_tanh = true, logaddexp = true,
  logaddexp2 = true, logsigmoid = true, mish = true, selu = true, sigmoid = true, silu = true,
  softplus = true, tanh = true, tanhshrink = true,
}

-- { operation, argument, others or any, dtype or both, lowest order } and why: what is not right,
-- and stays so.
local EXCEPTIONS = {
  { "lerp", 1, "2.0 0.25", nil, 0, "a + c (b - a) at an infinite a, as in PyTorch" },
  { "pow", 2, nil, nil, 4, "b a^(b - 1): b - 1 is rounded, and b log(a) may be beyond the type" },
}

--- Returns why a case of this order need not hold, or nil.
function M.exception(case, order)
  local others = table.concat(case[3], " ")
  for _, e in ipairs(EXCEPTIONS) do
    if case[1] == e[1] and case[2] == e[2] and (e[3] or others) == others
      and (e[4] or case[4]) == case[4] and order >= e[5] then
      return e[6]
    end
  end
end

local MANTISSA = { float32 = { 24, -149 }, float64 = { 53, -1074 } }

-- The step from one number to the next at x.
local function step(x, dtype)
  local bits, least = table.unpack(MANTISSA[dtype])
  if x == 0 then
    return 2.0 ^ least
  end
  local exponent = math.floor(math.log(math.abs(x), 2))
  exponent = 2.0 ^ exponent > math.abs(x) and exponent - 1 or exponent
  return math.max(2.0 ^ (exponent - bits + 1), 2.0 ^ least)
end

-- The operation of a case on x, with its other arguments as tensors; and these.
local function call(case, x)
  local others = {}
  for i, value in ipairs(case[3]) do
    others[i] = wrun.full(x.shape, value, { dtype = case[4] }):requires_grad_()
  end
  local arguments = { table.unpack(others) }
  table.insert(arguments, case[2], x)
  return wrun[case[1]](table.unpack(arguments)), others
end

local function derivative(y, x)
  local options = { create_graph = true, allow_unused = true }
  return y.requires_grad and wrun.autograd.grad(y:sum(), x, options) or wrun.zeros_like(x)
end

--- the value, three derivatives by x, and the mixed second one where there is one other argument
local function computed(case, x)
  local y, others = call(case, x)
  local first = derivative(y, x)
  local second = derivative(first, x)
  return { y, first, second, derivative(second, x), #others == 1 and derivative(first, others[1]) }
end

--- Returns for each order { points, worst, wrong = { texts } }: how many points have an expected
--- value, the largest error in steps of it (of 1, where that is allowed), and what is NaN, infinite
--- or further off than it may be. The orders are 0 to 3, and 4 for the mixed second derivative.
function M.compare(case)
  local name, _, others, dtype, points, expected = table.unpack(case)
  local x = wrun.tensor(points, { dtype = dtype }):requires_grad_()
  local results, ys = {}, computed(case, x)
  for order = 0, #expected - 1 do
    local result = { points = 0, worst = 0, wrong = {} }
    local got = ys[order + 1]:detach():tolist()
    for i, want in ipairs(expected[order + 1]) do
      if want == want then
        result.points = result.points + 1
        local unit = step(want, dtype)
        unit = SATURATES[name] and math.max(unit, step(1, dtype)) or unit
        local off = got[i] == want and 0 or math.abs(got[i] - want) / unit
        if off ~= off or off > ULP then
          result.wrong[#result.wrong + 1] = ("%s of %s%s: order %d at %g: expected %g, got %g")
            :format(name, dtype, #others > 0 and " with " .. table.concat(others, ", ") or "",
              order, points[i], want, got[i])
        else
          result.worst = math.max(result.worst, off)
        end
      end
    end
    results[order] = result
  end
  return results
end

return M
