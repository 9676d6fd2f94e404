--- Every elementwise operation, for a million floats and for four, on one thread, beside PyTorch.

local harness = require "harness"
local wrun = require "wrun"

local ROUNDS = 7
local SIZES = { { 1000000, 16, "an element of 1,000,000" }, { 4, 5000, "a call on 4" } }

local function loop(operation, size)
  local f, arguments = wrun[operation.name], {}
  for i = 1, operation.arity do
    arguments[i] = wrun.empty(size):uniform_(operation.low, operation.high)
  end
  if operation.kind == "select" then
    arguments[1] = arguments[1]:gt(0)
  elseif operation.kind == "bitwise" or operation.kind == "shift" then
    arguments = { arguments[1]:long(), arguments[2]:long() }
  end
  local a, b, c = table.unpack(arguments)
  return function(count)
    for _ = 1, count do
      f(a, b, c)
    end
  end
end

-- Seconds a call, per element where the size is large.
local function per_element(times, size)
  for i, time in ipairs(times or {}) do
    times[i] = time / size
  end
  return times
end

local threads = wrun.get_num_threads()
wrun.set_num_threads(1)
local torch = harness.torch()

for _, case in ipairs(SIZES) do
  local size, count, title = table.unpack(case)
  harness.heading("elementwise: " .. title, "PyTorch")
  for _, o in ipairs(harness.rows()) do
    local command = { "operation", o.name, o.arity, o.low, o.high, size, count }
    local has_rival = torch and torch:ask(table.unpack(command))
    local times = harness.take_turns(ROUNDS, {
      wrun = harness.warmed(harness.each(loop(o, size), count)),
      torch = has_rival and harness.warmed(torch:asking(table.unpack(command))) or nil,
    })
    local divisor = size > 4 and size or 1
    harness.compare(o.name, per_element(times.wrun, divisor), per_element(times.torch, divisor),
      has_rival and size > 4 and "<= 1" or nil)
  end
end

if torch then
  torch:close()
end
wrun.set_num_threads(threads)
