--- Values chosen along a dimension, with the gradient of choosing.

local autograd = require "wrun.autograd"
local operations = require "wrun.operations"

--- Returns values and indices, as a kernel found them in x along dimension d. Where a gradient is
--- wanted the values are gathered from x instead, so that it flows to the indices, at any order.
---@param indices wrun.Tensor  int64, from 1, of the rank of x
return function(x, d, values, indices)
  if x.requires_grad and autograd.is_grad_enabled() then
    values = operations.gather(x, d, indices)
  end
  return values, indices
end
