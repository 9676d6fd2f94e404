--- Initialisers: each fills a tensor in place, outside autograd, and returns it.
--- Settings may be given by position in PyTorch's order, by name in a last table, or both:
--- `kaiming_uniform_(w, 0, "fan_out")`, `kaiming_uniform_(w, { mode = "fan_out", generator = g })`.
--- Draws come from the default generator unless `generator` names another. Scales are computed in
--- double precision, in PyTorch's order of operations, so that a seed gives PyTorch's weights.

local check = require "wrun.check"
local common = require "wrun.nn.init.common"
local names = require "wrun.names"
local wrun = require "wrun"

local fail, settings, draw = check.fail, common.settings, common.draw

local M = {}

local GAINS = {
  linear = 1,
  conv1d = 1,
  conv2d = 1,
  conv3d = 1,
  conv_transpose1d = 1,
  conv_transpose2d = 1,
  conv_transpose3d = 1,
  sigmoid = 1,
  tanh = 5 / 3,
  relu = math.sqrt(2),
  leaky_relu = false, -- depends on its slope
  selu = 3 / 4,
}

local NONLINEARITIES = {}
for name in pairs(GAINS) do
  NONLINEARITIES[#NONLINEARITIES + 1] = name
end
table.sort(NONLINEARITIES)

local NONLINEARITY = check.choice(nil, NONLINEARITIES)
local SLOPE = check.number(0.01)

--- Returns the factor that makes up for the spread a signal loses in a nonlinearity.
--- domain  `param` is the slope of leaky_relu (default 0.01) and is ignored elsewhere
--- raises  `calculate_gain: argument 1: expected one of`
--- source  [He2015] for relu and leaky_relu; tanh and selu as PyTorch chose them
---     print(nn.init.calculate_gain("tanh"), nn.init.calculate_gain("leaky_relu", 0.2))
---@param nonlinearity string
---@param param number?
---@return number
function M.calculate_gain(nonlinearity, param)
  check.argument("calculate_gain", 1, nonlinearity, NONLINEARITY)
  if nonlinearity == "leaky_relu" then
    local slope = check.argument("calculate_gain", 2, param, SLOPE)
    return math.sqrt(2 / (1 + slope ^ 2))
  end
  return GAINS[nonlinearity]
end

local function fans(fname, tensor)
  if tensor.ndim < 2 then
    fail("%s: argument 1: expected at least 2 dimensions to tell fan in from fan out, got %s",
      fname, check.shape_text(tensor))
  end
  local field = 1
  for d = 3, tensor.ndim do
    field = field * tensor:size(d)
  end
  return tensor:size(2) * field, tensor:size(1) * field
end

--- Returns how many inputs feed an output of a layer, and how many outputs an input feeds.
--- shapes  tensor [fan_out, fan_in, ...]; further dimensions multiply both fans
--- domain  any dtype
---     print(nn.init.calculate_fan_in_and_fan_out(wrun.empty(16, 3, 5, 5)))  -- 75 and 400
---@return integer fan_in
---@return integer fan_out
function M.calculate_fan_in_and_fan_out(tensor)
  common.check_tensor("calculate_fan_in_and_fan_out", tensor)
  return fans("calculate_fan_in_and_fan_out", tensor)
end

local UNIFORM = { a = check.number(0), b = check.number(1), generator = check.generator() }

--- Fills with draws from U[a, b).
--- shapes  any
--- domain  float32 or float64; a <= b
---     print(nn.init.uniform_(wrun.empty(2, 3), -0.1, 0.1))
---@param ... any a = 0, b = 1, or { a =, b =, generator = }
function M.uniform_(tensor, ...)
  local o = settings("uniform_", tensor, UNIFORM, { "a", "b" }, ...)
  if o.a > o.b then
    fail("uniform_: option b: expected a number >= a, which is %s, got %s", o.a, o.b)
  end
  return (draw(tensor, "uniform_", o.a, o.b, o.generator))
end

local NORMAL = { mean = check.number(0), std = check.number(1, 0), generator = check.generator() }

--- Fills with draws from N(mean, std^2).
--- shapes  any
--- domain  float32 or float64; std >= 0
--- raises  `normal_: option std: expected a number >= 0`
---     print(nn.init.normal_(wrun.empty(2, 3), { std = 0.01 }))
---@param ... any mean = 0, std = 1, or { mean =, std =, generator = }
function M.normal_(tensor, ...)
  local o = settings("normal_", tensor, NORMAL, { "mean", "std" }, ...)
  return (draw(tensor, "normal_", o.mean, o.std, o.generator))
end

local function fill(tensor, value, fname)
  common.check_tensor(fname, tensor)
  local _ <close> = wrun.no_grad()
  tensor:fill_(value)
  return tensor
end

--- Fills with one value.
--- shapes  any
--- domain  any dtype
---     print(nn.init.constant_(wrun.empty(2), 0.5))  -- tensor([0.5000, 0.5000])
---@param value number
function M.constant_(tensor, value)
  return (fill(tensor, value, "constant_"))
end

--- Fills with zeros.
--- as  ones_
---     print(nn.init.zeros_(nn.Linear(3, 2).bias))
function M.zeros_(tensor)
  return (fill(tensor, 0, "zeros_"))
end

--- Fills with ones.
--- shapes  any
--- domain  any dtype
---     print(nn.init.ones_(wrun.empty(2)))  -- tensor([1., 1.])
function M.ones_(tensor)
  return (fill(tensor, 1, "ones_"))
end

local XAVIER = { gain = check.number(1, 0), generator = check.generator() }

local function xavier_std(fname, tensor, gain)
  local fan_in, fan_out = fans(fname, tensor)
  if fan_in + fan_out == 0 then
    fail("%s: argument 1: expected a fan in or a fan out above 0, got %s", fname,
      check.shape_text(tensor))
  end
  return gain * math.sqrt(2 / (fan_in + fan_out))
end

--- Fills with draws from U(-a, a), a = gain * sqrt(6 / (fan_in + fan_out)).
--- shapes  tensor [fan_out, fan_in, ...]; further dimensions multiply both fans
--- domain  float32 or float64; gain >= 0
--- source  [Glorot2010] eq. 16
---     local layer = nn.Linear(400, 600)
---     nn.init.xavier_uniform_(layer.weight, nn.init.calculate_gain("tanh"))
---     print(layer.weight:max()) -- just below 5/3 sqrt(6 / 1000)
---@param ... any gain = 1, or { gain =, generator = }
function M.xavier_uniform_(tensor, ...)
  local o = settings("xavier_uniform_", tensor, XAVIER, { "gain" }, ...)
  local bound = math.sqrt(3) * xavier_std("xavier_uniform_", tensor, o.gain)
  return (draw(tensor, "uniform_", -bound, bound, o.generator))
end

--- Fills with draws from N(0, std^2), std = gain * sqrt(2 / (fan_in + fan_out)).
--- as  xavier_uniform_
--- source  [Glorot2010] eq. 12
---     print(nn.init.xavier_normal_(wrun.empty(100, 100)):std())  -- about 0.1
function M.xavier_normal_(tensor, ...)
  local o = settings("xavier_normal_", tensor, XAVIER, { "gain" }, ...)
  local std = xavier_std("xavier_normal_", tensor, o.gain)
  return (draw(tensor, "normal_", 0, std, o.generator))
end

local MODES = { fan_in = true, fan_out = true }

local KAIMING = {
  a = check.number(0),
  mode = check.rule("fan_in", "fan_in or fan_out", function(mode)
    mode = type(mode) == "string" and mode:lower()
    return MODES[mode] and mode or nil
  end),
  nonlinearity = check.choice("leaky_relu", NONLINEARITIES),
  generator = check.generator(),
}

local function kaiming(tensor, fname, method, ...)
  local o = settings(fname, tensor, KAIMING, { "a", "mode", "nonlinearity" }, ...)
  if tensor:numel() == 0 then
    warn(fname .. ": initialising a tensor without elements does nothing")
    return tensor
  end
  local fan_in, fan_out = fans(fname, tensor)
  local fan = o.mode == "fan_in" and fan_in or fan_out
  local std = M.calculate_gain(o.nonlinearity, o.a) / math.sqrt(fan)
  if method == "normal_" then
    return draw(tensor, "normal_", 0, std, o.generator)
  end
  local bound = math.sqrt(3) * std
  return draw(tensor, "uniform_", -bound, bound, o.generator)
end

--- Fills with draws from U(-a, a), a = gain * sqrt(3 / fan).
--- shapes  tensor [fan_out, fan_in, ...]
--- domain  float32 or float64. `a` is the slope of leaky_relu, `mode` is "fan_in" or "fan_out",
---   `nonlinearity` any that `calculate_gain` knows. A tensor without elements is left alone, with
---   a warning.
--- raises  `option mode: expected`
--- source  [He2015] sec. 2.2
---     local weight = wrun.empty(2, 6)
---     print(nn.init.kaiming_uniform_(weight, { nonlinearity = "relu" }))  -- from -1 to 1
---@param ... any a = 0, mode = "fan_in", nonlinearity = "leaky_relu", or a table
function M.kaiming_uniform_(tensor, ...)
  return (kaiming(tensor, "kaiming_uniform_", "uniform_", ...))
end

--- Fills with draws from N(0, std^2), std = gain / sqrt(fan).
--- as  kaiming_uniform_
--- raises  `option mode: expected`
---     print(nn.init.kaiming_normal_(wrun.empty(50, 200), 0, "fan_out"):std())  -- about 0.2
function M.kaiming_normal_(tensor, ...)
  return (kaiming(tensor, "kaiming_normal_", "normal_", ...))
end

-- Under the name of their author, as the literature has them.
M.he_uniform_ = M.kaiming_uniform_
M.he_normal_ = M.kaiming_normal_

return names.closed("nn.init", M, {}, {
  "wrun.nn.init.truncated",
  "wrun.nn.init.structured",
  "wrun.nn.init.model",
  "wrun.nn.init.profile",
  "wrun.nn.init.mup",
  "wrun.nn.init.report",
  "wrun.nn.init.coordinate_check",
})
