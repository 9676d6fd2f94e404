--- The truncated normal distribution.

local check = require "wrun.check"
local common = require "wrun.nn.init.common"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- The share of a normal distribution below x.
local function below(x)
  return (1 + wrun.erf(wrun.tensor(x / math.sqrt(2), { dtype = "float64" })):item()) / 2
end

-- Uniform draws are worth rejecting down to this chance to be kept, and up to this distance from
-- the mean, in std, beyond which float32 has no digits left for ratios of densities.
local CHANCE, FAR = 0.001, 100
-- Rounds that leave none of 10^12 elements at that chance. Where rounding puts a bound out of reach
-- draws outlast them.
local ROUNDS = 50 / CHANCE

-- Fills with draw(x), and anew what refused(x) says, until that is nothing; returns whether it was.
local function reject(tensor, draw, refused)
  draw(tensor)
  local pending = refused(tensor)
  for _ = 1, ROUNDS do
    if not pending:any():item() then
      return true
    end
    local again = draw(wrun.empty(tensor.shape, { dtype = tensor.dtype }))
    tensor:copy_(wrun.where(pending, again, tensor))
    pending = pending:logical_and(refused(again))
  end
  return false
end

local function in_dtype(tensor, x)
  return wrun.tensor(x, { dtype = tensor.dtype }):item()
end

local function reject_normal(tensor, o)
  local low, high = in_dtype(tensor, o.a), in_dtype(tensor, o.b)
  local is_done = reject(tensor, function(x)
    return x:normal_(o.mean, o.std, { generator = o.generator })
  end, function(x)
    return x:lt(low):logical_or(x:gt(high))
  end)
  if not is_done then
    tensor:clamp_(low, high)
  end
end

-- Uniform draws, each kept with the probability that its density has beside the largest in [a, b]:
-- for bounds that hold little of the distribution.
local function reject_uniform(tensor, o)
  local peak = math.max(o.a, math.min(o.mean, o.b))
  local log_peak = -0.5 * ((peak - o.mean) / o.std) ^ 2
  local generator = { generator = o.generator }
  reject(tensor, function(x)
    return x:uniform_(o.a, o.b, generator)
  end, function(x)
    local density = ((x - o.mean) / o.std):square() * -0.5 - log_peak
    local chance = wrun.empty(x.shape, { dtype = x.dtype }):uniform_(0, 1, generator)
    return chance:log():gt(density)
  end)
end

-- Draws from a tail: the distance t from its near bound, in std, has the density
-- exp(-distance t) exp(-t^2 / 2). The first factor is drawn, the second is the chance to be kept.
local function reject_tail(tensor, o, distance)
  local generator, width = { generator = o.generator }, (o.b - o.a) / o.std
  local share = wrun.tensor(-distance * width, { dtype = "float64" }):expm1():item()
  local t = wrun.empty(tensor.shape, { dtype = "float64" })
  reject(t, function(x)
    return x:uniform_(0, 1, generator):mul_(share):log1p_():div_(-distance)
  end, function(x)
    local chance = wrun.empty(x.shape, { dtype = "float64" }):uniform_(0, 1, generator)
    return chance:log():gt(x:square() * -0.5)
  end)
  local is_above = o.a > o.mean
  tensor:copy_(t:mul_(is_above and o.std or -o.std):add_(is_above and o.a or o.b))
  tensor:clamp_(in_dtype(tensor, o.a), in_dtype(tensor, o.b))
end

-- The inverse of the distribution function, applied to uniform draws.
local function invert(tensor, o, low, high)
  tensor:uniform_(2 * low - 1, 2 * high - 1, { generator = o.generator })
  tensor:erfinv_():mul_(o.std * math.sqrt(2)):add_(o.mean):clamp_(o.a, o.b)
end

local TRUNCATED = {
  mean = check.number(0),
  std = check.positive(1),
  a = check.number(-2),
  b = check.number(2),
  method = check.choice("rejection", { "rejection", "inverse" }),
  generator = check.generator(),
}

-- [a, b] must hold this share for normal draws to be worth rejecting
local SHARE = 0.3
-- Is [a, b] a tail that uniform draws would hardly ever meet? Most of it lies within 1 / distance of
-- its near bound.
local function is_tail(o, distance)
  local width = (o.b - o.a) / o.std
  return width > 0 and distance > 0 and (distance > FAR or distance * width > 1 / CHANCE)
end

--- Fills with draws from N(mean, std^2) between a and b, which are values, not multiples of std.
--- Draws what PyTorch 2.12 and later draw: by rejection. The method "inverse" draws what PyTorch
--- drew before, uniforms through the inverse error function; in float32 it gives a value at a bound
--- far outside now and then. Tails where PyTorch hardly ever ends, or that its inverse cannot tell
--- apart, are drawn from an exponential distribution and rejected.
--- shapes  any
--- domain  float32 or float64; std > 0, a <= b. Warns where mean is more than 2 std outside [a, b].
--- raises  `option std: expected a number > 0`; `expected finite bounds where they hold less than
---   0.3 of the distribution`
--- source  [Robert1995] for tails
---     print(nn.init.trunc_normal_(wrun.empty(1000), { std = 2 }):abs():max():le(2))
---@param ... any mean = 0, std = 1, a = -2, b = 2, or { mean =, std =, a =, b =, method =,
---   generator = }
function M.trunc_normal_(tensor, ...)
  local o = common.settings("trunc_normal_", tensor, TRUNCATED, { "mean", "std", "a", "b" }, ...)
  if o.a > o.b then
    fail("trunc_normal_: option b: expected a number >= a, which is %s, got %s", o.a, o.b)
  end
  if o.mean < o.a - 2 * o.std or o.mean > o.b + 2 * o.std then
    warn("trunc_normal_: the mean lies more than 2 std outside [a, b]; the draws may be "
      .. "distributed otherwise")
  end
  local _ <close> = wrun.no_grad()
  local low, high = below((o.a - o.mean) / o.std), below((o.b - o.mean) / o.std)
  local distance = math.max(o.a - o.mean, o.mean - o.b) / o.std
  local is_lost = low == high and o.a < o.b and distance > 0 -- in the digits of 1
  if o.method == "inverse" and not is_lost then
    invert(tensor, o, low, high)
  elseif high - low > SHARE then
    reject_normal(tensor, o)
  elseif o.method == "rejection" and (o.a == -math.huge or o.b == math.huge) then
    fail("trunc_normal_: expected finite bounds where they hold less than %s of the distribution, "
      .. "got %s and %s; the method inverse takes these", SHARE, o.a, o.b)
  elseif is_lost or is_tail(o, distance) then
    reject_tail(tensor, o, distance)
  else
    reject_uniform(tensor, o)
  end
  return tensor
end

return M
