--- What gradients of several kinds of operations need.

local core = require "wrun.core"
local operations = require "wrun.operations"

local M = {}

--- to_same(g) is g itself: conversion and broadcasting are undone by the walk.
M.to_same = core.graph.same

--- zeros in the shape of x and the type of g
function M.zeros_like(x, g)
  return operations.zeros(x.shape, { dtype = g.dtype })
end

--- g placed at x[key] in zeros of x's shape
function M.embed(g, x, key)
  return operations.assign(M.zeros_like(x, g), key, g)
end

--- g with the reduced dimensions back as dimensions of size 1
function M.restore_dimensions(g, x, dim, keepdim)
  if dim == nil or keepdim or x.ndim == 0 then
    return g
  end
  local shape = x.shape
  for _, d in ipairs(type(dim) == "table" and dim or { dim }) do
    shape[d < 0 and #shape + d + 1 or d] = 1
  end
  return g:reshape(shape)
end

--- x moved one index along d, towards the end or (`back`) the start; `filling` comes in.
function M.shifted(x, d, back, filling)
  local n = x.ndim == 0 and 1 or x:size(d)
  if n <= 1 then
    return operations.full(x.shape, filling, { dtype = x.dtype })
  end
  local entering = operations.full(x:narrow(d, 1, 1).shape, filling, { dtype = x.dtype })
  local staying = x:narrow(d, back and 2 or 1, n - 1)
  return operations.cat(d, back and staying or entering, back and entering or staying)
end

--- The gradient of x in y = x:cumprod(d): y[i-1] s[i], s[i] = g[i] + x[i+1] s[i+1]. Nothing is
--- divided, so zeros do no harm.
function M.cumprod_gradient(g, y, x, d)
  local owed = M.shifted(x, d, true, 0):linear_recurrence(g, d, { reverse = true })
  return M.shifted(y, d, false, 1) * owed
end

return M
