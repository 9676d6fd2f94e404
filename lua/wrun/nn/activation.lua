--- Layers without parameters: the activations, Identity and Flatten.

local Module = require "wrun.nn.module"
local check = require "wrun.check"
local wrun = require "wrun"

local M = {}

local NO_OPTIONS = {}

-- A layer that applies the tensor function `name` to every element.
local function elementwise(class_name, name)
  local class = Module:extend(class_name)
  function class.init(_, options)
    check.options(class_name, options, NO_OPTIONS)
  end
  function class.forward(_, x)
    return wrun[name](x)
  end
  return class
end

--- max(x, 0). shapes x -> same
M.ReLU = elementwise("ReLU", "relu")

--- 1 / (1 + exp(-x)). shapes x -> same
M.Sigmoid = elementwise("Sigmoid", "sigmoid")

--- The hyperbolic tangent. shapes x -> same
M.Tanh = elementwise("Tanh", "tanh")

--- x / (1 + |x|). shapes x -> same
M.Softsign = elementwise("Softsign", "softsign")

--- Returns its input; it takes and ignores any arguments, to stand in for any layer.
M.Identity = Module:extend("Identity")
M.Identity.forward = function(_, x)
  return x
end

--- Makes one dimension of the dimensions from `start_dim` to `end_dim`; by default keeps the batch.
--- shapes  x [n, a, b, ...] -> y [n, a * b * ...]
M.Flatten = Module:extend("Flatten")

---@param start_dim integer? default 2
---@param end_dim integer? default -1
function M.Flatten:init(start_dim, end_dim)
  self.start_dim = check.argument("Flatten", 1, start_dim, check.integer(2))
  self.end_dim = check.argument("Flatten", 2, end_dim, check.integer(-1))
end

function M.Flatten:forward(x)
  return x:flatten(self.start_dim, self.end_dim)
end

function M.Flatten:extra_repr()
  return ("start_dim=%d, end_dim=%d"):format(self.start_dim, self.end_dim)
end

return M
