--- What 16 million elements cost, which no cache holds, beside a loop that reads and writes as much.

local bare = require "bare"
local core = require "wrun.core"
local harness = require "harness"
local wrun = require "wrun"

local ROUNDS = 7
local COUNT = 2
local SIZE = 16000000

-- rows of ops.def that do next to nothing with an element
local NAMES = {
  "neg", "abs", "square", "sqrt", "relu", "floor", "deg2rad", "sign", "add", "sub", "mul", "div",
  "maximum", "copysign", "addcmul",
}

local arity = {}
for _, row in ipairs(core.elementwise_rows()) do
  arity[row.name] = row.arity
end

local threads = wrun.get_num_threads()
local block = bare.new_triad(SIZE)
local a, b, c = wrun.rand(SIZE):add_(1), wrun.rand(SIZE):add_(1), wrun.rand(SIZE):add_(1)
local arguments = { a, b, c }

local function triad(inputs, in_place)
  return function(count)
    for _ = 1, count do
      bare.triad(block, SIZE, inputs, threads, in_place)
    end
  end
end

local function line(name, inputs, run, in_place)
  local times = harness.take_turns(ROUNDS, {
    wrun = harness.each(run, COUNT),
    triad = harness.each(triad(inputs, in_place), COUNT),
  })
  harness.least(name, times.wrun, times.triad, "<= 1.1")
end

harness.heading("stream: 16,000,000 elements", "triad")
for _, name in ipairs(NAMES) do
  local inputs = arity[name]
  local function run(f)
    return function(count)
      for _ = 1, count do
        f(table.unpack(arguments, 1, inputs))
      end
    end
  end
  line(name, inputs, run(wrun[name]), false)
  line(name .. " in place", inputs, run(wrun[name .. "_"]), true)
end
