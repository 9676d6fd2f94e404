--- The activations, Identity and Flatten.

local Module = require "wrun.nn.module"
local Parameter = require "wrun.nn.parameter"
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

-- A layer that calls the tensor function `name` with its settings: { name, rule } for each, in the
-- order of both. Its text names them, as PyTorch's, unless `is_bare`.
local function with_settings(class_name, name, settings, is_bare)
  local class = Module:extend(class_name)
  function class:init(...)
    local given = table.pack(...)
    for i, setting in ipairs(settings) do
      self[setting[1]] = check.argument(class_name, i, given[i], setting[2])
    end
    check.options(class_name, given[#settings + 1], NO_OPTIONS)
  end
  function class:forward(x)
    local values = {}
    for i, setting in ipairs(settings) do
      values[i] = self[setting[1]]
    end
    return wrun[name](x, table.unpack(values))
  end
  function class:extra_repr()
    local parts = {}
    for i, setting in ipairs(settings) do
      local value = self[setting[1]]
      if type(value) == "string" then
        value = "'" .. value .. "'"
      elseif setting[1] ~= "dim" then
        value = value + 0.0 -- a float, as Python shows it
      end
      parts[i] = is_bare and tostring(value) or setting[1] .. "=" .. tostring(value)
    end
    return table.concat(parts, ", ")
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

--- Makes a layer that returns min(max(x, 0), 6).
--- shapes  x [...] -> same
--- domain  any dtype
--- raises  `ReLU6: option NAME: unknown`
---
---     print(nn.ReLU6()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.ReLU6 = elementwise("ReLU6", "relu6")

--- Makes a layer that returns x, scaled, where it is positive, and a scaled exponential elsewhere.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `SELU: option NAME: unknown`
---
---     print(nn.SELU()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.SELU = elementwise("SELU", "selu")

--- Makes a layer that returns x / (1 + exp(-x)).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `SiLU: option NAME: unknown`
---
---     print(nn.SiLU()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.SiLU = elementwise("SiLU", "silu")

--- Makes a layer that returns x tanh(log(1 + exp(x))).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Mish: option NAME: unknown`
---
---     print(nn.Mish()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Mish = elementwise("Mish", "mish")

--- Makes a layer that returns x / 6 + 1 / 2, held between 0 and 1.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Hardsigmoid: option NAME: unknown`
---
---     print(nn.Hardsigmoid()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Hardsigmoid = elementwise("Hardsigmoid", "hardsigmoid")

--- Makes a layer that returns x times its hardsigmoid.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Hardswish: option NAME: unknown`
---
---     print(nn.Hardswish()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Hardswish = elementwise("Hardswish", "hardswish")

--- Makes a layer that returns log(1 / (1 + exp(-x))).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `LogSigmoid: option NAME: unknown`
---
---     print(nn.LogSigmoid()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.LogSigmoid = elementwise("LogSigmoid", "logsigmoid")

--- Makes a layer that returns x - tanh(x).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Tanhshrink: option NAME: unknown`
---
---     print(nn.Tanhshrink()(wrun.tensor({ -1.0, 0.0, 2.0 })))
M.Tanhshrink = elementwise("Tanhshrink", "tanhshrink")

--- Makes a layer that returns x where positive, else x times negative_slope.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `LeakyReLU: argument 1: expected a number`; `LeakyReLU: option NAME: unknown`
---
---     print(nn.LeakyReLU(0.2)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param negative_slope number? default 0.01
M.LeakyReLU = with_settings("LeakyReLU", "leaky_relu", { { "negative_slope", check.number(0.01) } })

--- Makes a layer that returns x where positive, else alpha (exp(x) - 1).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `ELU: argument 1: expected a number`; `ELU: option NAME: unknown`
---
---     print(nn.ELU(0.5)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param alpha number? default 1
M.ELU = with_settings("ELU", "elu", { { "alpha", check.number(1) } })

--- Makes a layer that returns x where positive, else alpha (exp(x / alpha) - 1).
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `CELU: argument 1: expected a number`; `CELU: option NAME: unknown`
---
---     print(nn.CELU(2)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param alpha number? default 1, not 0
M.CELU = with_settings("CELU", "celu", { { "alpha", check.number(1) } })

--- Makes a layer that returns x times the normal distribution function at x.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `GELU: argument 1: expected none or tanh`; `GELU: option NAME: unknown`
---
---     print(nn.GELU("tanh")(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param approximate string? default "none"; or "tanh"
M.GELU = with_settings("GELU", "gelu", {
  { "approximate", check.choice("none", { "none", "tanh" }) },
})

--- Makes a layer that returns log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Softplus: argument 1: expected a number`; `Softplus: option NAME: unknown`
---
---     print(nn.Softplus(2)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param beta number? default 1
---@param threshold number? default 20
M.Softplus = with_settings("Softplus", "softplus", {
  { "beta", check.positive(1) },
  { "threshold", check.number(20) },
})

--- Makes a layer that returns x, held between min_val and max_val.
--- shapes  x [...] -> same
--- domain  any dtype
--- raises  `Hardtanh: argument 1: expected a number`; `Hardtanh: option NAME: unknown`
---
---     print(nn.Hardtanh(-2, 0.5)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param min_val number? default -1
---@param max_val number? default 1
M.Hardtanh = with_settings("Hardtanh", "hardtanh", {
  { "min_val", check.number(-1) },
  { "max_val", check.number(1) },
})

--- Makes a layer that returns x, nearer to 0 by lambd.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Softshrink: argument 1: expected a number`; `Softshrink: option NAME: unknown`
---
---     print(nn.Softshrink(1.5)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param lambd number? default 0.5
M.Softshrink = with_settings("Softshrink", "softshrink", {
  { "lambd", check.number(0.5, 0) },
}, true)

--- Makes a layer that returns x, but 0 where its magnitude is at most lambd.
--- shapes  x [...] -> same
--- domain  float32 and float64; other dtypes are computed as float32
--- raises  `Hardshrink: argument 1: expected a number`; `Hardshrink: option NAME: unknown`
---
---     print(nn.Hardshrink(1.5)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param lambd number? default 0.5
M.Hardshrink = with_settings("Hardshrink", "hardshrink", { { "lambd", check.number(0.5) } }, true)

--- Makes a layer that returns x where it is above threshold, else value.
--- shapes  x [...] -> same
--- domain  any dtype
--- raises  `Threshold: argument 1: expected a number`; `Threshold: option NAME: unknown`
---
---     print(nn.Threshold(0.3, -2)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param threshold number
---@param value number
M.Threshold = with_settings("Threshold", "threshold", {
  { "threshold", check.number() },
  { "value", check.number() },
})

--- Makes a layer that returns exp(x) over its sum along dimension dim.
--- shapes  x [...] -> same
--- domain  float32 and float64
--- raises  `Softmax: argument 1: expected an integer`; `Softmax: option NAME: unknown`
---
---     print(nn.Softmax(1)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param dim integer from 1, or from the end
M.Softmax = with_settings("Softmax", "softmax", { { "dim", check.integer() } })

--- Makes a layer that returns the logarithm of softmax along dimension dim.
--- shapes  x [...] -> same
--- domain  float32 and float64
--- raises  `LogSoftmax: argument 1: expected an integer`; `LogSoftmax: option NAME: unknown`
---
---     print(nn.LogSoftmax(1)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param dim integer from 1, or from the end
M.LogSoftmax = with_settings("LogSoftmax", "log_softmax", { { "dim", check.integer() } })

--- Makes a layer that returns softmax of -x along dimension dim.
--- shapes  x [...] -> same
--- domain  float32 and float64
--- raises  `Softmin: argument 1: expected an integer`; `Softmin: option NAME: unknown`
---
---     print(nn.Softmin(1)(wrun.tensor({ -1.0, 0.0, 2.0 })))
---@param dim integer from 1, or from the end
M.Softmin = with_settings("Softmin", "softmin", { { "dim", check.integer() } })

--- Makes a layer that returns the first half of x along a dimension times the sigmoid of the other.
--- shapes  x [..., 2 n, ...] -> [..., n, ...]
--- domain  float32 and float64
--- raises  `GLU: argument 1: expected an integer`; `GLU: option NAME: unknown`; as `glu`
--- source  [Dauphin2017]
---
---     print(nn.GLU()(wrun.tensor({ 1.0, 2.0, 0.0, 9.0 }))) -- tensor([0.5000, 1.9998])
---@param dim integer? default -1
M.GLU = with_settings("GLU", "glu", { { "dim", check.integer(-1) } })

--- Makes a layer that returns x where positive, else x times a weight that is learned: one for all,
--- or one for each channel, dimension 2.
--- shapes  x [n, num_parameters, ...] -> same; weight [num_parameters]
--- domain  x of the weight's dtype, option dtype = "float32"; the weight starts as `start`
--- raises  `PReLU: argument 1: expected an integer >= 1`; `PReLU: argument 2: expected a number`;
---   `PReLU: option NAME: unknown`; as `prelu`
--- source  [He2015]
---
---     print(nn.PReLU(2)(wrun.tensor({ { -1.0, -2.0 } })))
M.PReLU = Module:extend("PReLU")

local PRELU_OPTIONS = { dtype = check.choice("float32", { "float32", "float64" }) }

---@param num_parameters integer? default 1
---@param start number? default 0.25
---@param options { dtype: string }?
function M.PReLU:init(num_parameters, start, options)
  self.num_parameters = check.argument("PReLU", 1, num_parameters, check.integer(1, 1))
  start = check.argument("PReLU", 2, start, check.number(0.25))
  local o = check.options("PReLU", options, PRELU_OPTIONS)
  self.weight = Parameter(wrun.full({ self.num_parameters }, start, { dtype = o.dtype }))
end

function M.PReLU:forward(x)
  return wrun.prelu(x, self.weight)
end

function M.PReLU:extra_repr()
  return ("num_parameters=%d"):format(self.num_parameters)
end

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
