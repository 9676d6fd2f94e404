--- The option dtype of reductions, scans and the softmax.

local check = require "wrun.check"
local operations = require "wrun.operations"

local OPTIONS = { dtype = check.optional(check.dtype()) }

--- Returns f(x, ...). Where options name a dtype, x is converted to it first, and the result too.
---@param name string  what errors call f
return function(name, f, options, x, ...)
  if options == nil then
    return f(x, ...)
  end
  local dtype = check.options(name, options, OPTIONS).dtype
  check.tensor_argument(name, 1, x)
  if dtype == nil then
    return f(x, ...)
  end
  return operations.to(f(operations.to(x, dtype), ...), dtype)
end
