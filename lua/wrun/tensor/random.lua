--- Random numbers: draws into tensors, and the generators they come from.
--- Options have `generator`; without it the default generator serves. The engine mt19937 gives
--- PyTorch's numbers, on any number of threads.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local operations = require "wrun.operations"
local step_function = require "wrun.tensor.internal.step_function"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

--- Fills x with draws from U[low, high) and returns it.
--- domain  float32 or float64; low 0 and high 1 by default
--- raises  `uniform_: expected finite bounds, the lower one first`; `argument 1: expected a float`
---     print(wrun.empty(3):uniform_(-1, 1))
---@type fun(x: wrun.Tensor, low?: number, high?: number, options?: table): wrun.Tensor
M.uniform_ = operations.uniform_

--- Fills x with draws from N(mean, std^2) and returns it.
--- shapes  any
--- domain  float32 or float64; mean 0 and std 1 by default
--- raises  `normal_: argument 3: expected a standard deviation >= 0`; `argument 1: expected a`
---     print(wrun.empty(3):normal_(10, 0.1))
---@type fun(x: wrun.Tensor, mean?: number, std?: number, options?: table): wrun.Tensor
M.normal_ = operations.normal_

--- Fills x with draws from the density rate e^(-rate x) and returns it.
--- domain  float32 or float64; rate 1 by default, draws > 0
--- raises  `exponential_: argument 2: expected a rate > 0`; `argument 1: expected a float`
---     print(wrun.empty(1000):exponential_(2):mean())
---@type fun(x: wrun.Tensor, rate?: number, options?: table): wrun.Tensor
M.exponential_ = operations.exponential_

--- Fills x with draws from the density of Cauchy around median and returns it.
--- domain  float32 or float64; median 0 and scale sigma 1 by default; draws have no mean
--- raises  `cauchy_: argument 3: expected a scale > 0`; `argument 1: expected a float`
---     print(wrun.empty(1000):cauchy_(5, 2):gt(5):float():mean()) -- about a half
---@type fun(x: wrun.Tensor, median?: number, sigma?: number, options?: table): wrun.Tensor
M.cauchy_ = operations.cauchy_

--- Fills x with e to the power of draws from N(mean, std^2) and returns it.
--- domain  float32 or float64; mean 1 and std 2 by default, as in PyTorch
--- raises  `log_normal_: argument 3: expected a standard deviation > 0`; `argument 1: expected a`
--- as      normal_
---     print(wrun.empty(1000):log_normal_(0, 0.5):log():std())
M.log_normal_ = operations.log_normal_

--- Fills x with numbers of trials until the first success, and returns it.
--- domain  any dtype; p, of a success, above 0 and below 1; draws from 1
--- raises  `geometric_: argument 2: expected a probability above 0 and below 1`
---     print(wrun.empty(1000):geometric_(0.25):mean()) -- about 4
---@type fun(x: wrun.Tensor, p: number, options?: table): wrun.Tensor
M.geometric_ = operations.geometric_

--- Fills x with 1 with probability p and 0 otherwise, and returns it.
--- shapes  any; a tensor of probabilities broadcasts to x
--- domain  any dtype; p 0.5 by default, a tensor float32 or float64
--- raises  `bernoulli_: argument 2: expected a probability from 0 to 1`; `bernoulli_: argument 2:
---   expected a shape that broadcasts to`
---     print(wrun.empty(10):bernoulli_(0.9))
---     print(wrun.empty(2, 3):bernoulli_(wrun.tensor({ 0.0, 0.5, 1.0 })))
---@type fun(x: wrun.Tensor, p?: number|wrun.Tensor, options?: table): wrun.Tensor
M.bernoulli_ = operations.bernoulli_

--- Fills x with integers from low to high - 1, all equally likely, and returns it.
--- domain  any dtype; one bound is high, low is then 0; without bounds all that the dtype can hold,
---   for floats all integers up to 2^24 or 2^53
--- raises  `random_: expected bounds with low < high`
---     print(wrun.empty(5, { dtype = "int64" }):random_(1, 7))
---@type fun(x: wrun.Tensor, low?: integer, high?: integer, options?: table): wrun.Tensor
M.random_ = operations.random_

