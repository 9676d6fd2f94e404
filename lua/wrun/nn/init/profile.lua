--- What an activation makes of a normal signal, by quadrature: moments, the map of spreads over
--- depth, and from these the gain, for any function of tensors.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- Expectations under N(0, 1) -------------------------------------------------

local FLOAT64 = { dtype = "float64" }

-- Densities beyond are below 1e-31.
local FAR = 12
-- Around 0, where activations have their kinks, panels are as narrow as 2^-GRADES at first: what
-- happens there is seen also by a signal of a large spread.
local GRADES = 48
-- Points of a panel, and how often one is halved at most: where f jumps, halving never ends.
local POINTS, HALVINGS = 16, 80
local MOST_PANELS = 10000 -- at once, of a function that has an integral
local TOLERANCE = 1e-15

-- Nodes and weights of the Gauss-Legendre rule on [-1, 1]: the eigenvalues of the matrix of its
-- polynomials' recurrence [Golub1969].
local function gauss_legendre()
  local beside = wrun.arange(1, POINTS, FLOAT64)
  beside = beside / (4 * beside * beside - 1):sqrt()
  local nodes, vectors = wrun.linalg.eigh(wrun.diag(beside, 1) + wrun.diag(beside, -1))
  return nodes, 2 * vectors[1]:square()
end

