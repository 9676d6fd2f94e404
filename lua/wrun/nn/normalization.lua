--- Layers that shift or scale their input to mean 0 and variance 1: the norms of batches, groups,
--- layers.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local Module = require "wrun.nn.module"
local Parameter = require "wrun.nn.parameter"
local operations = require "wrun.operations"
local repr = require "wrun.repr"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local DTYPE = check.float_dtype("float32")
local EPS = check.number(1e-5, 0)

-- x, whose channels are `width` neighbours each, and in which each of the b of x as [a, b, c] gets
-- mean 0 and variance 1, times weight plus bias of the channels; and the means and the biased
-- variances [b]. `center` is true; false for a mean of 0; or the mean, and nothing is divided.
local function standardize(x, weight, bias, center, a, b, width, channels, eps)
  local shape = { a, b, x:numel() // math.max(1, a * b), math.max(1, width), channels }
  local dtype = check.is_tensor(center) and center.dtype or x.dtype
  for _, t in pairs { x, weight, bias } do
    dtype = t.dtype == "float64" and "float64" or dtype
  end
  local function converted(t)
    return check.is_tensor(t) and t.dtype ~= dtype and t:to(dtype) or t
  end
  local moments = autograd.is_grad_enabled() and wrun.empty(b, 3, { dtype = "float64" }) or nil
  return operations._standardize(converted(x), converted(weight), converted(bias),
    converted(center), shape, eps, moments)
end

-- Parameters weight and bias that start at 1 and 0.
local function set_parameters(self, shape, has_weight, has_bias, dtype)
  if has_weight then
    self.weight = Parameter(wrun.ones(shape, { dtype = dtype }))
    if has_bias then
      self.bias = Parameter(wrun.zeros(shape, { dtype = dtype }))
    end
  end
end

-- BatchNorm ------------------------------------------------------------------

local MOMENTUM = check.rule(0.1, "a number from 0 to 1, or false", function(value)
  if value == false or type(value) == "number" and value >= 0 and value <= 1 then
    return value
  end
end)

local BATCH_OPTIONS = {
  eps = EPS,
  momentum = MOMENTUM,
  affine = check.boolean(true),
  bias = check.boolean(true),
  track_running_stats = check.boolean(true),
  dtype = DTYPE,
}

-- Of inputs [n, C] and further dimensions, as the class says in `ranks` and `expected`.
local BatchNorm = Module:extend("BatchNorm")

function BatchNorm:init(num_features, options)
  local name = self.__name
  local o = check.options(name, options, BATCH_OPTIONS)
  self.num_features = check.argument(name, 1, num_features, check.integer(nil, 1))
  self.eps, self.momentum, self.track_running_stats = o.eps, o.momentum, o.track_running_stats
  set_parameters(self, { num_features }, o.affine, o.bias, o.dtype)
  if o.track_running_stats then
    self:register_buffer("running_mean", wrun.zeros(num_features, { dtype = o.dtype }))
    self:register_buffer("running_var", wrun.ones(num_features, { dtype = o.dtype }))
    self:register_buffer("num_batches_tracked", wrun.tensor(0))
  end
end

-- Moves the running statistics towards those of a batch of `count` values, whose variance is to be
-- unbiased.
local function track(self, mean, variance, count)
  local _ <close> = wrun.no_grad()
  self.num_batches_tracked:add_(1)
  if count == 0 then
    return
  end
  local share = self.momentum or 1 / self.num_batches_tracked:item()
  local function move(running, value)
    running:mul_(1 - share):add_(value * share)
  end
  move(self.running_mean, mean)
  move(self.running_var, variance * (count / (count - 1)))
end

function BatchNorm:forward(x)
  local name = self.__name
  check.tensor_argument(name, 1, x)
  if not self.ranks[x.ndim] or x:size(2) ~= self.num_features then
    fail("%s: argument 1: expected %s with C = %d, got %s", name, self.expected, self.num_features,
      check.shape_text(x))
  end
  local n, count = x:size(1), x:numel() // self.num_features
  local width = count // math.max(1, n)
  if not self.training and self.track_running_stats then
    local factor = (self.running_var + self.eps):rsqrt()
    factor = self.weight ~= nil and factor * self.weight or factor
    return (standardize(x, factor, self.bias, self.running_mean, n, self.num_features, width,
      self.num_features, 0))
  elseif self.training and count == 1 then
    fail("%s: argument 1: expected more than 1 value per channel when training, got %s", name,
      check.shape_text(x))
  end
  local y, mean, variance = standardize(x, self.weight, self.bias, true, n, self.num_features,
    width, self.num_features, self.eps)
  if self.training and self.track_running_stats then
    track(self, mean, variance, count)
  end
  return y
end

function BatchNorm:label()
  return ("%s(%d)"):format(self.__name, self.num_features)
end

function BatchNorm:extra_repr()
  return ("%d, %s"):format(self.num_features, repr.settings("eps", self.eps, "momentum",
    self.momentum or nil, "affine", self.weight ~= nil, "bias", self.bias ~= nil,
    "track_running_stats", self.track_running_stats))
end

local function batch_norm(name, expected, ranks)
  local class = BatchNorm:extend(name)
  class.expected, class.ranks = expected, ranks
  return class
end

--- Makes a layer that gives each channel mean 0 and variance 1, times weight plus bias. In training
--- with the statistics of the batch, of which it keeps a running average; after `eval()` with that.
--- shapes  x [n, C] or [n, C, l] -> same; weight, bias, running_mean, running_var [C]
--- domain  variance biased to normalise, unbiased in running_var. Options: eps 1e-5; momentum, the
---   share 0.1 of each new batch, or false: the average over all batches; affine = true; bias =
---   true; track_running_stats = true, without which the batch counts after `eval()` too; dtype
--- raises  `argument 1: expected [n, C] or [n, C, l]`; `expected more than 1 value per channel`
--- source  [Ioffe2015]
---     local layer = nn.BatchNorm1d(2)
---     print(layer(wrun.tensor { { 1.0, 10.0 }, { 3.0, 30.0 } }), layer.running_mean)
---@type fun(num_features: integer, options: table?): wrun.nn.Module
M.BatchNorm1d = batch_norm("BatchNorm1d", "[n, C] or [n, C, l]", { [2] = true, [3] = true })

--- Makes a layer like BatchNorm1d for images.
--- as  BatchNorm1d
--- shapes  x [n, C, h, w] -> same; weight, bias, running_mean, running_var [C]
--- raises  `argument 1: expected [n, C, h, w]`; `expected more than 1 value per channel`
---     local y = nn.BatchNorm2d(3)(wrun.randn(2, 3, 4, 4))
---     print(y:mean({ 1, 3, 4 }), y:std({ 1, 3, 4 }))
M.BatchNorm2d = batch_norm("BatchNorm2d", "[n, C, h, w]", { [4] = true })

-- GroupNorm ------------------------------------------------------------------

local COUNT = check.integer(nil, 1)

---@class wrun.nn.GroupNorm: wrun.nn.Module
local GroupNorm = Module:extend("GroupNorm")
GroupNorm.rules = { eps = EPS, affine = check.boolean(true), dtype = DTYPE }

--- Makes a layer that gives each group of channels of each sample mean 0 and variance 1, times
--- weight plus bias of the channel.
--- shapes  weight, bias [C]
--- domain  num_channels a multiple of num_groups
--- source  [Wu2018]
---     local y = nn.GroupNorm(2, 4)(wrun.randn(3, 4, 5))
---     print(y:reshape(3, 2, 10):mean(3))
function GroupNorm:init(num_groups, num_channels, options)
  local o = check.options("GroupNorm", options, GroupNorm.rules)
  self.num_groups = check.argument("GroupNorm", 1, num_groups, COUNT)
  self.num_channels = check.argument("GroupNorm", 2, num_channels, COUNT)
  if num_channels % num_groups ~= 0 then
    fail("GroupNorm: argument 2: expected a multiple of %d, got %d", num_groups, num_channels)
  end
  self.eps, self.affine = o.eps, o.affine
  set_parameters(self, { num_channels }, o.affine, true, o.dtype)
end

--- Returns x with its groups of channels standardised, times weight plus bias.
--- shapes  x [n, C, ...] -> same
--- domain  float32 or float64
function GroupNorm:forward(x)
  check.tensor_argument("GroupNorm", 1, x)
  if x.ndim < 2 or x:size(2) ~= self.num_channels then
    fail("GroupNorm: argument 1: expected [n, C, ...] with C = %d, got %s", self.num_channels,
      check.shape_text(x))
  elseif x:numel() == self.num_groups then
    fail("GroupNorm: argument 1: expected more than 1 value per group, got %s", check.shape_text(x))
  end
  local width = x:numel() // math.max(1, x:size(1) * self.num_channels)
  return (standardize(x, self.weight, self.bias, true, 1, x:size(1) * self.num_groups, width,
    self.num_channels, self.eps))
end

function GroupNorm:extra_repr()
  return ("%d, %d, %s"):format(self.num_groups, self.num_channels, repr.settings("eps", self.eps,
    "affine", self.affine, "bias", self.bias ~= nil))
end

M.GroupNorm = GroupNorm

-- LayerNorm and RMSNorm ------------------------------------------------------

local SHAPE = check.rule(nil, "a size or a list of sizes", function(value)
  local sizes = type(value) == "table" and check.list(value) or { value }
  for _, size in ipairs(sizes) do
    if math.type(size) ~= "integer" or size < 0 then
      return nil
    end
  end
  return #sizes > 0 and sizes or nil
end)

-- How many elements the last dimensions of x hold, which must have the layer's sizes.
local function last_dimensions(self, x)
  check.tensor_argument(self.__name, 1, x)
  local own, width = self.normalized_shape, 1
  for i = 1, #own do
    if x.ndim < #own or x:size(i - #own - 1) ~= own[i] then
      fail("%s: argument 1: expected a shape that ends in %s, got %s", self.__name,
        check.shape_text(own), check.shape_text(x))
    end
    width = width * own[i]
  end
  return width
end

---@class wrun.nn.LayerNorm: wrun.nn.Module
local LayerNorm = Module:extend("LayerNorm")
LayerNorm.rules = {
  eps = EPS,
  elementwise_affine = check.boolean(true),
  bias = check.boolean(true),
  dtype = DTYPE,
}

--- Makes a layer that gives the last dimensions of each sample mean 0 and variance 1, times weight
--- plus bias.
--- shapes  weight, bias [normalized_shape]
--- domain  normalized_shape a size, or the list of the last sizes
--- source  [Ba2016]
---     local layer = nn.LayerNorm(3)
---     print(layer(wrun.tensor { { 1.0, 2.0, 3.0 }, { 10.0, 10.0, 40.0 } }))
function LayerNorm:init(normalized_shape, options)
  local o = check.options("LayerNorm", options, LayerNorm.rules)
  self.normalized_shape = check.argument("LayerNorm", 1, normalized_shape, SHAPE)
  self.eps, self.elementwise_affine = o.eps, o.elementwise_affine
  set_parameters(self, self.normalized_shape, o.elementwise_affine, o.bias, o.dtype)
end

--- shapes  x [..., normalized_shape] -> same
function LayerNorm:forward(x)
  local width = last_dimensions(self, x)
  local count = x:numel() // math.max(1, width)
  return (standardize(x, self.weight, self.bias, true, 1, count, 1, width, self.eps))
end

function LayerNorm:label()
  return ("LayerNorm(%s)"):format(table.concat(self.normalized_shape, ", "))
end

function LayerNorm:extra_repr()
  return ("%s, %s"):format(repr.value(self.normalized_shape), repr.settings("eps", self.eps,
    "elementwise_affine", self.elementwise_affine, "bias", self.bias ~= nil))
end

M.LayerNorm = LayerNorm

local RMS_OPTIONS = {
  eps = check.optional(check.number(nil, 0)),
  elementwise_affine = check.boolean(true),
  dtype = DTYPE,
}

-- the distance from 1 to the next number
local PRECISION = { float32 = 2.0 ^ -23, float64 = 2.0 ^ -52 }

---@class wrun.nn.RMSNorm: wrun.nn.Module
local RMSNorm = Module:extend("RMSNorm")

--- Makes a layer that divides the last dimensions of each sample by the root of their mean square,
--- times weight.
--- shapes  weight [normalized_shape]
--- domain  normalized_shape a size, or the list of the last sizes. Options: eps, by default the
---   precision of the input's dtype; elementwise_affine = true; dtype "float32"
--- source  [Zhang2019]
---     print(nn.RMSNorm(2)(wrun.tensor { { 3.0, 4.0 } }))
function RMSNorm:init(normalized_shape, options)
  local o = check.options("RMSNorm", options, RMS_OPTIONS)
  self.normalized_shape = check.argument("RMSNorm", 1, normalized_shape, SHAPE)
  self.eps, self.elementwise_affine = o.eps, o.elementwise_affine
  set_parameters(self, self.normalized_shape, o.elementwise_affine, false, o.dtype)
end

--- Returns x over the root of the mean square of its last dimensions, times weight.
--- shapes  x [..., normalized_shape] -> same
--- domain  float32 or float64
function RMSNorm:forward(x)
  local width = last_dimensions(self, x)
  local count, eps = x:numel() // math.max(1, width), self.eps or PRECISION[x.dtype]
  return (standardize(x, self.weight, nil, false, 1, count, 1, width, eps))
end

function RMSNorm:label()
  return ("RMSNorm(%s)"):format(table.concat(self.normalized_shape, ", "))
end

function RMSNorm:extra_repr()
  return ("%s, %s"):format(repr.value(self.normalized_shape), repr.settings("eps", self.eps,
    "elementwise_affine", self.elementwise_affine))
end

M.RMSNorm = RMSNorm

return M
