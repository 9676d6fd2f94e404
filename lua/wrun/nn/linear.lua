--- Linear: y = x W^T + b.

local check = require "wrun.check"
local init = require "wrun.nn.init"
local Module = require "wrun.nn.module"
local repr = require "wrun.repr"
local weights = require "wrun.nn.weights"
local wrun = require "wrun"

local WIDTH = check.integer(nil, 0)

---@class wrun.nn.Linear: wrun.nn.Module
---@field in_features integer
---@field out_features integer
---@field weight wrun.Tensor [out, in]
---@field bias wrun.Tensor? [out]
local Linear = Module:extend("Linear")
Linear.rules = weights.OPTIONS

--- Makes a layer whose parameters start as `reset_parameters` says, or as `weight_init` and
--- `bias_init` do afterwards: functions of a tensor, or names such as "xavier_uniform".
--- shapes  weight [out, in], bias [out]
--- domain  widths >= 0
---     local layer = nn.Linear(784, 256, { bias_init = "zeros", weight_init = "he_normal" })
---     print(layer, layer(wrun.rand(100, 784)).shape[2])
function Linear:init(in_features, out_features, options)
  local o = check.options("Linear", options, Linear.rules)
  self.in_features = check.argument("Linear", 1, in_features, WIDTH)
  self.out_features = check.argument("Linear", 2, out_features, WIDTH)
  weights.make(self, o, self.out_features, self.in_features)
end

--- Draws weight, then bias, from U(-b, b), b = 1 / sqrt(in_features): PyTorch's default, whose
--- weights are written as kaiming_uniform_ with a = sqrt(5) and are sqrt(6) times narrower than
--- He's for ReLU.
--- domain  draws from the default generator unless one is given; a layer without inputs gets a bias
---   of zeros
--- raises  what the generator raises
---     local layer = nn.Linear(2, 3)
---     layer:reset_parameters(wrun.Generator({ seed = 7 }))
---     print(layer.weight)
function Linear:reset_parameters(generator)
  init.kaiming_uniform_(self.weight, { a = math.sqrt(5), generator = generator })
  if self.bias ~= nil then
    local bound = self.in_features > 0 and 1 / math.sqrt(self.in_features) or 0
    init.uniform_(self.bias, -bound, bound, { generator = generator })
  end
end

--- Returns x weight^T + bias.
--- shapes  x [..., in] -> y [..., out]
--- domain  the dtype of the layer
--- raises  `linear: argument 1: expected [..., in]`
function Linear:forward(x)
  return wrun.linear(x, self.weight, self.bias)
end

--- Returns the floating point operations of a forward: 2 in for each number that comes out.
function Linear:flops(_, y)
  return 2 * self.in_features * y:numel()
end

function Linear:label()
  return ("Linear(%d -> %d)"):format(self.in_features, self.out_features)
end

function Linear:extra_repr()
  return repr.settings("in_features", self.in_features, "out_features", self.out_features, "bias",
    self.bias ~= nil)
end

return Linear
