--- What masks choose: elements where a condition holds, filled, read, and written.

local broadcast = require "wrun.tensor.internal.broadcast"
local check = require "wrun.check"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

--- x (or its shape, where in place) and mask broadcast; returns the joint shape
local function joint_shape(f, x, mask, in_place)
  check.tensor_argument(f, 1, x)
  if not check.is_tensor(mask) or mask.dtype ~= "bool" then
    fail("%s: argument 2: expected a bool tensor, got %s", f, check.describe(mask))
  end
  local joint = broadcast { x.shape, mask.shape }
  if not joint or (in_place and not check.same_shape(joint, x)) then
    fail("%s: argument 2: expected a shape that broadcasts %s %s, got %s", f,
      in_place and "to" or "with", check.shape_text(x), check.shape_text(mask))
  end
  return joint
end

--- the flat indices where mask, expanded to a shape, is true
local function true_indices(mask, shape)
  local flat = unrecorded.reshape(unrecorded.expand(mask, shape), -1)
  return unrecorded.view(unrecorded.nonzero(flat), -1)
end

local function filled(x, mask, value, f, in_place)
  joint_shape(f, x, mask, in_place)
  return operations.to(operations.where(mask, value, x), x.dtype)
end

--- Returns x with value where mask is true.
--- shapes  x and mask broadcast; value a number or a tensor that broadcasts too
--- domain  mask bool; any dtype, which stays x's
---     local x = wrun.tensor { 1.0, -2.0, 3.0 }
---     print(x:masked_fill(x:lt(0), 0))
---@param value number|wrun.Tensor
---@return wrun.Tensor
function M.masked_fill(x, mask, value)
  return (filled(x, mask, value, "masked_fill", false))
end

function M.masked_fill_(x, mask, value)
  return operations.copy_(x, filled(x, mask, value, "masked_fill_", true))
end

--- Returns the elements of x where mask is true, in a row.
--- shapes  x and mask broadcast -> [count]
--- domain  mask bool; any dtype
---     local x = wrun.tensor { { 1, 5 }, { 7, 2 } }
---     print(x:masked_select(x:gt(3))) -- 5, 7
function M.masked_select(x, mask)
  local joint = joint_shape("masked_select", x, mask)
  local row = operations.reshape(operations.expand(x, joint), -1)
  return operations.index_select(row, 1, true_indices(mask, joint))
end

local function check_source(f, x, source, count)
  if not check.is_tensor(source) or source.dtype ~= x.dtype then
    fail("%s: argument 3: expected a %s tensor, got %s", f, x.dtype, check.describe(source))
  elseif source:numel() < count then
    fail("%s: argument 3: expected %d elements or more, as many as the mask has true, got %d", f,
      count, source:numel())
  end
  return operations.narrow(operations.reshape(source, -1), 1, 1, count)
end

--- Returns x with the elements of source, in order, where mask is true.
--- shapes  x and mask broadcast; source [...] of at least as many elements as mask has true
--- domain  mask bool; any dtype, of source the same
---     local mask = wrun.tensor { true, false, true }
---     print(wrun.zeros(3):masked_scatter(mask, wrun.tensor { 5.0, 7.0 })) -- 5, 0, 7
---@param source wrun.Tensor
---@return wrun.Tensor
function M.masked_scatter(x, mask, source)
  local joint = joint_shape("masked_scatter", x, mask)
  local indices = true_indices(mask, joint)
  local values = check_source("masked_scatter", x, source, indices:numel())
  return operations.put(operations.expand(x, joint), indices, values)
end

function M.masked_scatter_(x, mask, source)
  local joint = joint_shape("masked_scatter_", x, mask, true)
  local indices = true_indices(mask, joint)
  local values = check_source("masked_scatter_", x, source, indices:numel())
  return operations.put_(x, indices, values)
end

--- Returns the indices of the elements that are not 0, one in a row, in the order of x.
--- shapes  x [a, b] -> [count, 2]; without dimensions [1, 0] or [0, 0]
--- domain  any dtype; NaN is not 0; indices from 1
---     print(wrun.eye(2):nonzero()) -- 1, 1 and 2, 2
M.nonzero = operations.nonzero

return M
