--- What gradients of several kinds of operations need.

local core = require "wrun.core"

local M = {}

--- g itself: conversion and broadcasting are undone by the walk.
function M.to_same(g)
  return g
end

--- zeros in the shape of x and the type of g
function M.zeros_like(x, g)
  return core.zeros(x.shape, { dtype = g.dtype })
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

return M
