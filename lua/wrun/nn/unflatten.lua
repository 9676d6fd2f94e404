--- Unflatten: one dimension made of several.

local Module = require "wrun.nn.module"
local check = require "wrun.check"
local core = require "wrun.core"

local LIST = check.table()

---@class wrun.nn.Unflatten: wrun.nn.Module
local Unflatten = Module:extend("Unflatten")

--- Makes a layer that splits dimension `dim` into dimensions of the given sizes.
--- shapes  x [n, a * b], dim 2, sizes { a, b } -> y [n, a, b]
--- domain  any dtype; one of the sizes may be -1, what is left
--- raises  `Unflatten: argument 2: expected a table`; `Unflatten: expected a dimension`; `reshape`
---
---     print(nn.Unflatten(2, { 2, -1 })(wrun.arange(6):reshape(1, 6)))
---@param dim integer
---@param sizes integer[]
function Unflatten:init(dim, sizes)
  self.dim = check.argument("Unflatten", 1, dim, check.integer())
  self.unflattened_size = check.argument("Unflatten", 2, sizes, LIST)
end

function Unflatten:forward(x)
  check.tensor_argument("Unflatten", 1, x)
  local shape = x.shape
  local dim = self.dim < 0 and #shape + self.dim + 1 or self.dim
  if shape[dim] == nil then
    core.fail("Unflatten: argument 1: expected a tensor with dimension %d, got %s", self.dim,
      core.shape_text(x))
  end
  local sizes = table.move(shape, 1, dim - 1, 1, {})
  table.move(self.unflattened_size, 1, #self.unflattened_size, dim, sizes)
  return x:reshape(table.move(shape, dim + 1, #shape, #sizes + 1, sizes))
end

function Unflatten:extra_repr()
  return ("dim=%d, unflattened_size=(%s)"):format(self.dim,
    table.concat(self.unflattened_size, ", "))
end

return Unflatten
