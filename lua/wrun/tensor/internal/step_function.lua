--- Results that follow their argument in steps only, as a sign or a draw does: the gradient is 0.

local Function = require "wrun.autograd_function"
local operations = require "wrun.operations"

--- f(x, ...), and zeros where its gradient is wanted
local function step_function(name, f)
  return Function {
    name = name,
    forward = function(context, x, ...)
      local y = f(x, ...)
      context.shape = x.shape
      return y
    end,
    backward = function(context, g)
      return operations.zeros(context.shape, { dtype = g.dtype })
    end,
  }
end

return step_function
