--- What mean field theory says of the same calls: the second moments that the weights' spreads and
--- the activations' profiles give, forward and backward, and how far a finite network may be off.
---
--- A prediction starts from what was measured wherever a call's input is not the output of one
--- before. Its noise is the relative variance of a second moment over n units: (E f^4 / (E f^2)^2
--- - 1) / n a layer, which grows by the square of the slope [Hanin2018].

local measure = require "wrun.nn.init.report.measure"
local profile = require("wrun.nn.init.profile").profile

local M = {}

local SIGMAS = 3 -- of the logarithm of a spread; one in 400 is outside by chance

-- The calls whose output is the input of `call`, and the other way round.
local function connect(calls)
  for i, call in ipairs(calls) do
    call.consumers = {}
    for j = i - 1, 1, -1 do
      if rawequal(calls[j].output, call.input) then
        call.producer = calls[j]
        table.insert(calls[j].consumers, call)
        break
      end
    end
  end
end

local function forward(call, input)
  if call.kind == "linear" then
    local bias = call.module.bias
    local signal = input.second * call.fan_in * call.weight_rms ^ 2
    local second = signal + (bias and bias:detach():double():square():mean():item() or 0)
    local share = second > 0 and signal / second or 0
    return {
      second = second, variance = second, noise = input.noise * share ^ 2,
      sampling = 2 / call.fan_out,
    }
  elseif call.kind == "activation" and input.second > 0 and input.second < math.huge then
    local p = profile(call.module, { std = math.sqrt(input.second) })
    call.profile = p
    if p.second_moment == 0 then
      return nil
    end
    return {
      second = p.second_moment, variance = p.variance, sampling = 0,
      noise = p.slope ^ 2 * input.noise
        + (p.fourth_moment / p.second_moment ^ 2 - 1) / call.output:size(-1),
    }
  elseif call.kind == "same" then
    return input
  end
end

local function backward(call, consumer)
  local after = consumer.gradient_theory
  if consumer.kind == "linear" then
    return {
      second = after.second * consumer.fan_out * consumer.weight_rms ^ 2,
      noise = after.noise + after.sampling, sampling = 2 / consumer.fan_in,
    }
  elseif consumer.kind == "activation" and consumer.profile then
    local p = consumer.profile
    if p.derivative == 0 then
      return nil
    end
    return {
      second = after.second * p.derivative, sampling = 0,
      noise = after.noise + (3 * p.derivative_fourth / p.derivative ^ 2 - 1) / call.output:size(-1),
    }
  elseif consumer.kind == "same" then
    return after
  end
end

-- Where a spread lies but for chance, when its square is lognormal with that mean.
local function band(spread, noise)
  local middle, half = spread * math.exp(-noise / 4), SIGMAS * math.sqrt(noise) / 2
  return { spread = spread, low = middle * math.exp(-half), high = middle * math.exp(half) }
end

local function measured(rms)
  return { second = rms ^ 2, noise = 0, sampling = 0 }
end

--- Gives each call `expected` and `expected_gradient`, { spread, low, high }, where theory has
--- something to say, and `slope_product`, the product of the slopes up to it.
function M.predict(calls)
  connect(calls)
  local slope_product = 1
  for _, call in ipairs(calls) do
    local producer = call.producer
    local input = producer and producer.theory
    if not input and call.kind ~= "other" then
      input = measured((measure.spread(call.input)))
    end
    local predicted = input and forward(call, input)
    call.theory = predicted
    if predicted and call.kind ~= "same" then
      call.expected = band(math.sqrt(predicted.variance), predicted.noise + predicted.sampling)
    end
    slope_product = slope_product * (call.profile and call.profile.slope or 1)
    call.slope_product = slope_product
  end
  for i = #calls, 1, -1 do
    local call = calls[i]
    local consumer = #call.consumers == 1 and call.consumers[1]
    local predicted = consumer and backward(call, consumer)
    if predicted then
      call.expected_gradient = band(math.sqrt(predicted.second),
        predicted.noise + predicted.sampling)
    end
    call.gradient_theory = predicted or measured(call.gradient_rms)
  end
end

return M
