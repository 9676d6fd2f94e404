--- What the specs of optimisers share: small parameters, and steps with given gradients.

local wrun = require "wrun"

local M = {}

--- Returns a float64 leaf of the given values that requires a gradient.
function M.parameter(...)
  return wrun.tensor({ ... }, { dtype = "float64", requires_grad = true })
end

--- Gives p the gradients in turn, a step each, and returns its value after every step.
function M.path(optimizer, p, gradients)
  local values = {}
  for i, gradient in ipairs(gradients) do
    p.grad = wrun.tensor({ gradient }, { dtype = "float64" })
    optimizer:step()
    values[i] = p:item()
  end
  return values
end

return M
