--- What optimisers share: the gradient to follow, state that appears when it is needed, running
--- means, and options that are pairs.

local check = require "wrun.check"
local wrun = require "wrun"

local M = {}

--- Returns the state's tensor `name`, at first one like the parameter full of `value` (0).
function M.buffer(state, name, parameter, value)
  local buffer = state[name]
  if buffer == nil then
    buffer = wrun.full_like(parameter, value or 0)
    state[name] = buffer
  end
  return buffer
end

--- Returns the number of this step, from 1.
function M.count(state)
  state.step = (state.step or 0) + 1
  return state.step
end

--- Returns the gradient to go down: its negative when `maximize`, plus weight_decay * parameter;
--- a decoupled weight decay shrinks the parameter instead. Never changes grad, but may be grad.
function M.descent(parameter, grad, group)
  local decay = group.weight_decay or 0
  grad = group.maximize and -grad or grad
  if decay == 0 then
    return grad
  elseif group.decoupled_weight_decay then
    parameter:mul_(1 - group.lr * decay)
    return grad
  end
  return grad + parameter * decay
end

--- Moves a running mean: m = beta m + (1 - beta) x; returns m.
function M.average_(m, x, beta)
  return m:mul_(beta):add_(x * (1 - beta))
end

--- Moves a running mean of squares: m = beta m + (1 - beta) x^2; returns m.
function M.average_square_(m, x, beta)
  return m:mul_(beta):add_((x * x):mul_(1 - beta))
end

--- Returns the rule of an option of two numbers, of which `is_right(a, b)` holds.
function M.pair(default, expected, is_right)
  return check.rule(default, expected, function(value)
    local a, b = table.unpack(type(value) == "table" and #value == 2 and value or {})
    local is_pair = type(a) == "number" and type(b) == "number"
    return is_pair and is_right(a, b) and { a, b } or nil
  end)
end

local function are_decays(a, b)
  return a >= 0 and a < 1 and b >= 0 and b < 1
end

--- Returns the rule of Adam's betas and those of its kin.
function M.betas(first, second)
  return M.pair({ first, second }, "two numbers >= 0 and < 1", are_decays)
end

return M
