--- Losses against classes: CrossEntropyLoss, NLLLoss and MultiMarginLoss.

local check = require "wrun.check"
local core = require "wrun.core"
local Loss = require "wrun.nn.losses.loss"
local operations = require "wrun.operations"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local IGNORE_INDEX = -100

-- Class indices may be bytes, as files of labels are.
local CLASS_DTYPES = { int64 = true, uint8 = true }

-- The classes stand in dimension 2, or in the only one when there is but one sample.
local function class_dimension(o, input)
  check.float_argument(o.__name, 1, input)
  local ndim = input.ndim
  if ndim == 0 then
    fail("%s: argument 1: expected [C], [n, C] or [n, C, ...], got []", o.__name)
  end
  return ndim < 2 and ndim or 2
end

-- The target classes, and where they are to be ignored (nil where nowhere).
local function classes_of(o, input, target, class_dim)
  local dtype = check.is_tensor(target) and target.dtype
  if not CLASS_DTYPES[dtype] then
    fail("%s: argument 2: expected int64 or uint8 classes%s, got %s", o.__name,
      o.label_smoothing and ", or probabilities" or "", check.describe(target))
  end
  local shape = input.shape
  table.remove(shape, class_dim)
  Loss.check_shape(o, 2, target, shape, input)
  target = dtype == "int64" and target or target:long()
  local ignore = o.ignore_index
  local any_ignored = core.check_classes(o.__name, target, input:size(class_dim), ignore)
  local ignored = any_ignored and target:eq(ignore) or nil
  return ignored and target:masked_fill(ignored, 1) or target, ignored
end

-- The class weights, shaped to multiply the input; nil when there are none.
local function class_weight(o, input, class_dim)
  local weight = o.weight
  if weight == nil then
    return nil
  end
  local n_classes = input:size(class_dim)
  if weight.ndim ~= 1 or weight:size(1) ~= n_classes then
    fail("%s: option weight: expected [%d] to match %s, got %s", o.__name, n_classes,
      check.shape_text(input), check.shape_text(weight))
  end
  local shape = {}
  for d = 1, input.ndim do
    shape[d] = d == class_dim and n_classes or 1
  end
  return weight:reshape(shape)
end

-- The losses of logits, or of log probabilities, against class indices; label_smoothing may be
-- missing.
local function against_classes(o, input, target, class_dim, is_logits)
  local classes, ignored = classes_of(o, input, target, class_dim)
  local weight, smoothing = class_weight(o, input, class_dim), o.label_smoothing or 0
  if is_logits and input.ndim == 2 and not (weight or ignored) then
    return operations._cross_entropy(input, classes, smoothing)
  end
  local log_p = is_logits and input:log_softmax(class_dim) or input
  local index = classes:unsqueeze(class_dim)
  local losses = -log_p:gather(class_dim, index):squeeze(class_dim)
  local shares
  if weight then
    shares = weight:expand_as(log_p):gather(class_dim, index):squeeze(class_dim)
    losses = Loss.weigh(shares, losses)
  end
  if smoothing > 0 then
    local uniform = -(weight and Loss.weigh(weight, log_p) or log_p):sum(class_dim)
    losses = losses * (1 - smoothing) + uniform * (smoothing / log_p:size(class_dim))
  end
  if ignored then
    losses = losses:masked_fill(ignored, 0)
    shares = (shares or wrun.ones_like(losses)):masked_fill(ignored, 0)
  end
  return losses, shares
end

local function against_probabilities(o, input, target, class_dim)
  if target.ndim == input.ndim - 1 then
    local shape = check.shape_text(input)
    fail("%s: argument 2: expected %s to match %s, got %s; classes are int64 or uint8, "
      .. "write y:long()", o.__name, shape, shape, check.shape_text(target))
  end
  Loss.check_shape(o, 2, target, input.shape, input)
  if o.ignore_index ~= IGNORE_INDEX then
    fail("%s: option ignore_index: expected targets that are class indices, got probabilities",
      o.__name)
  end
  if o.label_smoothing > 0 then
    target = target * (1 - o.label_smoothing) + o.label_smoothing / input:size(class_dim)
  end
  local weight = class_weight(o, input, class_dim)
  local is_plain = input.ndim == 2 and input:numel() > 0 and target.dtype == input.dtype
  if is_plain and not (weight or target.requires_grad) then
    return operations._cross_entropy(input, target, 0)
  end
  local log_p = input:log_softmax(class_dim)
  local terms = Loss.weigh(target, log_p)
  return -(weight and Loss.weigh(weight, terms) or terms):sum(class_dim)
