--- Where diagonals stand among all elements of a tensor.

local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

--- Returns the flat indices of the diagonals of a tensor of these sizes, in the shape that
--- diagonal(offset, d, e) gives it.
return function(sizes, ...)
  local indices, stride = 1, 1
  for k = #sizes, 1, -1 do
    local shape = {}
    for i = 1, #sizes do
      shape[i] = i == k and sizes[k] or 1
    end
    local steps = unrecorded.reshape(operations.arange(sizes[k]) * stride, shape)
    indices = indices + unrecorded.diagonal(unrecorded.expand(steps, sizes), ...)
    stride = stride * sizes[k]
  end
  return indices
end
