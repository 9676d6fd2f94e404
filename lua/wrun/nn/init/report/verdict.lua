--- What is wrong with a start, in a word for each layer and a sentence for each fault, with its
--- remedy.

local init_profile = require "wrun.nn.init.profile"

local M = {}

local STEADY = 1.05 -- a factor a layer that is no fault, up and down
local FAR = 3 -- a factor over all layers that is none
local MANY = 0.5 -- a share of units that is a fault
local HIGH_COST = 1.5 -- times the cost of knowing nothing

-- Names ----------------------------------------------------------------------

local function is_near(x, y)
  return math.abs(x / y - 1) < 0.08
end

--- The gain of what follows a matrix product, and how its start is called.
function M.better_start(call)
  local follower = #call.consumers == 1 and call.consumers[1]
  local activation = follower and follower.is_activation and follower.module
  if not activation then
    return 1, "LeCun"
  end
  call.follower_gain = call.follower_gain or init_profile.gain_of(activation)
  local gain = call.follower_gain
  return gain, is_near(gain, math.sqrt(2)) and activation.__name == "ReLU" and "He"
    or ("%.4g / sqrt(fan_in)"):format(gain)
end

--- Names the start of a weight by its spread.
function M.start_of(call)
  local fan_in, fan_out, rms = call.fan_in, call.fan_out, call.weight_rms
  if rms == 0 then
    return "zeros"
  elseif call.weight_std < 1e-6 * rms then
    return "a constant"
  elseif is_near(rms, math.sqrt(2 / fan_in)) then
    return "He"
  elseif is_near(rms, math.sqrt(2 / (fan_in + fan_out))) then
    return "Xavier"
  elseif is_near(rms, math.sqrt(1 / (3 * fan_in))) then
    return "PyTorch's default"
  elseif is_near(rms, math.sqrt(1 / fan_in)) then
    return "LeCun"
  end
  local gain, better = M.better_start(call)
  return is_near(rms, gain / math.sqrt(fan_in)) and better or ("N(0, %.2g^2)"):format(rms)
end

-- The start of most of the calls.
local function common_start(linear)
  local counts, best = {}, nil
  for _, call in ipairs(linear) do
    local name = M.start_of(call)
    counts[name] = (counts[name] or 0) + 1
    best = (not best or counts[name] > counts[best]) and name or best
  end
  return best
end

-- Words for layers -----------------------------------------------------------

local function word(call, first)
  if call.rms ~= call.rms or call.rms == math.huge then
    return "not finite"
  elseif call.is_symmetric then
    return "symmetric"
  elseif call.std == 0 then
    return "constant"
  elseif call.gradient_rms == 0 then
    return "no gradient"
  elseif call.dead and call.dead > MANY then
    return "dead"
  elseif call.saturated and call.saturated > MANY then
    return "saturated"
  elseif call.std < first / 1000 then
    return "vanished"
  elseif call.std > first * 1000 then
    return "exploded"
  elseif call.expected and (call.std < call.expected.low or call.std > call.expected.high) then
    return "unexpected"
  end
  return "good"
end

-- Sentences for networks -----------------------------------------------------

