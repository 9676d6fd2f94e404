--- How alike two tensors are along a dimension: distances and cosines, and the layers of both.

local check = require "wrun.check"
local length_of = require "wrun.nn.length"
local Module = require "wrun.nn.module"

local M = {}

local DISTANCE = {
  p = check.positive(2),
  eps = check.number(1e-6, 0),
  keepdim = check.boolean(false),
}
local COSINE = { dim = check.integer(2), eps = check.number(1e-8, 0) }

local function distance(fname, o, a, b)
  check.tensor_argument(fname, 1, a)
  check.tensor_argument(fname, 2, b)
  return (a - b + o.eps):norm(o.p, -1, o.keepdim)
end

-- x over its length along a dimension, of at least eps; the gradient is that of x over its length.
local function direction(x, dim, eps)
  local length
  x, length = length_of(x, 2, dim)
  return x / (length + (eps - length:detach()):relu())
end

local function cosine(fname, o, a, b)
  check.tensor_argument(fname, 1, a)
  check.tensor_argument(fname, 2, b)
  if not check.same_shape(a, b) then
    local sum = a:detach() + b:detach()
    a, b = a:expand_as(sum), b:expand_as(sum)
  end
  local u, v = direction(a, o.dim, o.eps), direction(b, o.dim, o.eps)
  local is_free = not (u.requires_grad or v.requires_grad) and u.dtype == v.dtype
  return (is_free and u:mul_(v) or u * v):sum(o.dim)
end

-- A layer of two inputs, and its functional form as `class.call(options, a, b)`.
local function define(name, function_name, rules, compute)
  local class = Module:extend(name)
  class.function_name, class.tensors = function_name, { "a", "b" }

  function class:init(options)
    for option, value in pairs(check.options(name, options, rules)) do
      self[option] = value
    end
  end

  function class:forward(a, b)
    return compute(name, self, a, b)
  end

  --- Returns what the functional form does: first the options, then what forward takes.
  --- shapes  as forward
  --- domain  the options of the class
  --- raises  as the class, under the name of the functional form
  ---@return wrun.Tensor
  function class.call(options, a, b)
    return compute(function_name, check.options(function_name, options, rules), a, b)
  end
  return class
end

--- Makes a layer that returns the p-norm of a - b + eps along the last dimension.
--- shapes  a and b broadcast to [..., n] -> [...], or [..., 1] with keepdim
--- domain  Options: p > 0, default 2; eps 1e-6, which keeps the gradient finite where a = b;
---   keepdim
--- raises  `PairwiseDistance: option p: expected a number > 0`; `argument N: expected a tensor`
---     print(nn.PairwiseDistance({ p = 1 })(wrun.eye(2), wrun.zeros(2, 2)))
---@type fun(options: table?): wrun.nn.Module
M.PairwiseDistance = define("PairwiseDistance", "pairwise_distance", DISTANCE, distance)

--- Makes a layer that returns the cosine of the angle between a and b along a dimension.
--- shapes  a and b broadcast to [..., n, ...] -> [..., ...]
--- domain  lengths below eps count as eps. Options: dim 2; eps 1e-8
--- raises  `CosineSimilarity: argument N: expected a tensor`; as `sum`
---     print(nn.CosineSimilarity()(wrun.eye(2), wrun.ones(2, 2)))
---@type fun(options: table?): wrun.nn.Module
M.CosineSimilarity = define("CosineSimilarity", "cosine_similarity", COSINE, cosine)

local NORMALIZE = {
  p = check.positive(2),
  dim = check.integer(2),
  eps = check.number(1e-12, 0),
}

--- Returns x over its p-norm along a dimension.
--- shapes  x [..., n, ...] -> same
--- domain  norms below eps count as eps. Options: p > 0, default 2; dim 2; eps 1e-12
--- raises  as `norm`
---     print(nn.functional.normalize(wrun.tensor { { 3.0, 4.0 } }))
function M.normalize(x, options)
  local o = check.options("normalize", options, NORMALIZE)
  check.tensor_argument("normalize", 1, x)
  local length
  x, length = length_of(x, o.p, o.dim)
  return x / length:clamp(o.eps, math.huge)
end

return M
