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

--- Makes a layer that returns max(x, 0).
--- shapes  x [...] -> same
--- domain  any dtype
--- raises  `ReLU: option NAME: unknown`
---
---     print(nn.ReLU()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.ReLU = elementwise("ReLU", "relu")

--- Makes a layer that returns 1 / (1 + exp(-x)).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Sigmoid: option NAME: unknown`
---
---     print(nn.Sigmoid()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Sigmoid = elementwise("Sigmoid", "sigmoid")

--- Makes a layer that returns the hyperbolic tangent.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Tanh: option NAME: unknown`
---
---     print(nn.Tanh()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Tanh = elementwise("Tanh", "tanh")

--- Makes a layer that returns x / (1 + |x|).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Softsign: option NAME: unknown`
---
---     print(nn.Softsign()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Softsign = elementwise("Softsign", "softsign")

--- Makes a layer that returns its input; it takes and ignores any arguments, to stand in for any
--- layer.
--- shapes  x [...] -> same
--- domain  any values
--- raises  nothing
---
---     print(nn.Identity(784, 10)(wrun.ones(2)))
M.Identity = Module:extend("Identity")
M.Identity.forward = function(_, x)
  return x
end

--- Makes a layer that joins the dimensions from `start_dim` to `end_dim` into one; by default all
--- but the batch.
--- shapes  x [n, a, b, ...] -> y [n, a * b * ...]
--- domain  any dtype; dimensions from 1, or from the end
--- raises  `Flatten: argument N: expected an integer`; as `flatten`
---
---     print(nn.Flatten()(wrun.zeros(5, 28, 28)).shape[2])
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
