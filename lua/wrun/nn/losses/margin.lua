--- Losses that ask for a margin between what belongs together and what does not.

local check = require "wrun.check"
local length_of = require "wrun.nn.length"
local Loss = require "wrun.nn.losses.loss"
local similarity = require "wrun.nn.similarity"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- max(x, 0) whose gradient at 0 is 1, as PyTorch has it for these losses
local function positive_part(x)
  return x:clamp(0, math.huge)
end

--- Makes the loss x where t = 1 and max(0, margin - x) where t = -1, averaged over all elements.
--- domain  target 1 or -1
---     local distances, same = wrun.tensor { 0.5, 0.25 }, wrun.tensor { 1, -1 }
---     print(nn.HingeEmbeddingLoss()(distances, same))
M.HingeEmbeddingLoss = Loss.define("HingeEmbeddingLoss", "hinge_embedding_loss", {
  margin = check.number(1),
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  return wrun.where(target:ne(1), positive_part(o.margin - input), 0)
    + wrun.where(target:ne(-1), input, 0)
end)

--- Makes the loss -(t log s(x) + (1 - t) log s(-x)) of scores x, s the sigmoid, averaged over the
--- classes of a sample, each of which may be right or not.
--- shapes  input [..., C], target the same; the losses [...]
--- domain  target from 0 to 1
--- options  weight: [C] scales each class
---     local scores, right = wrun.tensor { { 2.0, -1.0 } }, wrun.tensor { { 1.0, 0.0 } }
---     print(nn.MultiLabelSoftMarginLoss()(scores, right))
M.MultiLabelSoftMarginLoss = Loss.define("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss",
  { weight = Loss.WEIGHT }, function(o, input, target)
  Loss.check_pair(o, input, target)
  local losses = Loss.weigh(target, input:logsigmoid())
    + Loss.weigh(1 - target, (-input):logsigmoid())
  return -Loss.weigh(Loss.weight_of(o, "weight", input), losses):mean(-1)
end)

--- Makes the loss log(1 + e^(-t x)) of scores x and targets t, averaged over all elements.
--- domain  target 1 or -1; unlike PyTorch's, without overflow
---     print(nn.SoftMarginLoss()(wrun.tensor { 2.0, -1.0 }, wrun.tensor { 1, -1 }))
M.SoftMarginLoss = Loss.define("SoftMarginLoss", "soft_margin_loss", {}, function(o, input, target)
  Loss.check_pair(o, input, target)
  return "_soft_margin", input, target
end)

--- Makes the loss max(0, -t (a - b) + margin): a should be above b where t = 1, below where t = -1;
--- averaged over all elements.
--- shapes  a [...], b and target the same; the loss [], with reduction "none" like a
--- domain  target 1 or -1
---     local a, b = wrun.tensor { 1.0, 2.0 }, wrun.tensor { 2.0, 1.0 }
---     print(nn.MarginRankingLoss()(a, b, wrun.tensor { 1, 1 }))
M.MarginRankingLoss = Loss.define("MarginRankingLoss", "margin_ranking_loss", {
  margin = check.number(0),
}, function(o, a, b, target)
  Loss.check_pair(o, a, b)
  Loss.check_shape(o, 3, target, a.shape)
  return positive_part(-target * (a - b) + o.margin)
end)

-- Refuses all but vectors, alone or in rows.
local function check_rows(o, x)
  check.float_argument(o.__name, 1, x)
  if x.ndim ~= 1 and x.ndim ~= 2 then
    fail("%s: argument 1: expected [d] or [n, d], got %s", o.__name, check.shape_text(x))
  end
end

-- x over its length, the root of the sum of its squares and 1e-12
local function direction(x)
  local length
  x, length = length_of(x, 2, -1)
  return x / length:hypot(1e-6)
end

--- Makes the loss 1 - cos(a, b) where t = 1 and max(0, cos(a, b) - margin) where t = -1, averaged
--- over the rows.
--- shapes  a, b [n, d], target [n], or [d] and []; the loss [], with "none" like the target
--- domain  target 1 or -1
---     local a, b = wrun.tensor { { 1.0, 0.0 } }, wrun.tensor { { 1.0, 1.0 } }
---     print(nn.CosineEmbeddingLoss()(a, b, wrun.tensor { 1 }))
M.CosineEmbeddingLoss = Loss.define("CosineEmbeddingLoss", "cosine_embedding_loss", {
  margin = check.number(0, -1, 1),
}, function(o, a, b, target)
  check_rows(o, a)
  Loss.check_pair(o, a, b)
  Loss.check_shape(o, 3, target, a.ndim == 1 and {} or { a:size(1) }, a)
  local cosine = (direction(a) * direction(b)):sum(-1)
  return wrun.where(target:eq(1), 1 - cosine, 0)
    + wrun.where(target:eq(-1), positive_part(cosine - o.margin), 0)
end)

local function distance(o, a, b)
  return similarity.PairwiseDistance.call({ p = o.p, eps = o.eps }, a, b)
end

--- Makes the loss max(0, d(a, p) - d(a, n) + margin), d the p-norm of the difference, averaged over
--- the rows: an anchor a should be nearer to p, of its kind, than to n.
--- shapes  a, p, n [n, d] or [d]; the loss [], with reduction "none" [n] or []
--- options  swap: takes the smaller of d(a, n) and d(p, n); eps: is added to each difference
---     local a, p, n = wrun.zeros(1, 2), wrun.ones(1, 2), wrun.full({ 1, 2 }, 1.5)
---     print(nn.TripletMarginLoss()(a, p, n))
M.TripletMarginLoss = Loss.define("TripletMarginLoss", "triplet_margin_loss", {
  margin = check.positive(1),
  p = check.positive(2),
  eps = check.number(1e-6, 0),
  swap = check.boolean(false),
}, function(o, anchor, positive, negative)
  check_rows(o, anchor)
  Loss.check_pair(o, anchor, positive)
  Loss.check_shape(o, 3, negative, anchor.shape)
  local near = distance(o, anchor, positive)
  local far = distance(o, anchor, negative)
  if o.swap then
    far = far:minimum(distance(o, positive, negative))
  end
  return positive_part(near - far + o.margin)
end)

return M