end

--- Makes the loss -sum_c t_c log softmax(x)_c, averaged over the samples.
--- shapes  input [C], [n, C] or [n, C, ...]; target without the C, or like input when it holds
---   probabilities; the loss [], with reduction "none" like a target of classes
--- domain  input logits; target int64 or uint8 classes 1..C, or probabilities of a float dtype
--- options  weight: [C] scales each class, and the mean divides by the weights of the targets;
---   ignore_index: samples with this target count for nothing; label_smoothing: this share of each
---   target moves to all classes alike
--- raises  `NAME: argument 2: expected classes from 1`
---     local criterion = nn.CrossEntropyLoss({ label_smoothing = 0.1 })
---     print(criterion(wrun.zeros(2, 3), wrun.tensor { 1, 3 }))
M.CrossEntropyLoss = Loss.define("CrossEntropyLoss", "cross_entropy", {
  weight = Loss.WEIGHT,
  ignore_index = check.integer(IGNORE_INDEX),
  label_smoothing = check.number(0, 0, 1),
}, function(o, input, target)
  local class_dim = class_dimension(o, input)
  check.tensor_argument(o.__name, 2, target)
  if check.is_float_tensor(target) then
    return against_probabilities(o, input, target, class_dim)
  end
  return against_classes(o, input, target, class_dim, true)
end)

--- Makes the loss -x_t of log probabilities x and classes t, averaged over the samples.
--- shapes  input [C], [n, C] or [n, C, ...]; target without the C; the loss [], with reduction
---   "none" like the target
--- domain  input log probabilities; target int64 or uint8 classes 1..C
--- options  weight: [C] scales each class, and the mean divides by the weights of the targets;
---   ignore_index: samples with this target count for nothing
--- raises  `NAME: argument 2: expected classes from 1`
---     local log_p = wrun.tensor({ { 0.5, 0.5 }, { 0.9, 0.1 } }):log()
---     print(nn.NLLLoss()(log_p, wrun.tensor { 1, 2 }))
M.NLLLoss = Loss.define("NLLLoss", "nll_loss", {
  weight = Loss.WEIGHT,
  ignore_index = check.integer(IGNORE_INDEX),
}, function(o, input, target)
  return against_classes(o, input, target, class_dimension(o, input))
end)

--- Makes the loss sum_{i /= t} w_t max(0, margin - x_t + x_i)^p / C of scores x and classes t,
--- averaged over the samples.
--- shapes  input [C] or [n, C]; target [] or [n]; the loss [], with "none" like the target
--- domain  target int64 or uint8 classes 1..C
--- options  weight: [C] scales each class
--- raises  `NAME: argument 2: expected classes from 1`
---     local loss = nn.MultiMarginLoss()(wrun.tensor { 0.1, 0.2, 0.8 }, wrun.tensor(3))
---     print(loss)
M.MultiMarginLoss = Loss.define("MultiMarginLoss", "multi_margin_loss", {
  p = check.integer(1, 1, 2),
  margin = check.number(1),
  weight = Loss.WEIGHT,
}, function(o, input, target)
  local class_dim = class_dimension(o, input)
  if input.ndim > 2 then
    fail("%s: argument 1: expected [C] or [n, C], got %s", o.__name, check.shape_text(input))
  end
  local index = classes_of(o, input, target, class_dim):unsqueeze(class_dim)
  local excess = (input - input:gather(class_dim, index) + o.margin):relu()
  local own = wrun.arange(1, input:size(class_dim) + 1):eq(index)
  excess = excess:masked_fill(own, 0)
  excess = o.p == 2 and excess:square() or excess
  local weight = class_weight(o, input, class_dim)
  if weight then
    excess = Loss.weigh(weight:expand_as(input):gather(class_dim, index), excess)
  end
  return excess:mean(class_dim)
end)

return M