-- Starts and widths of panels from -FAR to FAR.
local function first_panels()
  local above = wrun.cat({
    wrun.arange(-GRADES, 1, FLOAT64):exp2(), wrun.arange(2, FAR + 1, FLOAT64),
  })
  local edges = wrun.cat({ -above:flip(1), wrun.zeros(1, FLOAT64), above })
  return edges:narrow(1, 1, #edges - 1), edges:diff()
end

local function doubled(x)
  return wrun.stack({ x, x }, 2):flatten()
end

-- Returns the integral of `integrand`, which takes a vector [n] and gives [moments, n], over
-- [-FAR, FAR]: panels are halved until their halves say what they said; nil where they never do.
local function integrate(integrand)
  local nodes, weights = gauss_legendre()
  local function sums_over(starts, widths) -- -> [moments, panels]
    local u = starts:unsqueeze(2) + (nodes + 1) * (widths / 2):unsqueeze(2)
    local values = integrand(u:flatten())
    return values:reshape(values:size(1), #starts, POINTS):matmul(weights) * (widths / 2)
  end
  local starts, widths = first_panels()
  local whole, total, largest = sums_over(starts, widths), 0, 0
  for halving = 1, HALVINGS do
    if #starts > MOST_PANELS then
      return nil
    end
    widths = widths / 2
    starts, widths = wrun.stack({ starts, starts + widths }, 2):flatten(), doubled(widths)
    local halves = sums_over(starts, widths)
    local sums = halves:reshape(halves:size(1), -1, 2):sum(3)
    largest = wrun.maximum(sums:abs():amax(2, true), largest)
    local is_open = (sums - whole):abs():gt(TOLERANCE * largest):any(1)
    if halving == HALVINGS or not is_open:any():item() then
      return total + sums:sum(2)
    end
    total = total + (sums * is_open:logical_not()):sum(2)
    is_open = doubled(is_open)
    starts, widths = starts:masked_select(is_open), widths:masked_select(is_open)
    whole = halves:index_select(2, is_open:nonzero():flatten())
  end
end

-- Functions ------------------------------------------------------------------

local function identity(z)
  return z
end

local FUNCTION = check.rule(nil,
  "a function of tensors, a module, or the name of one like \"relu\"",
  function(f)
    if f == "linear" then
      return identity
    elseif type(f) == "string" then
      return not f:find("^_") and core.methods[f] or nil
    end
    return check.is_callable(f) and f or nil
  end)

-- Returns f(z) and f'(z), both [n], for z float64 [n].
local function evaluate(fname, f, z)
  local _ <close> = autograd.enable_grad()
  z = z:detach():requires_grad_()
  local y = f(z)
  if not check.is_float_tensor(y) or not check.same_shape(y, z) then
    fail("%s: argument 1: expected a function that works element by element, got %s for "
      .. "a float64 tensor %s", fname, check.describe(y), check.shape_text(z))
  end
  local bad = y:detach():isnan():nonzero()
  if #bad > 0 then
    fail("%s: argument 1: expected a function of all numbers, got one that is NaN at %.5g", fname,
      z[bad[1]:item()]:item())
  end
  if not y.requires_grad then
    return y:double(), z:detach():zeros_like()
  end
  return y:detach():double(), autograd.grad(y:sum(), z)
end

-- Refuses a function whose values depend on their neighbours, or on chance.
local function check_elementwise(fname, f)
  local z = wrun.linspace(-3, 3, 61, FLOAT64)
  local inner = z:narrow(1, 11, 41):clone()
  local y, alone = evaluate(fname, f, z):narrow(1, 11, 41), evaluate(fname, f, inner)
  local differing = y:isclose(alone, { rtol = 1e-12, atol = 0 }):logical_not():nonzero():flatten()
  if #differing > 0 then
    local i = differing[1]:item()
    fail("%s: argument 1: expected a function that works element by element, got one whose value "
      .. "at %.5g is %.5g among others and %.5g without them", fname, inner[i]:item(), y[i]:item(),
      alone[i]:item())
  end
end

-- Profiles -------------------------------------------------------------------

--- What `profile` returns.
---@class wrun.nn.init.Profile
---@field std number the spread s of the pre-activation z ~ N(0, s^2)
---@field mean number E f(z)
---@field second_moment number q = E f(z)^2
---@field variance number of f(z)
---@field derivative number E f'(z)^2, by which the backward signal's second moment changes
---@field slope number d log q / d log s^2: by what a relative error grows over a layer
---@field variance_slope number the same of the variance: of a signal whose mean is taken away
---@field fourth_moment number E f(z)^4
---@field derivative_fourth number E f'(z)^4
local Profile = method.object("Profile")
Profile._habits = { gain = "the gain is profile.std, where none was given" }

function Profile:__tostring()
  return ("Profile(std %.5g: mean %.5g, second moment %.5g, derivative %.5g, slope %.5g)"):format(
    self.std, self.mean, self.second_moment, self.derivative, self.slope)
end

local SQRT_TWO_PI = math.sqrt(2 * math.pi)

local function profile_at(fname, f, std, is_gain)
  local moments = integrate(function(u)
    local z = u * std
    local y, slope = evaluate(fname, f, z)
    local density = (u * u * -0.5):exp() / SQRT_TWO_PI
    return wrun.stack({
      y, y ^ 2, y ^ 4, slope ^ 2, slope ^ 4, y * slope * z, slope * z,
    }) * density
  end)
  if not moments then
    local at = is_gain and (", at a spread of %g; profile(f, { std = 1 }) looks at one"):format(std)
    fail("%s: argument 1: expected a function that has an integral, got one without, or by "
      .. "chance%s", fname, at or "")
  end
  local mean, second, fourth, derivative, derivative_fourth, growth, shift =
    table.unpack(moments:tolist())
  local variance = second - mean * mean
  return setmetatable({
    std = std, mean = mean, second_moment = second, variance = variance, derivative = derivative,
    slope = growth / second, variance_slope = (growth - mean * shift) / variance,
    fourth_moment = fourth, derivative_fourth = derivative_fourth,
  }, Profile)
end

-- Spreads among which a gain is looked for.
local LEAST, MOST = -15, 15 -- powers of 10
local CLOSE = 1e-14 -- what a step in log s is too small below
local ROUNDING = 1e-9

-- Returns s with E f(s u)^2 = target between low and high, where it is below and above, or the
-- other way round: Newton's steps in log s, whose derivative is twice the slope, or halves.
local function solve(fname, f, low, high, target)
  local rising = profile_at(fname, f, low).second_moment < target
  low, high = math.log(low), math.log(high)
  local x = (low + high) / 2
  for _ = 1, 200 do
    local at = profile_at(fname, f, math.exp(x))
    local excess = math.log(at.second_moment / target)
    if (excess < 0) == rising then low = x else high = x end
    local step = excess / (2 * at.slope)
    if math.abs(step) < CLOSE then
      return math.exp(x - step)
    end
    x = x - step
    if not (x > low and x < high) then
      x = (low + high) / 2
    end
  end
  return math.exp(x)
end

-- Is a second moment below or above 1, by more than rounding?
local function side_of(second)
  return math.abs(second - 1) < ROUNDING and 0 or second < 1 and -1 or 1
end

local function gain(fname, f)
  local first, last, side_before, power_before
  for power = LEAST, MOST do
    last = profile_at(fname, f, 10.0 ^ power, true).second_moment
    first = first or last
    local side = side_of(last)
    if side_before and side == -side_before then
      return solve(fname, f, 10.0 ^ power_before, 10.0 ^ power, 1)
    elseif side ~= 0 then
      side_before, power_before = side, power
    end
  end
  if side_of(first) ~= -1 or last == first then
    fail("%s: argument 1: expected a function whose second moment can be 1, got one where it is "
      .. "%.5g for small signals and %.5g for large ones", fname, first, last)
  end
  return solve(fname, f, 10.0 ^ LEAST, 10.0 ^ MOST, (first + last) / 2)
end

local PROFILE = { std = check.optional(check.positive()) }

local function checked(fname, f)
  f = check.argument(fname, 1, f, FUNCTION)
  check_elementwise(fname, f)
  return f
end

--- Returns the gain of an activation: the spread s of a normal pre-activation z for which f(z) has
--- the second moment 1. Weights of standard deviation s / sqrt(fan_in) keep a signal's size.
--- shapes  f is called with vectors [n], and gives [n]
--- domain  f is any function of tensors that works element by element, a module, or a name like
---   "relu". Where the second moment stays below 1 (tanh, sigmoid), s puts it into the middle of
---   its range. By quadrature, to some 12 digits
--- raises  `gain_of: argument 1: expected a function that works element by element`
---     print(nn.init.gain_of("relu"), nn.init.gain_of(function(z) return z * z:sigmoid() end))
---@param f function|wrun.nn.Module|string
---@return number
function M.gain_of(f)
  return gain("gain_of", checked("gain_of", f))
end

--- Returns what an activation makes of a normal pre-activation z ~ N(0, std^2): its moments, the
--- factor of the backward signal, and the slope of the map from one layer's spread to the next.
---
--- Relative errors of a signal's second moment multiply by `slope` each layer: 1 for relu, above 1
--- they grow tenfold in ln 10 / ln slope layers.
--- shapes  f is called with vectors [n], and gives [n]
--- domain  as `gain_of`; std > 0, the gain where it is not given. By quadrature, to some 12 digits
--- raises  `profile: argument 1: expected a function that works element by element`
--- source  [Poole2016], [Schoenholz2017]; the slope is that of the second moment
---     print(nn.init.profile("silu").slope) -- 1.1468
---     print(nn.init.profile(wrun.tanh, { std = 1 }).second_moment) -- 0.3943
---@param f function|wrun.nn.Module|string
---@return wrun.nn.init.Profile
function M.profile(f, options)
  local o = check.options("profile", options, PROFILE)
  f = checked("profile", f)
  return profile_at("profile", f, o.std or gain("profile", f))
end

return M
