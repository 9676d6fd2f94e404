--- The losses as functions of tensors and a table of options, without a module around them.
---
--- Elementwise functions (relu, softmax ...) are functions of tensors in `wrun` itself.

local losses = require "wrun.nn.losses"
local similarity = require "wrun.nn.similarity"

local M = {}

--- Returns how far logits are from classes or probabilities: `nn.CrossEntropyLoss` as a function.
--- shapes  as `nn.CrossEntropyLoss`
--- domain  as `nn.CrossEntropyLoss`
--- raises  as `nn.CrossEntropyLoss`
---
---     print(nn.functional.cross_entropy(wrun.zeros(2, 3), wrun.tensor { 1, 3 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.cross_entropy(input, target, options)
  return losses.CrossEntropyLoss.call(options, input, target)
end

--- Returns the log probabilities of the target classes, negated: `nn.NLLLoss` as a function.
--- shapes  as `nn.NLLLoss`
--- domain  as `nn.NLLLoss`
--- raises  as `nn.NLLLoss`
---
---     print(nn.functional.nll_loss(wrun.tensor({ 0.25, 0.75 }):log(), wrun.tensor(2)))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.nll_loss(input, target, options)
  return losses.NLLLoss.call(options, input, target)
end

--- Returns by how much other classes come near the target's score: `nn.MultiMarginLoss` as a
--- function.
--- shapes  as `nn.MultiMarginLoss`
--- domain  as `nn.MultiMarginLoss`
--- raises  as `nn.MultiMarginLoss`
---
---     print(nn.functional.multi_margin_loss(wrun.tensor { 0.1, 0.2, 0.8 }, wrun.tensor(3)))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.multi_margin_loss(input, target, options)
  return losses.MultiMarginLoss.call(options, input, target)
end

--- Returns the square distances (x - y)^2: `nn.MSELoss` as a function.
--- shapes  as `nn.MSELoss`
--- domain  as `nn.MSELoss`
--- raises  as `nn.MSELoss`
---
---     print(nn.functional.mse_loss(wrun.zeros(2), wrun.tensor { 1.0, 3.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.mse_loss(input, target, options)
  return losses.MSELoss.call(options, input, target)
end

--- Returns the distances |x - y|: `nn.L1Loss` as a function.
--- shapes  as `nn.L1Loss`
--- domain  as `nn.L1Loss`
--- raises  as `nn.L1Loss`
---
---     print(nn.functional.l1_loss(wrun.zeros(2), wrun.tensor { 1.0, 3.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.l1_loss(input, target, options)
  return losses.L1Loss.call(options, input, target)
end

--- Returns distances that are square near 0 and straight beyond: `nn.HuberLoss` as a function.
--- shapes  as `nn.HuberLoss`
--- domain  as `nn.HuberLoss`
--- raises  as `nn.HuberLoss`
---
---     print(nn.functional.huber_loss(wrun.zeros(2), wrun.tensor { 0.5, 3.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.huber_loss(input, target, options)
  return losses.HuberLoss.call(options, input, target)
end

--- Returns distances that are square near 0 and |x - y| beyond: `nn.SmoothL1Loss` as a function.
--- shapes  as `nn.SmoothL1Loss`
--- domain  as `nn.SmoothL1Loss`
--- raises  as `nn.SmoothL1Loss`
---
---     print(nn.functional.smooth_l1_loss(wrun.zeros(2), wrun.tensor { 0.5, 3.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.smooth_l1_loss(input, target, options)
  return losses.SmoothL1Loss.call(options, input, target)
end

--- Returns how far probabilities are from binary targets: `nn.BCELoss` as a function.
--- shapes  as `nn.BCELoss`
--- domain  as `nn.BCELoss`
--- raises  as `nn.BCELoss`
---
---     local loss = nn.functional.binary_cross_entropy
---     print(loss(wrun.tensor { 0.9, 0.2 }, wrun.tensor { 1.0, 0.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.binary_cross_entropy(input, target, options)
  return losses.BCELoss.call(options, input, target)
end

--- Returns how far logits are from binary targets: `nn.BCEWithLogitsLoss` as a function.
--- shapes  as `nn.BCEWithLogitsLoss`
--- domain  as `nn.BCEWithLogitsLoss`
--- raises  as `nn.BCEWithLogitsLoss`
---
---     local loss = nn.functional.binary_cross_entropy_with_logits
---     print(loss(wrun.zeros(2), wrun.tensor { 1.0, 0.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.binary_cross_entropy_with_logits(input, target, options)
  return losses.BCEWithLogitsLoss.call(options, input, target)
end

--- Returns how far log probabilities are from probabilities: `nn.KLDivLoss` as a function.
--- shapes  as `nn.KLDivLoss`
--- domain  as `nn.KLDivLoss`
--- raises  as `nn.KLDivLoss`
---
---     print(nn.functional.kl_div(wrun.tensor({ 0.9, 0.1 }):log(), wrun.tensor { 0.5, 0.5 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.kl_div(input, target, options)
  return losses.KLDivLoss.call(options, input, target)
end

--- Returns how far logarithms of rates are from counts: `nn.PoissonNLLLoss` as a function.
--- shapes  as `nn.PoissonNLLLoss`
--- domain  as `nn.PoissonNLLLoss`
--- raises  as `nn.PoissonNLLLoss`
---
---     print(nn.functional.poisson_nll_loss(wrun.zeros(2), wrun.tensor { 1.0, 3.0 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.poisson_nll_loss(input, target, options)
  return losses.PoissonNLLLoss.call(options, input, target)
end

--- Returns how far means and variances are from targets: `nn.GaussianNLLLoss` as a function.
--- shapes  as `nn.GaussianNLLLoss`
--- domain  as `nn.GaussianNLLLoss`
--- raises  as `nn.GaussianNLLLoss`
---
---     local loss = nn.functional.gaussian_nll_loss
---     print(loss(wrun.zeros(2), wrun.tensor { 1.0, 2.0 }, wrun.ones(2)))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param var wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.gaussian_nll_loss(input, target, var, options)
  return losses.GaussianNLLLoss.call(options, input, target, var)
end

--- Returns distances of pairs alike, and missing margins of others: `nn.HingeEmbeddingLoss` as a
--- function.
--- shapes  as `nn.HingeEmbeddingLoss`
--- domain  as `nn.HingeEmbeddingLoss`
--- raises  as `nn.HingeEmbeddingLoss`
---
---     print(nn.functional.hinge_embedding_loss(wrun.tensor { 0.5, 0.25 }, wrun.tensor { 1, -1 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.hinge_embedding_loss(input, target, options)
  return losses.HingeEmbeddingLoss.call(options, input, target)
end

--- Returns how far scores are from the sign of their targets: `nn.SoftMarginLoss` as a function.
--- shapes  as `nn.SoftMarginLoss`
--- domain  as `nn.SoftMarginLoss`
--- raises  as `nn.SoftMarginLoss`
---
---     print(nn.functional.soft_margin_loss(wrun.tensor { 2.0, -1.0 }, wrun.tensor { 1, -1 }))
---@param input wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.soft_margin_loss(input, target, options)
  return losses.SoftMarginLoss.call(options, input, target)
end

--- Returns by how much a is not above b, or below, as the target says: `nn.MarginRankingLoss` as a
--- function.
--- shapes  as `nn.MarginRankingLoss`
--- domain  as `nn.MarginRankingLoss`
--- raises  as `nn.MarginRankingLoss`
---
---     print(nn.functional.margin_ranking_loss(wrun.zeros(2), wrun.ones(2), wrun.tensor { 1, -1 }))
---@param a wrun.Tensor
---@param b wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.margin_ranking_loss(a, b, target, options)
  return losses.MarginRankingLoss.call(options, a, b, target)
end

--- Returns how far angles are from being small, or large, as the target says:
--- `nn.CosineEmbeddingLoss` as a function.
--- shapes  as `nn.CosineEmbeddingLoss`
--- domain  as `nn.CosineEmbeddingLoss`
--- raises  as `nn.CosineEmbeddingLoss`
---
---     local loss = nn.functional.cosine_embedding_loss
---     print(loss(wrun.ones(1, 2), wrun.ones(1, 2), wrun.tensor { -1 }))
---@param a wrun.Tensor
---@param b wrun.Tensor
---@param target wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.cosine_embedding_loss(a, b, target, options)
  return losses.CosineEmbeddingLoss.call(options, a, b, target)
end

--- Returns by how much the positive is not nearer to the anchor: `nn.TripletMarginLoss` as a
--- function.
--- shapes  as `nn.TripletMarginLoss`
--- domain  as `nn.TripletMarginLoss`
--- raises  as `nn.TripletMarginLoss`
---
---     print(nn.functional.triplet_margin_loss(wrun.zeros(1, 2), wrun.ones(1, 2), wrun.ones(1, 2)))
---@param anchor wrun.Tensor
---@param positive wrun.Tensor
---@param negative wrun.Tensor
---@param options table?
---@return wrun.Tensor
function M.triplet_margin_loss(anchor, positive, negative, options)
  return losses.TripletMarginLoss.call(options, anchor, positive, negative)
end

--- Returns the cosine of the angle between a and b along a dimension.
--- shapes  a and b broadcast to [..., n, ...] -> [..., ...]
--- domain  lengths below eps count as eps. Options: dim 2; eps 1e-8
--- raises  `cosine_similarity: argument N: expected a tensor`; as `sum`
---
---     print(nn.functional.cosine_similarity(wrun.eye(2), wrun.ones(2, 2)))
---@type fun(a: wrun.Tensor, b: wrun.Tensor, options: table?): wrun.Tensor
M.cosine_similarity = similarity.cosine_similarity

--- Returns the p-norm of a - b + eps along the last dimension.
--- shapes  a and b broadcast to [..., n] -> [...], or [..., 1] with keepdim
--- domain  Options: p > 0, default 2; eps 1e-6, which keeps the gradient finite where a = b;
---   keepdim
--- raises  `pairwise_distance: argument N: expected a tensor`; `option p: expected a number > 0`
---
---     print(nn.functional.pairwise_distance(wrun.eye(2), wrun.zeros(2, 2)))
---@type fun(a: wrun.Tensor, b: wrun.Tensor, options: table?): wrun.Tensor
M.pairwise_distance = similarity.pairwise_distance

--- Returns x over its p-norm along a dimension.
--- shapes  x [..., n, ...] -> same
--- domain  norms below eps count as eps. Options: p > 0, default 2; dim 2; eps 1e-12
--- raises  `normalize: argument 1: expected a tensor`; `option p: expected a number > 0`; as `norm`
---
---     print(nn.functional.normalize(wrun.tensor { { 3.0, 4.0 } }))
---@type fun(x: wrun.Tensor, options: table?): wrun.Tensor
M.normalize = similarity.normalize

return M
