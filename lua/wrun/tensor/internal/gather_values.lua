--- Values chosen along a dimension, with the gradient of choosing.

local autograd = require "wrun.autograd"
local operations = require "wrun.operations"

--- Returns values and places, as a kernel found them in x along dimension d. Where a gradient is
--- wanted the values are gathered from x instead, so that it flows to the places, at any order.
---@param x Tensor
---@param d integer
---@param values Tensor
---@param places Tensor  int64, from 1, of the rank of x
---@return Tensor, Tensor
return function(x, d, values, places)
  if x.requires_grad and autograd.is_grad_enabled() then
    values = operations.gather(x, d, places)
  end
  return values, places
end
