--- Transforms: functions from a batch to a batch, for `loader { transform = }` and by themselves.
--- A transform is an object that is called with a tensor and returns a new one; it prints as what
--- made it.

local check = require "wrun.check"
local closed = require("wrun.names").closed
local Class = require "wrun.class"
local core = require "wrun.core"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local Transform = Class:extend("Transform")

function Transform:init(text, apply)
  self.text, self.apply = text, apply
end

function Transform.__call(self, x)
  check.tensor_argument(self.text:match("^[%w_]+"), 1, x)
  return self.apply(x)
end

function Transform.__tostring(self)
  return self.text
end

-- Floats stay what they are; anything else becomes float32.
local function floating(x)
  return check.is_float(x) and x or x:float()
end

--- Makes a transform that multiplies: x * factor.
--- shapes  x [...] -> same
--- domain  any dtype; float64 stays so, all else becomes float32
---     print(data.transforms.scale(1 / 255)(wrun.tensor({ 0, 255 }):byte()))
function M.scale(factor)
  check.argument("scale", 1, factor, check.number())
  return Transform(core.format("scale(%s)", factor), function(x)
    return floating(x) * factor
  end)
end

-- A number or a list of them as a tensor of the shape and dtype that x needs.
local function along(value, x)
  if type(value) == "number" then
    return value
  end
  local shape = { 1 }
  for d = 2, math.max(x.ndim, 2) do
    shape[d] = d == 2 and value:numel() or 1
  end
  return value:to(x.dtype):reshape(shape)
end

local function statistic(index, value)
  if type(value) == "table" and math.type(value[1]) then
    value = wrun.tensor(value, { dtype = "float64" })
  end
  if type(value) ~= "number" and not (check.is_tensor(value) and value.ndim == 1) then
    fail("normalize: argument %d: expected a number or a list of numbers, got %s", index,
      check.describe(value))
  end
  return value
end

--- Makes a transform that subtracts a mean and divides by a standard deviation.
--- shapes  mean, std: numbers, or lists of c for x [batch, c, ...] -> same
--- domain  any dtype; float64 stays so, all else becomes float32; std not 0
---     local x = wrun.tensor({ { 1.0, 10 }, { 3, 30 } })
---     print(data.transforms.normalize({ 2, 20 }, { 1, 10 })(x))
---@param mean number|number[]|wrun.Tensor
---@param std number|number[]|wrun.Tensor
function M.normalize(mean, std)
  mean, std = statistic(1, mean), statistic(2, std)
  local has_zero = std == 0 or check.is_tensor(std) and std:eq(0):any():item()
  if has_zero then
    fail("normalize: argument 2: expected no deviation of 0")
  end
  local function text(value)
    local numbers = check.is_tensor(value) and value:tolist()
    for i, number in ipairs(numbers or {}) do
      numbers[i] = core.format("%s", number)
    end
    return numbers and "{" .. table.concat(numbers, ", ") .. "}" or value
  end
  return Transform(core.format("normalize(%s, %s)", text(mean), text(std)), function(x)
    x = floating(x)
    return (x - along(mean, x)) / along(std, x)
  end)
end

--- Makes a transform that makes a row of every sample.
--- shapes  x [batch, ...] -> [batch, features]; [batch] -> [batch, 1]
--- domain  any dtype
---     print(#data.transforms.flatten()(wrun.zeros(2, 3, 4)).shape)
function M.flatten()
  return Transform("flatten()", function(x)
    return x.ndim < 2 and x:reshape(-1, 1) or x:flatten(2)
  end)
end

--- Makes a transform that turns classes into rows with a 1 at the class's index.
--- shapes  y [...] -> [..., classes] float32
--- domain  y int64, from 1 to classes
--- raises  on the call as wrun.one_hot
---     print(data.transforms.one_hot(3)(wrun.tensor({ 1, 3 })))
function M.one_hot(classes)
  check.argument("one_hot", 1, classes, check.integer(nil, 1))
  return Transform(("one_hot(%d)"):format(classes), function(y)
    return wrun.one_hot(y, classes):float()
  end)
end

local NOISE = { generator = check.generator() }

--- Makes a transform that adds normal noise.
--- shapes  x [...] -> same
--- domain  any dtype; float64 stays so, all else becomes float32; option generator (the default
---   generator)
---     local noisy = data.transforms.add_noise(0.1)
---     print(noisy, noisy(wrun.zeros(1000)):std():item() < 0.2)
function M.add_noise(std, options)
  check.argument("add_noise", 1, std, check.number(nil, 0))
  local o = check.options("add_noise", options, NOISE)
  return Transform(core.format("add_noise(%s)", std), function(x)
    x = floating(x)
    return x + wrun.randn(x.shape, { dtype = x.dtype, generator = o.generator }) * std
  end)
end

local BINARIZE = {
  threshold = check.number(0.5),
  stochastic = check.boolean(false),
  generator = check.generator(),
}

--- Makes a transform to 0 and 1: whether x is above a threshold, or a draw with probability x.
--- shapes  x [...] -> same
--- domain  any dtype; float64 stays so, all else becomes float32. Options threshold (0.5: x of
---   exactly that gives 0), stochastic (false; x from 0 to 1) and generator (the default one)
--- raises  on the call as `bernoulli`
---     print(data.transforms.binarize()(wrun.tensor({ 0.2, 0.5, 0.9 })))
function M.binarize(options)
  local o = check.options("binarize", options, BINARIZE)
  if o.stochastic then
    return Transform("binarize { stochastic = true }", function(x)
      return floating(x):bernoulli({ generator = o.generator })
    end)
  end
  return Transform(core.format("binarize { threshold = %s }", o.threshold), function(x)
    x = floating(x)
    return x:gt(o.threshold):to(x.dtype)
  end)
end

--- Makes a transform of a function of your own, with a name to print.
--- shapes  what the function says
--- domain  a function from a tensor to a tensor
---     local double = data.transforms.lambda(function(x) return x * 2 end, "double")
---     print(double, double(wrun.ones(2)))
---@param apply fun(x: wrun.Tensor): wrun.Tensor
function M.lambda(apply, name)
  check.argument("lambda", 1, apply, check.func())
  return Transform(check.argument("lambda", 2, name, check.string("lambda")), apply)
end

--- Makes a transform that applies others one after the other.
--- domain  a list of transforms, or functions; an empty one changes nothing
---     local t = data.transforms
---     print(t.compose { t.scale(1 / 255), t.normalize(0.5, 0.5) })
---@param list function[]
function M.compose(list)
  check.argument("compose", 1, list, check.table())
  local names = {}
  for i, transform in ipairs(list) do
    if type(transform) ~= "function" and not Transform:is_instance(transform) then
      fail("compose: argument 1: expected a list of transforms, got %s as number %d",
        check.describe(transform), i)
    end
    names[i] = type(transform) == "function" and "lambda" or tostring(transform)
  end
  return Transform("compose { " .. table.concat(names, ", ") .. " }", function(x)
    for _, transform in ipairs(list) do
      x = transform(x)
    end
    return x
  end)
end

return closed("data.transforms", M)
