--- Random numbers: draws into tensors, and the generators they come from.
--
-- Options have `generator`; without it the default generator serves. The engine mt19937 gives
-- PyTorch's numbers, on any number of threads.

local core = require "wrun.core"
local operations = require "wrun.operations"

local M = {}

--- Fills x with draws from U[low, high) and returns it.
--- shapes  any
--- domain  float32 or float64; low 0 and high 1 by default
--- raises  `uniform_: expected finite bounds, the lower one first`; `argument 1: expected a float`
---
---     print(wrun.empty(3):uniform_(-1, 1))
---@type fun(x: Tensor, low?: number, high?: number, options?: table): Tensor
M.uniform_ = operations.uniform_

--- Fills x with draws from N(mean, std^2) and returns it.
--- shapes  any
--- domain  float32 or float64; mean 0 and std 1 by default
--- raises  `normal_: argument 3: expected a standard deviation >= 0`; `argument 1: expected a`
---
---     print(wrun.empty(3):normal_(10, 0.1))
---@type fun(x: Tensor, mean?: number, std?: number, options?: table): Tensor
M.normal_ = operations.normal_

--- Fills x with draws from the density rate e^(-rate x) and returns it.
--- shapes  any
--- domain  float32 or float64; rate 1 by default, draws > 0
--- raises  `exponential_: argument 2: expected a rate > 0`; `argument 1: expected a float`
---
---     print(wrun.empty(1000):exponential_(2):mean())
---@type fun(x: Tensor, rate?: number, options?: table): Tensor
M.exponential_ = operations.exponential_

--- Fills x with 1 with probability p and 0 otherwise, and returns it.
--- shapes  any
--- domain  any dtype; p 0.5 by default
--- raises  `bernoulli_: argument 2: expected a probability from 0 to 1`
---
---     print(wrun.empty(10):bernoulli_(0.9))
---@type fun(x: Tensor, p?: number, options?: table): Tensor
M.bernoulli_ = operations.bernoulli_

--- Fills x with integers from low to high - 1, all equally likely, and returns it.
--- shapes  any
--- domain  any dtype; one bound is high, low is then 0; without bounds all that the dtype can hold,
---   for floats all integers up to 2^24 or 2^53
--- raises  `random_: expected bounds with low < high`
---
---     print(wrun.empty(5, { dtype = "int64" }):random_(1, 7))
---@type fun(x: Tensor, low?: integer, high?: integer, options?: table): Tensor
M.random_ = operations.random_

--- Returns 1 with the probability that each element of p is, and 0 otherwise.
--- shapes  p [...] -> same
--- domain  float32 or float64, from 0 to 1
--- raises  `bernoulli: argument 1: expected probabilities from 0 to 1`
---
---     print(wrun.tensor({ 0.0, 0.5, 1.0 }):bernoulli())
---@type fun(p: Tensor, options?: table): Tensor
M.bernoulli = operations.bernoulli

--- Returns categories 1 to n drawn with the probabilities that are proportional to weights.
--- shapes  weights [n] -> [samples] int64; [rows, n] -> [rows, samples]
--- domain  float32 or float64, finite and >= 0; without replacement (the default) a category comes
---   once
--- raises  `multinomial: argument 1: expected finite weights >= 0`; `argument 2: expected 1 to`
---
---     print(wrun.multinomial(wrun.tensor({ 1.0, 3.0, 0.0 }), 10, true))
---@type fun(weights: Tensor, samples: integer, replacement?: boolean, options?: table): Tensor
M.multinomial = operations.multinomial

-------------------------------------------------------------------------------
-- Generators

--- Returns a generator of its own stream.
--- domain  options engine, "mt19937" (default; PyTorch's) or "philox" (counter-based, quicker for
---   many samples of an RBM), and seed, an integer; mt19937 uses its low 32 bits
--- raises  `Generator: option engine: expected mt19937 or philox`; `option seed: expected a whole`
---
---     local g = wrun.Generator({ seed = 1 })
---     print(g, wrun.rand(2, { generator = g }))
---@type fun(options?: { engine: string, seed: integer }): Generator
M.Generator = core.Generator

---@class Generator
--- A stream of random numbers, made by `wrun.Generator`; `wrun.default_generator` is the one that
--- serves where no other is named.
local Generator = {}

local metatable = getmetatable(core.default_generator)
local of_core = metatable.__index
metatable.__index = Generator

--- Starts the stream from a seed and returns the generator.
--- domain  an integer; the engine mt19937 uses its low 32 bits
--- raises  `manual_seed: argument 2: expected a whole number as seed`
---
---     local g = wrun.Generator():manual_seed(7)
---     local first = wrun.rand(2, { generator = g })
---     assert(first:equal(wrun.rand(2, { generator = g:manual_seed(7) })))
---@type fun(self: Generator, seed: integer): Generator
Generator.manual_seed = of_core.manual_seed

--- Returns the seed that the stream was started from.
--- raises  `initial_seed: argument 1: expected a generator`
---
---     print(wrun.Generator({ seed = 5 }):initial_seed())
---@type fun(self: Generator): integer
Generator.initial_seed = of_core.initial_seed

--- Starts the stream from a seed that differs from run to run, and returns the seed.
--- raises  `seed: argument 1: expected a generator`
---
---     print(math.type(wrun.Generator():seed()))
---@type fun(self: Generator): integer
Generator.seed = of_core.seed

--- Returns where the stream stands.
--- shapes  -> [size of a state] uint8
--- raises  `get_state: argument 1: expected a generator`
---
---     local g = wrun.Generator()
---     local state, first = g:get_state(), wrun.rand(2, { generator = g })
---     assert(first:equal(wrun.rand(2, { generator = g:set_state(state) })))
---@type fun(self: Generator): Tensor
Generator.get_state = of_core.get_state

--- Sets where the stream stands and returns the generator.
--- shapes  state as from get_state
--- domain  a state of either engine
--- raises  `set_state: argument 2: expected a uint8 tensor from get_state`
---
---     local g, other = wrun.Generator({ seed = 5 }), wrun.Generator()
---     other:set_state(g:get_state())
---     print(other:initial_seed())
---@type fun(self: Generator, state: Tensor): Generator
Generator.set_state = of_core.set_state

--- Starts the default generator from a seed and returns it.
--- domain  an integer; its low 32 bits count
--- raises  `manual_seed: argument 2: expected a whole number as seed`
---
---     wrun.manual_seed(777)
---     print(wrun.rand(3))
---@param seed integer
---@return Generator
function M.manual_seed(seed)
  return core.default_generator:manual_seed(seed)
end

--- Returns the seed the default generator was started from.
--- raises  nothing
---
---     wrun.manual_seed(777)
---     print(wrun.initial_seed())
---@return integer
function M.initial_seed()
  return core.default_generator:initial_seed()
end

M.default_generator = core.default_generator

return M
