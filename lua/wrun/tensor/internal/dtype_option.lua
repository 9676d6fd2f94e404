--- The option dtype of reductions and scans.

local check = require "wrun.check"
local operations = require "wrun.operations"

local M = {}

--- The rule of the option.
M.rule = check.optional(check.choice(nil, {
  "bool", "uint8", "int32", "int64", "float32", "float64",
}))

local OPTIONS = { dtype = M.rule }

--- Returns f(x, ...). Where options name a dtype, x is converted to it first, and the result too.
--- raises  `NAME: option dtype: expected`; as f
---@param name string  what errors call f
---@param f fun(x: wrun.Tensor, ...): wrun.Tensor
---@param options { dtype: string }?
---@return wrun.Tensor
function M.call(name, f, options, x, ...)
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

return M
