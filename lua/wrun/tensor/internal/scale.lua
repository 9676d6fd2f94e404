--- Powers of two by which numbers come to where their squares are well within the dtype.

local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

local M = {}

-- Between which magnitudes numbers stay as they are, and what brings the others there.
local RANGES = {
  float32 = { low = 2.0 ^ -40, high = 2.0 ^ 60, raise = 2.0 ^ 90, lower = 2.0 ^ -96 },
  float64 = { low = 2.0 ^ -400, high = 2.0 ^ 480, raise = 2.0 ^ 700, lower = 2.0 ^ -768 },
}

--- Are all elements of x so large, and so small, that squares were summed without loss?
function M.are_ordinary(x)
  local range = RANGES[x.dtype]
  return x:numel() == 0 or unrecorded.amin(x):item() > range.low
    and unrecorded.amax(x):item() < range.high
end

--- Returns the power of two, 1 for ordinary elements, by which x is to be multiplied before it is
--- squared along dims, which stay with size 1.
function M.of(x, dims)
  local range = RANGES[x.dtype]
  local most = operations.amax(operations.abs(operations.detach(x)), dims, true)
  local one = operations.ones(most.shape, { dtype = x.dtype })
  local factor = operations.where(most:gt(range.high), range.lower, one)
  return operations.where(most:lt(range.low), range.raise, factor)
end

return M
