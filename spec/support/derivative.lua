--- Derivatives of a function of one tensor, first and second, beside finite differences.

local assert = require "luassert"
local wrun = require "wrun"

local generator = wrun.Generator({ seed = 8 })

--- Asserts that f(x, ...) has gradients of both orders, for normal draws x of these sizes.
return function(f, sizes, ...)
  local options = { dtype = "float64", generator = generator, requires_grad = true }
  local arguments = table.pack(wrun.randn(sizes, options), ...)
  assert.is_true(wrun.gradcheck(f, arguments))
  assert.is_true(wrun.gradgradcheck(f, arguments))
end
