--- Parameters: the tensors of a module that an optimiser changes.

local check = require "wrun.check"
local core = require "wrun.core"

local REQUIRES_GRAD = check.boolean(true)

--- Returns a parameter on the memory of `tensor`: a leaf that registers itself as a module's field.
--- shapes  any
--- domain  float32 or float64 when it requires a gradient
---     print(nn.Parameter(wrun.zeros(2)))
---@return wrun.Tensor
local function Parameter(tensor, requires_grad)
  check.tensor_argument("Parameter", 1, tensor)
  requires_grad = check.argument("Parameter", 2, requires_grad, REQUIRES_GRAD)
  if requires_grad then
    check.float_argument("Parameter", 1, tensor)
  end
  local parameter = tensor:detach()
  core.set_parameter(parameter, true)
  return parameter:requires_grad_(requires_grad)
end

return Parameter
