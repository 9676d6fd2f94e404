--- How a training step grows with width, batch and depth, and an epoch with the rows that stream by:
--- seconds a unit of work, beside PyTorch's. Pictures of it go beside the results. Where a step is
--- steep, loops that only read and write as much say how steep memory is by itself.

local bare = require "bare"
local harness = require "harness"
local wrun = require "wrun"

local nn, optim, data = wrun.nn, wrun.optim, wrun.data

local ROUNDS = 5
local LEAST = 0.02 -- seconds of a turn
local STEEPEST = 1.5 -- of neighbours: no more seconds a unit than so many times the smaller one's

-- What grows, the others as they are in the middle of each.
local SWEEPS = {
  { name = "width", values = { 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096 } },
  { name = "batch", values = { 1, 4, 16, 64, 256, 1024, 4096 } },
  { name = "depth", values = { 1, 2, 5, 10, 20, 50, 100 } },
  { name = "rows",
    values = { 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000 } },
}
local MIDDLE = { width = 128, batch = 64, depth = 2 }
local FEATURES, ROWS_A_BATCH = 4, 1000

-- FLOPs of a step's products, forward and backward.
local function step_work(o)
  return 6 * o.batch * o.depth * o.width * o.width
end

-- Weights keep the size of signals [He2015]: in a hundred layers begun otherwise these become so
-- small that a processor may take ten times as long for each.
local function step(o)
  local layers = {}
  for _ = 1, o.depth do
    local linear = nn.Linear(o.width, o.width)
    nn.init.kaiming_normal_(linear.weight, { nonlinearity = "relu" })
    layers[#layers + 1] = linear
    layers[#layers + 1] = nn.ReLU()
  end
  local model = nn.Sequential(layers)
  local optimizer = optim.Adam(model:parameters(), { lr = 1e-4 })
  local criterion, x, y = nn.MSELoss(), wrun.randn(o.batch, o.width), wrun.randn(o.batch, o.width)
  return function(count)
    for _ = 1, count do
      optimizer:zero_grad()
      criterion(model(x), y):backward()
      optimizer:step()
    end
  end
end

-- An epoch of a small network over rows in memory, handed out in shuffled batches.
local function epoch(rows)
  local set = { x = wrun.randn(rows, FEATURES), y = wrun.randn(rows, 1) }
  local loader = data.loader(set, { batch_size = ROWS_A_BATCH, shuffle = true })
  local model, criterion = nn.Linear(FEATURES, 1), nn.MSELoss()
  local optimizer = optim.SGD(model:parameters(), { lr = 0.01 })
  return function(count)
    for _ = 1, count do
      for x, y in loader:batches() do
        optimizer:zero_grad()
        criterion(model(x), y):backward()
        optimizer:step()
      end
    end
  end
end

-- How many turns take LEAST seconds, by one of them, after one that makes what is kept.
local function turns(f)
  f(1)
  return math.max(1, math.ceil(LEAST / harness.seconds(f, 1)))
end

-- Has PyTorch the threads with which it does `count` turns sooner; returns it as a contestant.
local function quicker(torch, command, count)
  command[#command + 1] = count
  local seconds = {}
  for threads = 1, 2 do
    torch:ask("threads", threads)
    seconds[threads] = torch:ask(table.unpack(command))
  end
  torch:ask("threads", seconds[1] <= seconds[2] and 1 or 2)
  return torch:asking(table.unpack(command))
end

-- Measures one point; returns the seconds of wrun, and of PyTorch if there is one.
local function measure(sweep, value, torch)
  local o = setmetatable({ [sweep.name] = value }, { __index = MIDDLE })
  local is_rows = sweep.name == "rows"
  local f = is_rows and epoch(value) or step(o)
  local count = turns(f)
  local contestants = { wrun = harness.warmed(harness.each(f, count)) }
  if torch then
    local command = is_rows and { "growth_epoch", value, FEATURES, ROWS_A_BATCH }
      or { "growth_step", o.width, o.batch, o.depth }
    contestants.torch = harness.warmed(quicker(torch, command, math.ceil(count / 10)))
  end
  local times = harness.take_turns(ROUNDS, contestants)
  local theirs = times.torch
  local work = is_rows and value or step_work(o)
  harness.least(("%s %d: %s"):format(sweep.name, value, is_rows and "an epoch" or "a step"),
    times.wrun, theirs or nil, torch and "<= 1" or nil)
  return math.min(table.unpack(times.wrun)) / work,
    theirs and math.min(table.unpack(theirs)) / work
end

-- Returns the seconds a unit of work takes of memory alone, by one thread: that of the weights, or
-- that of the rows.
local function memory_alone(sweep, value)
  local o = setmetatable({ [sweep.name] = value }, { __index = MIDDLE })
  local is_rows = sweep.name == "rows"
  local count = is_rows and value or o.depth * o.width * o.width
  local block = bare.new_block(is_rows and 6 * count + 5 * ROWS_A_BATCH or 4 * count)
  local loop = is_rows and bare.shuffle or bare.update
  local function f(times) loop(block, count, times) end
  local contestant = harness.each(f, turns(f))
  local times = harness.take_turns(ROUNDS, { contestant })[1]
  return math.min(table.unpack(times)) / (is_rows and count or step_work(o))
end

-- Says where a unit of work takes STEEPEST times as long as at the next smaller point.
local function name_steps(sweep, seconds)
  for i = 2, #seconds do
    local growth = seconds[i] / seconds[i - 1]
    if growth > STEEPEST then
      local before, after = sweep.values[i - 1], sweep.values[i]
      local memory = memory_alone(sweep, after) / memory_alone(sweep, before)
      print(("! %s from %d to %d: %.2f times as long a unit; memory alone: %.2f times"):format(
        sweep.name, before, after, growth, memory))
    end
  end
end

local torch = harness.torch()
local figures = {}
for _, sweep in ipairs(SWEEPS) do
  harness.heading("growth with " .. sweep.name, torch and "PyTorch")
  local ours, theirs = {}, {}
  for i, value in ipairs(sweep.values) do
    ours[i], theirs[i] = measure(sweep, value, torch)
  end
  name_steps(sweep, ours)
  local unit = sweep.name == "rows" and "seconds a row" or "seconds a FLOP of products"
  local figure = wrun.plot.Figure { x = sweep.name, y = unit, log = "xy" }
  figure:line(sweep.values, ours, { label = "wrun" })
  if torch then
    figure:line(sweep.values, theirs, { label = "PyTorch, at its best threads" })
  end
  figures[#figures + 1] = figure
end
if torch then
  torch:close()
end

if harness.results then
  local path = harness.results:gsub("%.jsonl$", "") .. "-growth.png"
  wrun.plot.grid(figures, { columns = 2 }):save(path)
  print("\n" .. path)
end