--- Returns 1 with the probability that each element of p is, and 0 otherwise.
--- shapes  p [...] -> same
--- domain  float32 or float64, from 0 to 1
--- raises  `bernoulli: argument 1: expected probabilities from 0 to 1`
---     print(wrun.tensor({ 0.0, 0.5, 1.0 }):bernoulli())
---@type fun(p: wrun.Tensor, options?: table): wrun.Tensor
M.bernoulli = step_function("Bernoulli", operations.bernoulli)

--- Returns categories 1 to n drawn with the probabilities that are proportional to weights.
--- shapes  weights [n] -> [samples] int64; [rows, n] -> [rows, samples]
--- domain  float32 or float64, finite and >= 0; without replacement (the default) a category comes
---   once
--- raises  `multinomial: argument 1: expected finite weights >= 0`; `argument 2: expected 1 to`
---     print(wrun.multinomial(wrun.tensor({ 1.0, 3.0, 0.0 }), 10, true))
---@type fun(weights: wrun.Tensor, samples: integer, replacement?: boolean, options?: table): wrun.Tensor
M.multinomial = operations.multinomial

--- Returns counts drawn from Poisson distributions with the given means.
--- shapes  rate [...] -> same
--- domain  float32 or float64, finite and >= 0; the counts have that dtype
--- raises  `poisson: argument 1: expected finite rates >= 0`
--- source  [Knuth1969] below a rate of 10, [Hormann1993] from there, as in PyTorch
---     print(wrun.poisson(wrun.tensor({ 0.0, 0.5, 4, 100 })))
---@type fun(rate: wrun.Tensor, options?: table): wrun.Tensor
M.poisson = step_function("Poisson", operations.poisson)

local OF_TENSORS = { generator = check.generator() }
local OF_NUMBERS = {
  dtype = check.float_dtype("float32"),
  requires_grad = check.boolean(false),
  generator = OF_TENSORS.generator,
}

local function check_moment(i, x)
  if not check.is_float_tensor(x) and type(x) ~= "number" then
    fail("normal: argument %d: expected a float32 or float64 tensor or a number, got %s", i,
      check.describe(x))
  end
end

local function check_deviations(std)
  local is_right = type(std) == "number" and std >= 0
  if check.is_tensor(std) then
    is_right = unrecorded.all(operations.ge(std, 0)):item()
  end
  if not is_right then
    fail("normal: argument 2: expected standard deviations >= 0, got %s", check.describe(std))
  end
end

--- Returns draws from normal distributions, each element with its own mean and standard deviation.
--- shapes  tensors broadcast -> their joint shape; two numbers and sizes -> [sizes]
--- domain  float32 or float64; std >= 0. No gradient flows to mean and std. Options generator, for
---   two numbers also dtype and requires_grad
---     print(wrun.normal(wrun.arange(1.0, 6.0), 0.1))
---     print(wrun.normal(0, wrun.tensor({ 0.1, 1, 10 })), wrun.normal(2, 3, { 2, 2 }))
---@param sizes integer[]?  where mean and std are numbers
function M.normal(mean, std, sizes, options)
  check_moment(1, mean)
  check_moment(2, std)
  check_deviations(std)
  if type(mean) == "number" and type(std) == "number" then
    if type(sizes) ~= "table" then
      fail("normal: argument 3: expected a table of sizes, got %s", check.describe(sizes))
    end
    local o = check.options("normal", options, OF_NUMBERS)
    local x = operations.empty(sizes, { dtype = o.dtype })
    x.requires_grad = o.requires_grad
    return autograd.no_grad(operations.normal_, x, mean, std, { generator = o.generator })
  end
  if sizes ~= nil and options ~= nil then
    fail("normal: argument 3: expected no sizes beside tensors, got %s", check.describe(sizes))
  end
  local o = check.options("normal", sizes or options, OF_TENSORS)
  return autograd.no_grad(function()
    local like = check.is_tensor(mean) and check.is_tensor(std) and mean + std
      or check.is_tensor(mean) and mean or std
    local x = operations.empty(like.shape, { dtype = like.dtype })
    if type(std) == "number" then
      return operations.normal_(x, 0, std, o):add_(mean)
    end
    return operations.normal_(x, 0, 1, o):mul_(std):add_(mean)
  end)
end

return M