-- By what a measure changes from one matrix product to the next, over those between the first and
-- the last whose output is hidden; nil where there are too few.
local function factor(linear, key)
  local first, last = linear[1], linear[#linear - 1]
  local layers = #linear - 2
  if layers < 1 or not (first[key] > 0 and last[key] > 0) then
    return nil
  end
  return (last[key] / first[key]) ^ (1 / layers), layers
end

local function changes(a, layers)
  return a and (a < 1 / STEADY or a > STEADY) and (a ^ layers < 1 / FAR or a ^ layers > FAR)
end

local function remedy(linear, start)
  local call = linear[math.min(2, #linear)]
  local _, better = M.better_start(call)
  if better ~= start then
    return ("%s would hold it"):format(better)
  end
  local slope = call.consumers[1].profile
  return ("it is the right one, but errors multiply by the slope %.3g a layer"):format(
    slope and slope.slope or 1)
end

local function add(faults, text, ...)
  faults[#faults + 1] = text:format(...)
end

local function after(linear)
  local follower = #linear[1].consumers == 1 and linear[1].consumers[1]
  return follower and follower.is_activation and " on " .. follower.module.__name or ""
end

-- Of hidden layers: the units of the last learn what their targets are.
local function judge_symmetry(faults, linear)
  for i = 1, #linear - 1 do
    local call = linear[i]
    if call.is_symmetric then
      add(faults, "the %d units of %s compute the same and will learn the same: its weights are "
        .. "%s; draw them, from %s", call.fan_out, call.path, M.start_of(call),
        select(2, M.better_start(call)))
    end
  end
end

-- Says whether all weights are numbers, without which nothing else can be said.
local function judge_weights(faults, linear)
  for _, call in ipairs(linear) do
    if call.weight_rms - call.weight_rms ~= 0 then
      add(faults, "the weights of %s hold NaN or infinity; draw them, from %s", call.path,
        select(2, M.better_start(call)))
    end
  end
  return #faults == 0
end

local function judge_passage(faults, linear)
  for i = #linear - 1, 1, -1 do
    local call, later = linear[i], linear[i + 1]
    if later.weight_rms == 0 and later.gradient_rms > 0 then
      add(faults, "no gradient reaches %s: the weights of %s are zeros", call.path, later.path)
    end
  end
end

local function judge_spreads(faults, linear)
  local signal, layers = factor(linear, "rms")
  local start = common_start(linear)
  if changes(signal, layers) then
    add(faults, "the signal %s by %.3g a layer: %s%s; %s", signal < 1 and "shrinks" or "grows",
      signal, start, after(linear), remedy(linear, start))
  end
  local gradient, between = factor(linear, "gradient_rms")
  gradient = gradient and 1 / gradient
  if changes(gradient, between) then
    add(faults, "on its way back the gradient %s by %.3g a layer: %s%s; %s",
      gradient < 1 and "shrinks" or "grows", gradient, start, after(linear), remedy(linear, start))
  end
end

local function judge_units(faults, calls)
  for _, call in ipairs(calls) do
    if call.dead and call.dead > MANY and not (call.producer and call.producer.std == 0) then
      add(faults, "%.0f %% of the units of %s are 0 for the whole batch: look at the biases before",
        100 * call.dead, call.path)
    elseif call.saturated and call.saturated > MANY then
      add(faults, "%s is saturated in %.0f %%, where no gradient passes: its input spreads by "
        .. "%.3g; make the weights before it narrower", call.path, 100 * call.saturated,
        call.producer and call.producer.std or call.std)
    end
  end
end

local function judge_outputs(faults, calls)
  for _, call in ipairs(calls) do
    if call.rms - call.rms ~= 0 then
      add(faults, "the output of %s is not finite, and so is all that follows", call.path)
      return
    end
  end
end

local function judge_cost(faults, report)
  local ignorance = report.ignorance
  if ignorance and report.cost > HIGH_COST * ignorance then
    add(faults, "the cost starts at %.4g where knowing nothing costs ln %d = %.4g: the last "
      .. "layer's output is too large", report.cost, report.classes, ignorance)
  end
end

--- Gives each call its `verdict`, and the report its list `faults`, which is empty where there are
--- none.
function M.judge(report)
  local linear, first = {}, nil
  for _, call in ipairs(report.calls) do
    first = first or call.std
    call.verdict = word(call, first)
    if call.kind == "linear" then
      linear[#linear + 1] = call
    end
  end
  local faults = {}
  report.faults, report.linear = faults, linear
  if not judge_weights(faults, linear) then
    return
  end
  if #linear > 0 then
    judge_symmetry(faults, linear)
    judge_passage(faults, linear)
    judge_spreads(faults, linear)
  end
  judge_outputs(faults, report.calls)
  judge_units(faults, report.calls)
  judge_cost(faults, report)
end

return M
