--- The losses as functions of tensors and a table of options, without a module around them.
---
--- Elementwise functions (relu, softmax ...) are functions of tensors in `wrun` itself.

local losses = require "wrun.nn.losses"
local similarity = require "wrun.nn.similarity"

local M = {}

for _, loss in pairs(losses) do
  local count = #loss.tensors
  M[loss.function_name] = function(...)
    local arguments = table.pack(...)
    return loss.call(arguments[count + 1], table.unpack(arguments, 1, count))
  end
end

--- Returns the cosine of the angle between a and b along a dimension.
--- shapes  a and b broadcast to [..., n, ...] -> [..., ...]
--- domain  lengths below eps count as eps. Options: dim 2; eps 1e-8
--- raises  `cosine_similarity: argument N: expected a tensor`; as `sum`
---     print(nn.functional.cosine_similarity(wrun.eye(2), wrun.ones(2, 2)))
---@type fun(a: wrun.Tensor, b: wrun.Tensor, options: table?): wrun.Tensor
M.cosine_similarity = similarity.cosine_similarity

--- Returns the p-norm of a - b + eps along the last dimension.
--- shapes  a and b broadcast to [..., n] -> [...], or [..., 1] with keepdim
--- domain  Options: p > 0, default 2; eps 1e-6, which keeps the gradient finite where a = b;
---   keepdim
--- raises  `pairwise_distance: argument N: expected a tensor`; `option p: expected a number > 0`
---     print(nn.functional.pairwise_distance(wrun.eye(2), wrun.zeros(2, 2)))
---@type fun(a: wrun.Tensor, b: wrun.Tensor, options: table?): wrun.Tensor
M.pairwise_distance = similarity.pairwise_distance

--- Returns x over its p-norm along a dimension.
--- shapes  x [..., n, ...] -> same
--- domain  norms below eps count as eps. Options: p > 0, default 2; dim 2; eps 1e-12
--- raises  `normalize: argument 1: expected a tensor`; `option p: expected a number > 0`; as `norm`
---     print(nn.functional.normalize(wrun.tensor { { 3.0, 4.0 } }))
---@type fun(x: wrun.Tensor, options: table?): wrun.Tensor
M.normalize = similarity.normalize

return M
