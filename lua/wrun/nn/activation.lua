--- The activations, and Identity.
--- Most are a function of tensors as a layer: a row each, which documents it as well.

local check = require "wrun.check"
local Module = require "wrun.nn.module"
local Parameter = require "wrun.nn.parameter"
local repr = require "wrun.repr"
local wrun = require "wrun"

local M = {}

local NO_OPTIONS = {}

-- A layer that calls the tensor function `name` with its settings: { name, rule } for each, in the
-- order of both. Its text names them, as PyTorch's, unless `is_bare`.
local function applying(class_name, name, settings, is_bare)
  local class = Module:extend(class_name)
  class.applies, class.settings = name, settings
  function class:init(...)
    local given = table.pack(...)
    for i, setting in ipairs(settings) do
      self[setting[1]] = check.argument(class_name, i, given[i], setting[2])
    end
    check.options(class_name, given[#settings + 1], NO_OPTIONS)
  end
  if #settings == 0 then
    function class.forward(_, x)
      return wrun[name](x)
    end
    return class
  end
  function class:forward(x)
    local values = {}
    for i, setting in ipairs(settings) do
      values[i] = self[setting[1]]
    end
    return wrun[name](x, table.unpack(values))
  end
  function class:extra_repr()
    local texts = {}
    for i, setting in ipairs(settings) do
      local value = self[setting[1]]
      if type(value) == "number" and setting[1] ~= "dim" then
        value = value + 0.0 -- a float, as Python shows it
      end
      texts[i] = is_bare and repr.value(value) or repr.settings(setting[1], value)
    end
    return table.concat(texts, ", ")
  end
  return class
end

for class_name, name in pairs {
  Hardsigmoid = "hardsigmoid",
  Hardswish = "hardswish",
  LogSigmoid = "logsigmoid",
  Mish = "mish",
  ReLU = "relu",
  ReLU6 = "relu6",
  SELU = "selu",
  Sigmoid = "sigmoid",
  SiLU = "silu",
  Softsign = "softsign",
  Tanh = "tanh",
  Tanhshrink = "tanhshrink",
} do
  M[class_name] = applying(class_name, name, {})
end

for class_name, row in pairs {
  CELU = { "celu", { "alpha", check.number(1) } },
  ELU = { "elu", { "alpha", check.number(1) } },
  GELU = { "gelu", { "approximate", check.choice("none", { "none", "tanh" }) } },
  GLU = { "glu", { "dim", check.integer(-1) } },
  Hardshrink = { "hardshrink", { "lambd", check.number(0.5) }, is_bare = true },
  Hardtanh = { "hardtanh", { "min_val", check.number(-1) }, { "max_val", check.number(1) } },
  LeakyReLU = { "leaky_relu", { "negative_slope", check.number(0.01) } },
  LogSoftmax = { "log_softmax", { "dim", check.integer() } },
  Softmax = { "softmax", { "dim", check.integer() } },
  Softmin = { "softmin", { "dim", check.integer() } },
  Softplus = { "softplus", { "beta", check.positive(1) }, { "threshold", check.number(20) } },
  Softshrink = { "softshrink", { "lambd", check.number(0.5, 0) }, is_bare = true },
  Threshold = { "threshold", { "threshold", check.number() }, { "value", check.number() } },
} do
  M[class_name] = applying(class_name, row[1], table.move(row, 2, #row, 1, {}), row.is_bare)
end

--- Makes a layer that returns x where positive, else x times a weight that is learned: one for all,
--- or one for each channel, dimension 2.
--- shapes  x [n, num_parameters, ...] -> same; weight [num_parameters]
--- domain  x of the weight's dtype, option dtype = "float32"; the weight starts as `start`
--- raises  `PReLU: argument 1: expected an integer >= 1`; `PReLU: argument 2: expected a number`;
---   `PReLU: option NAME: unknown`; as `prelu`
--- source  [He2015]
---     print(nn.PReLU(2)(wrun.tensor({ { -1.0, -2.0 } })))
M.PReLU = Module:extend("PReLU")

local PRELU_OPTIONS = { dtype = check.float_dtype("float32") }

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
  return repr.settings("num_parameters", self.num_parameters)
end

--- Makes a layer that returns the softmax over the channels of pictures, for each pixel.
--- shapes  x [n, channels, height, width] or [channels, height, width] -> same
--- domain  float32 or float64
--- raises  `Softmax2d: argument 1: expected`
---     print(nn.Softmax2d()(wrun.zeros(2, 1, 1)):flatten()) -- tensor([0.5000, 0.5000])
M.Softmax2d = Module:extend("Softmax2d")

function M.Softmax2d:forward(x)
  check.tensor_argument(self.__name, 1, x)
  if x.ndim ~= 3 and x.ndim ~= 4 then
    check.fail("Softmax2d: argument 1: expected [n, channels, height, width] or "
      .. "[channels, height, width], got %s", check.shape_text(x))
  end
  return x:softmax(-3)
end

--- Makes a layer that returns its input; it takes and ignores any arguments, to stand in for any
--- layer.
--- shapes  x [...] -> same
--- domain  any values
---     print(nn.Identity(784, 10)(wrun.ones(2)))
M.Identity = Module:extend("Identity")
M.Identity.init = function() end
M.Identity.forward = function(_, x)
  return x
end

return M
