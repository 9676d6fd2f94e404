--- Generators of random numbers, and the default one, which serves where no option names another.
--- The engine mt19937 gives PyTorch's numbers, on any number of threads.

local check = require "wrun.check"
local core = require "wrun.core"
local publish = require "wrun.publish"

local M = {}

---@class Generator
--- A stream of random numbers, made by `wrun.Generator`; `wrun.default_generator` is the one that
--- serves where no other is named.
---@alias wrun.Generator Generator
local Generator = {}

local metatable = getmetatable(core.default_generator)
local of_core = metatable.__index

--- Starts the stream from a seed and returns the generator.
--- domain  an integer; the engine mt19937 uses its low 32 bits
--- raises  `manual_seed: argument 2: expected a whole number as seed`
---     local g = wrun.Generator():manual_seed(7)
---     local first = wrun.rand(2, { generator = g })
---     assert(first:equal(wrun.rand(2, { generator = g:manual_seed(7) })))
---@type fun(self: wrun.Generator, seed: integer): wrun.Generator
Generator.manual_seed = of_core.manual_seed

--- Returns the seed that the stream was started from.
---     print(wrun.Generator({ seed = 5 }):initial_seed())
---@type fun(self: wrun.Generator): integer
Generator.initial_seed = of_core.initial_seed

--- Starts the stream from a seed that differs from run to run, and returns the seed.
---     print(math.type(wrun.Generator():seed()))
---@type fun(self: wrun.Generator): integer
Generator.seed = of_core.seed

--- Returns where the stream stands.
--- shapes  -> [size of a state] uint8
---     local g = wrun.Generator()
---     local state, first = g:get_state(), wrun.rand(2, { generator = g })
---     assert(first:equal(wrun.rand(2, { generator = g:set_state(state) })))
---@type fun(self: wrun.Generator): wrun.Tensor
Generator.get_state = of_core.get_state

--- Sets where the stream stands and returns the generator.
--- shapes  state as from get_state
--- domain  a state of either engine
--- raises  `set_state: argument 2: expected a uint8 tensor from get_state`
---     local g, other = wrun.Generator({ seed = 5 }), wrun.Generator()
---     other:set_state(g:get_state())
---     print(other:initial_seed())
---@type fun(self: wrun.Generator, state: wrun.Tensor): wrun.Generator
Generator.set_state = of_core.set_state

-- Only when it is whole: running out of memory above leaves generators their methods.
metatable.__index = Generator

local SEED = check.rule(nil, "a whole number as seed", function(value)
  return math.type(value) and math.tointeger(value)
end)

--- Returns a generator of its own stream.
--- domain  options engine, "mt19937" (default; PyTorch's) or "philox" (counter-based, quicker for
---   many samples of an RBM), and seed, an integer; mt19937 uses its low 32 bits
--- raises  `Generator: option engine: expected mt19937 or philox`; `option seed: expected a whole`
---     local g = wrun.Generator({ seed = 1 })
---     print(g, wrun.rand(2, { generator = g }))
---@type fun(options?: { engine: string, seed: integer }): wrun.Generator
M.Generator = core.Generator

--- Starts the default generator from a seed and returns it.
--- domain  an integer; its low 32 bits count
---     wrun.manual_seed(777)
---     print(wrun.rand(3))
---@return wrun.Generator
function M.manual_seed(seed)
  return core.default_generator:manual_seed(check.argument("manual_seed", 1, seed, SEED))
end

--- Returns the seed the default generator was started from.
---     wrun.manual_seed(777)
---     print(wrun.initial_seed())
---@return integer
function M.initial_seed()
  return core.default_generator:initial_seed()
end

--- Starts the default generator from a seed that differs from run to run, and returns the seed.
---     print(math.type(wrun.seed()))
---@return integer
function M.seed()
  return core.default_generator:seed()
end

--- Returns where the default generator stands.
--- shapes  -> [size of a state] uint8
---     local state = wrun.get_rng_state()
---     local first = wrun.rand(3)
---     wrun.set_rng_state(state)
---     assert(wrun.rand(3):equal(first))
function M.get_rng_state()
  return core.default_generator:get_state()
end

--- Sets where the default generator stands.
--- shapes  state as from get_rng_state
--- domain  a state of either engine
--- raises  `set_state: argument 2: expected a uint8 tensor from get_state`
---     wrun.set_rng_state(wrun.Generator({ seed = 7 }):get_state())
---     print(wrun.initial_seed()) -- 7
---@param state wrun.Tensor
function M.set_rng_state(state)
  core.default_generator:set_state(state)
end

--- Calls f(...) with a copy of the default generator in its place and returns its results; then the
--- default generator stands where it stood before. Without arguments it returns a guard, as no_grad.
---     local function noise() return wrun.randn(2) end
---     wrun.fork_rng(noise)
---     do
---       local _ <close> = wrun.fork_rng()
---       wrun.manual_seed(1)
---     end
---     print(wrun.initial_seed()) -- as before
---@type fun(f?: function, ...: any): any
M.fork_rng = core.scoped.fork_rng

M.default_generator = core.default_generator

publish.without_methods(M, {
  "Generator", "manual_seed", "initial_seed", "seed", "get_rng_state", "set_rng_state",
  "fork_rng", "default_generator",
})

return M
