--- Sums over all states of a layer, for machines that are small enough.

local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local fail = check.fail

--- M.MOST: the most units of the smaller side.
local M = { MOST = core.rbm_enumerable }

local BLOCK = 12 -- units of a block of patterns that is held at once

-- All patterns of `n` units whose number lies in [first, first + count), as float64 [count, n].
local function patterns(first, count, n)
  local codes = wrun.arange(first, first + count, { dtype = "int64" }):unsqueeze(2)
  local powers = {}
  for j = 1, n do
    powers[j] = 1 << (j - 1)
  end
  return (codes:floor_divide(wrun.tensor(powers):unsqueeze(1)) % 2):double()
end

-- Which layer to sum over: how many units it has, and whether it is the hidden one.
local function smaller_side(model)
  local o = model.options
  local hidden = o.hidden_units == "binary" and o.hidden or math.huge
  local visible = o.visible_units == "binary" and o.visible or math.huge
  return math.min(hidden, visible), hidden <= visible
end

local function enumerable_side(model, fname)
  local n, is_hidden = smaller_side(model)
  if n > M.MOST then
    local o = model.options
    fail("%s: expected at most %d binary units on the smaller side to enumerate, got %d visible "
      .. "and %d hidden units; use ais", fname, M.MOST, o.visible, o.hidden)
  end
  return n, is_hidden
end

--- Is a layer small enough to sum over all its states?
function M.is_enumerable(model)
  return smaller_side(model) <= M.MOST
end

-- Weight [n, m], bias of the n enumerated units, bias and kind of the m others; all float64.
local function oriented(model, is_hidden)
  local w, a, b = model.weight:double(), model.visible_bias:double(), model.hidden_bias:double()
  if is_hidden then
    return w, b, a, model.visible_kind
  end
  return w:t():contiguous(), a, b, model.hidden_kind
end

-- Iterates over blocks: patterns [count, n] and the logarithm of each one's weight [count].
local function blocks(model, n, is_hidden)
  local w, own, other, kind = oriented(model, is_hidden)
  local size, first = 1 << math.min(n, BLOCK), 0
  return function()
    if first >= 1 << n then
      return nil
    end
    local states = patterns(first, size, n)
    first = first + size
    return states, states:matmul(own) + kind.log_partition(states:matmul(w), other)
  end
end

--- log Z by the direct sum in blocks: for units of any kind, and weights of any size.
function M.log_z_blocks(model)
  local n, is_hidden = enumerable_side(model, "log_z")
  local parts = {}
  for _, log_weight in blocks(model, n, is_hidden) do
    parts[#parts + 1] = log_weight:logsumexp(1):item()
  end
  return wrun.tensor(parts, { dtype = "float64" }):logsumexp(1):item()
end

--- log Z by enumerating the smaller side.
function M.log_z(model, fname)
  local _, is_hidden = enumerable_side(model, fname)
  local o = model.options
  if o.hidden_units == "binary" and o.visible_units == "binary" then
    local w, own, other = oriented(model, is_hidden)
    local log_z = core.rbm_log_partition(w, other, own)
    if log_z then
      return log_z
    end
  end
  return M.log_z_blocks(model)
end

--- Rows that together are the model's expectation: visible states or means v, hidden states or
--- means p, and the probability of each row. The likelihood's gradient is exact with them.
--- cost    memory 2^n rows of the smaller side; at most 16 units
function M.expectation(model)
  local n, is_hidden = enumerable_side(model, "fit")
  if n > 16 then
    fail("fit: option method: expected at most 16 units on the smaller side for exact, got %d", n)
  end
  local dtype = model.options.dtype
  local all, logs = {}, {}
  for states, log_weight in blocks(model, n, is_hidden) do
    all[#all + 1], logs[#logs + 1] = states, log_weight
  end
  local states, log_weight = wrun.cat(all, 1), wrun.cat(logs, 1)
  local probability = (log_weight - log_weight:logsumexp(1)):exp():to(dtype)
  states = states:to(dtype)
  if is_hidden then
    return model:visible(states), states, probability
  end
  return states, model:hidden(states), probability
end

--- n exact samples of the visible units.
function M.sample(model, count)
  local n, is_hidden = enumerable_side(model, "sample")
  local best, chosen -- the largest of log weight + Gumbel noise wins, block by block
  for states, log_weight in blocks(model, n, is_hidden) do
    local noise = wrun.empty(count, states:size(1), { dtype = "float64" })
    noise:exponential_(1, { generator = model.generator })
    local value, at = (log_weight:unsqueeze(1) - noise:log()):max(2)
    local rows = states:index_select(1, at)
    if best then
      local better = value:gt(best)
      rows = wrun.where(better:unsqueeze(2), rows, chosen)
      value = wrun.maximum(value, best)
    end
    best, chosen = value, rows
  end
  chosen = chosen:to(model.options.dtype)
  return is_hidden and model:sample_v(chosen) or chosen
end

return M
