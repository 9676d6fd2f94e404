--- The derivatives of structural operations: one row each, a gradient for each argument.
--
-- A gradient takes (g, y, ...): the gradient of the result, the result if saved, and the arguments
-- of the call, and returns the gradient of its argument, written in tensor operations, so that
-- gradients have gradients. It need not undo broadcasting or conversion: the walk backward sums and
-- converts to the argument's shape and type.
--
--   backward  in place of `gradients` where the number of arguments varies: all gradients at once,
--             from g, the arguments that want one, and { result, arguments ... }
--   saves     the arguments (by number) and "y" whose values the gradients read; of other
--             arguments only the shape is kept
--   sample    arguments for the specs, given randn(sizes...) in float64
--   in_place  the call changes and returns its first argument
--
-- Elementwise operations have their derivatives in runtime/ops.def.

local factor = require "wrun.derivatives.factor"
local index = require "wrun.derivatives.index"
local product = require "wrun.derivatives.product"
local reduce = require "wrun.derivatives.reduce"
local scan = require "wrun.derivatives.scan"
local shape = require "wrun.derivatives.shape"

local M = {}

for _, kind in ipairs { factor, index, product, reduce, scan, shape } do
  for name, row in pairs(kind) do
    M[name] = row
  end
end

return M
