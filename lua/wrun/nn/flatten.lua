--- Flatten and Unflatten: several dimensions made one, and one made several.

local check = require "wrun.check"
local Module = require "wrun.nn.module"
local repr = require "wrun.repr"
local wrun = require "wrun"

---@class wrun.nn.Flatten: wrun.nn.Module
local Flatten = Module:extend("Flatten")

--- Makes a layer that joins the dimensions from `start_dim` to `end_dim` into one; by default all
--- but the batch.
--- shapes  x [n, a, b, ...] -> y [n, a * b * ...]
--- domain  any dtype; dimensions from 1, or from the end
--- raises  as `flatten`
---     print(nn.Flatten()(wrun.zeros(5, 28, 28)).shape[2])
function Flatten:init(start_dim, end_dim)
  self.start_dim = check.argument("Flatten", 1, start_dim, check.integer(2))
  self.end_dim = check.argument("Flatten", 2, end_dim, check.integer(-1))
end

function Flatten:forward(x)
  return wrun.flatten(x, self.start_dim, self.end_dim)
end

function Flatten:extra_repr()
  return repr.settings("start_dim", self.start_dim, "end_dim", self.end_dim)
end

---@class wrun.nn.Unflatten: wrun.nn.Module
local Unflatten = Module:extend("Unflatten")

--- Makes a layer that splits dimension `dim` into dimensions of the given sizes.
--- shapes  x [n, a * b], dim 2, sizes { a, b } -> y [n, a, b]
--- domain  any dtype; one of the sizes may be -1, what is left
--- raises  as `unflatten`
---     print(nn.Unflatten(2, { 2, -1 })(wrun.arange(6):reshape(1, 6)))
---@param sizes integer[]
function Unflatten:init(dim, sizes)
  self.dim = check.argument("Unflatten", 1, dim, check.integer())
  self.unflattened_size = check.argument("Unflatten", 2, sizes, check.table())
end

function Unflatten:forward(x)
  return wrun.unflatten(x, self.dim, self.unflattened_size)
end

function Unflatten:extra_repr()
  return repr.settings("dim", self.dim, "unflattened_size", self.unflattened_size)
end

return { Flatten = Flatten, Unflatten = Unflatten }
