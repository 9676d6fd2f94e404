--- Bilinear: y_o = a W_o b + bias_o.

local check = require "wrun.check"
local init = require "wrun.nn.init"
local Module = require "wrun.nn.module"
local repr = require "wrun.repr"
local weights = require "wrun.nn.weights"

local WIDTH = check.integer(nil, 1)

---@class wrun.nn.Bilinear: wrun.nn.Module
---@field weight wrun.Tensor [out, in1, in2]
---@field bias wrun.Tensor? [out]
local Bilinear = Module:extend("Bilinear")
Bilinear.rules = weights.OPTIONS

--- Makes a layer of two inputs, whose parameters start as draws from U(-1, 1) / sqrt(in1).
--- shapes  weight [out, in1, in2], bias [out]
--- domain  widths >= 1
---     local layer = nn.Bilinear(4, 3, 2)
---     print(layer(wrun.ones(5, 4), wrun.ones(5, 3)).shape[2])
function Bilinear:init(in1_features, in2_features, out_features, options)
  local o = check.options("Bilinear", options, Bilinear.rules)
  self.in1_features = check.argument("Bilinear", 1, in1_features, WIDTH)
  self.in2_features = check.argument("Bilinear", 2, in2_features, WIDTH)
  self.out_features = check.argument("Bilinear", 3, out_features, WIDTH)
  weights.make(self, o, self.out_features, self.in1_features, self.in2_features)
end

--- Draws weight, then bias, from U(-b, b), b = 1 / sqrt(in1).
--- domain  draws from the default generator unless one is given
--- raises  what the generator raises
function Bilinear:reset_parameters(generator)
  local bound = 1 / math.sqrt(self.in1_features)
  init.uniform_(self.weight, -bound, bound, { generator = generator })
  if self.bias ~= nil then
    init.uniform_(self.bias, -bound, bound, { generator = generator })
  end
end

local function check_input(index, x, shape)
  check.tensor_argument("Bilinear", index, x)
  if not check.same_shape(x, shape) then
    check.fail("Bilinear: argument %d: expected %s, got %s", index, check.shape_text(shape),
      check.shape_text(x))
  end
end

--- shapes  a [..., in1], b [..., in2] -> [..., out]
--- raises  `Bilinear: argument N: expected SHAPE, got SHAPE`
function Bilinear:forward(a, b)
  check.tensor_argument("Bilinear", 1, a)
  local shape, out = a.shape, self.out_features
  shape[math.max(1, #shape)] = self.in1_features
  check_input(1, a, shape)
  shape[#shape] = self.in2_features
  check_input(2, b, shape)
  local w = self.weight:permute(2, 1, 3):reshape(self.in1_features, out * self.in2_features)
  local left = a:reshape(-1, self.in1_features):matmul(w):reshape(-1, out, self.in2_features)
  local y = (left * b:reshape(-1, 1, self.in2_features)):sum(3)
  shape[#shape] = out
  y = y:reshape(shape)
  return self.bias ~= nil and y + self.bias or y
end

--- Returns the floating point operations of a forward: 2 (in1 + 1) in2 for each number that comes
--- out.
function Bilinear:flops(_, y)
  return 2 * (self.in1_features + 1) * self.in2_features * y:numel()
end

function Bilinear:label()
  return ("Bilinear(%d, %d -> %d)"):format(self.in1_features, self.in2_features, self.out_features)
end

function Bilinear:extra_repr()
  return repr.settings("in1_features", self.in1_features, "in2_features", self.in2_features,
    "out_features", self.out_features, "bias", self.bias ~= nil)
end

return Bilinear
