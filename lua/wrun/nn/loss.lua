--- CrossEntropyLoss: how far logits are from class indices or from class probabilities.

local Module = require "wrun.nn.module"
local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local fail = core.fail

local NAME = "CrossEntropyLoss"
local TENSOR = check.tensor()
local IGNORE_INDEX = -100

local OPTIONS = {
  weight = check.optional(TENSOR),
  ignore_index = check.integer(IGNORE_INDEX),
  reduction = check.choice("mean", { "mean", "none", "sum" }),
  label_smoothing = check.number(0, 0, 1),
}

---@class wrun.nn.CrossEntropyLoss: wrun.nn.Module
local CrossEntropyLoss = Module:extend(NAME)

--- Makes the loss -sum_c t_c log softmax(x)_c, averaged over the samples.
--- domain  reduction "mean", "sum" or "none"; weight [classes] scales each class, and the mean
---   divides by the weights of the targets; samples with target `ignore_index` count for nothing;
---   label_smoothing in 0..1 moves that share of each target to all classes alike
--- raises  `CrossEntropyLoss: option reduction: expected one of`
---
---     local criterion = nn.CrossEntropyLoss({ label_smoothing = 0.1 })
---@param options table?
function CrossEntropyLoss:init(options)
  local o = check.options(NAME, options, OPTIONS)
  self.ignore_index = o.ignore_index
  self.reduction = o.reduction
  self.label_smoothing = o.label_smoothing
  if o.weight ~= nil then
    self:register_buffer("weight", o.weight)
  end
end

-- Targets have the shape of the logits, without the dimension of the classes unless it is nil.
local function check_shape(input, target, class_dim)
  local expected = {}
  for d = 1, input.ndim do
    if d ~= class_dim then
      expected[#expected + 1] = input:size(d)
    end
  end
  local fits = #expected == target.ndim
  for d, size in ipairs(expected) do
    fits = fits and target:size(d) == size
  end
  if not fits then
    fail("%s: argument 2: expected %s to match %s, got %s", NAME, core.shape_text(expected),
      core.shape_text(input), core.shape_text(target))
  end
end

-- The class weights, shaped to multiply the logits; nil when there are none.
local function weight_for(self, input, class_dim)
  local weight = self.weight
  if weight == nil then
    return nil
  end
  local n_classes = input:size(class_dim)
  if weight.ndim ~= 1 or weight:size(1) ~= n_classes then
    fail("%s: option weight: expected [%d] to match %s, got %s", NAME, n_classes,
      core.shape_text(input), core.shape_text(weight))
  end
  local shape = {}
  for d = 1, input.ndim do
    shape[d] = d == class_dim and n_classes or 1
  end
  return weight:reshape(shape)
end

-- `shares` is what each loss counts in the mean; nil when all count the same.
local function reduce(losses, reduction, shares)
  if reduction == "none" then
    return losses
  elseif reduction == "sum" then
    return losses:sum()
  elseif shares == nil then
    return losses:mean()
  end
  return losses:sum() / shares:sum()
end

-- Class indices may be bytes, as files of labels are.
local CLASS_DTYPES = { int64 = true, uint8 = true }
local FLOATS = { float32 = true, float64 = true }

local function against_classes(self, log_p, target, class_dim)
  check_shape(log_p, target, class_dim)
  target = target:long()
  local n_classes = log_p:size(class_dim)
  local any_ignored = core.check_classes(NAME, target, n_classes, self.ignore_index)
  local ignored = any_ignored and target:eq(self.ignore_index) or nil
  local index = (ignored and target:masked_fill(ignored, 1) or target):unsqueeze(class_dim)
  local weight = weight_for(self, log_p, class_dim)

  local losses = -log_p:gather(class_dim, index):squeeze(class_dim)
  local shares
  if weight then
    shares = weight:expand_as(log_p):gather(class_dim, index):squeeze(class_dim)
    losses = losses * shares
  end
  if self.label_smoothing > 0 then
    local uniform = -(weight and log_p * weight or log_p):sum(class_dim)
    losses = losses * (1 - self.label_smoothing) + uniform * (self.label_smoothing / n_classes)
  end
  if ignored then
    losses = losses:masked_fill(ignored, 0)
    shares = (shares or wrun.ones_like(losses)):masked_fill(ignored, 0)
  end
  return reduce(losses, self.reduction, shares)
end

local function against_probabilities(self, log_p, target, class_dim)
  check_shape(log_p, target, nil)
  if self.ignore_index ~= IGNORE_INDEX then
    fail("%s: option ignore_index: expected targets that are class indices, got probabilities",
      NAME)
  end
  if self.label_smoothing > 0 then
    local n_classes = log_p:size(class_dim)
    target = target * (1 - self.label_smoothing) + self.label_smoothing / n_classes
  end
  local weight = weight_for(self, log_p, class_dim)
  local terms = log_p * target
  local losses = -(weight and terms * weight or terms):sum(class_dim)
  return reduce(losses, self.reduction)
end

--- Returns the loss, a tensor [] unless the reduction is "none".
--- shapes  input [C], [n, C] or [n, C, ...]; target without the C, or like input when it holds
---   probabilities
--- domain  input logits; target int64 or uint8 classes 1..C, or probabilities of a float dtype
--- raises  `argument 2: expected SHAPE to match`; `argument 2: expected classes from 1`
---@param input wrun.Tensor
---@param target wrun.Tensor
---@return wrun.Tensor
function CrossEntropyLoss:forward(input, target)
  check.argument(NAME, 1, input, TENSOR)
  check.argument(NAME, 2, target, TENSOR)
  local class_dim = math.min(input.ndim, 2)
  local log_p = input:log_softmax(class_dim)
  if FLOATS[target.dtype] then
    return against_probabilities(self, log_p, target, class_dim)
  elseif CLASS_DTYPES[target.dtype] then
    return against_classes(self, log_p, target, class_dim)
  end
  fail("%s: argument 2: expected int64 or uint8 classes, or probabilities, got %s", NAME,
    core.describe(target))
end

return CrossEntropyLoss
