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

-- Normal draws: until none lies outside, all are drawn again, to replace those that do.
local function reject_normal(tensor, o)
  local function bound(x)
    return wrun.tensor(x, { dtype = tensor.dtype }):item()
  end
  local low, high, generator = bound(o.a), bound(o.b), { generator = o.generator }
  tensor:normal_(o.mean, o.std, generator)
  while true do
    local outside = tensor:lt(low):logical_or(tensor:gt(high))
    if not outside:any():item() then
      return
    end
    local again = wrun.empty(tensor.shape, { dtype = tensor.dtype })
    tensor:copy_(wrun.where(outside, again:normal_(o.mean, o.std, generator), tensor))
  end
end

-- Uniform draws, each kept with the probability that its density has beside the largest in [a, b]:
-- for bounds that hold little of the distribution.
local function reject_uniform(tensor, o)
  local peak = math.max(o.a, math.min(o.mean, o.b))
  local log_peak = -0.5 * ((peak - o.mean) / o.std) ^ 2
  local generator = { generator = o.generator }
  local function refused(x)
    local density = ((x - o.mean) / o.std):square() * -0.5 - log_peak
    local chance = wrun.empty(x.shape, { dtype = x.dtype }):uniform_(0, 1, generator)
    return chance:log():gt(density)
  end
  tensor:uniform_(o.a, o.b, generator)
  local pending = refused(tensor)
  while pending:any():item() do
    local again = wrun.empty(tensor.shape, { dtype = tensor.dtype }):uniform_(o.a, o.b, generator)
    tensor:copy_(wrun.where(pending, again, tensor))
    pending = pending:logical_and(refused(again))
  end
end

-- The inverse of the distribution function, applied to uniform draws.
local function invert(tensor, o)
  local low, high = below((o.a - o.mean) / o.std), below((o.b - o.mean) / o.std)
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

--- Fills with draws from N(mean, std^2) between a and b, which are values, not multiples of std.
---
--- Draws what PyTorch 2.12 and later draw: by rejection. The method "inverse" draws what PyTorch
--- drew before, uniforms through the inverse error function; in float32 it gives a value at a bound
--- far outside now and then.
--- shapes  any
--- domain  float32 or float64; std > 0, a <= b. Warns where mean is more than 2 std outside [a, b].
--- raises  `option std: expected a number > 0`; `expected finite bounds where they hold less than
---   0.3 of the distribution`
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
  if o.method == "inverse" then
    invert(tensor, o)
  elseif below((o.b - o.mean) / o.std) - below((o.a - o.mean) / o.std) > SHARE then
    reject_normal(tensor, o)
  elseif o.a > -math.huge and o.b < math.huge then
    reject_uniform(tensor, o)
  else
    fail("trunc_normal_: expected finite bounds where they hold less than %s of the distribution, "
      .. "got %s and %s; the method inverse takes these", SHARE, o.a, o.b)
  end
  return tensor
end

return M
