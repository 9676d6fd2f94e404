--- Numbers as tensors, for what compares with tensors.

local check = require "wrun.check"
local operations = require "wrun.operations"

--- a number as a tensor that compares with those of `dtype`
return function(name, index, value, dtype)
  if type(value) == "number" then
    local is_float = check.is_float(dtype) or math.type(value) == "integer"
    return operations.tensor(value, { dtype = is_float and dtype or "float64" })
  end
  check.tensor_argument(name, index, value)
  return value
end
