--- Unflatten: one dimension made of several.

local check = require "wrun.check"
local Module = require "wrun.nn.module"
local repr = require "wrun.repr"
local wrun = require "wrun"

local LIST = check.table()

---@class wrun.nn.Unflatten: wrun.nn.Module
local Unflatten = Module:extend("Unflatten")

--- Makes a layer that splits dimension `dim` into dimensions of the given sizes.
--- shapes  x [n, a * b], dim 2, sizes { a, b } -> y [n, a, b]
--- domain  any dtype; one of the sizes may be -1, what is left
--- raises  `Unflatten: argument 2: expected a table`; as `unflatten`
---     print(nn.Unflatten(2, { 2, -1 })(wrun.arange(6):reshape(1, 6)))
---@param dim integer
---@param sizes integer[]
function Unflatten:init(dim, sizes)
  self.dim = check.argument("Unflatten", 1, dim, check.integer())
  self.unflattened_size = check.argument("Unflatten", 2, sizes, LIST)
end

function Unflatten:forward(x)
  return wrun.unflatten(x, self.dim, self.unflattened_size)
end

function Unflatten:extra_repr()
  return repr.settings("dim", self.dim, "unflattened_size", self.unflattened_size)
end

return Unflatten
