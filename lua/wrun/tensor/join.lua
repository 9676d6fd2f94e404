--- Tensors put together: one after the other, side by side, and over all combinations.

local broadcast = require "wrun.tensor.internal.broadcast"
local check = require "wrun.check"
local operations = require "wrun.operations"
local publish = require "wrun.publish"
local view = require "wrun.tensor.view"

local fail = check.fail

local M = {}

operations.define("join", {
  cat = {
    backward = function(g, edges, values)
      local dim, start, results = values[2], 1, {}
      for i = 2, edges.count do
        local size = values[i + 1]:size(dim)
        results[i] = edges[i] and g:narrow(dim, start, size)
        start = start + size
      end
      return results
    end,
    sample = function(randn) return 2, randn(2, 1), randn(2, 3) end,
  },
})

--- Returns tensors one after the other along dimension d.
--- shapes  [a, n], [b, n] along 1 -> [a + b, n]
--- domain  any dtypes; the result has their common one
--- raises  `cat: tensor N: expected the shape`
---     print(wrun.cat({ wrun.zeros(2, 1), wrun.ones(2, 2) }, 2))
---@param list wrun.Tensor[]  of one shape but for dimension d
function M.cat(list, d)
  list = check.tensors("cat", 1, list)
  d = check.dimension("cat", 2, d or 1, list[1].ndim)
  return operations.cat(d, table.unpack(list))
end

--- Returns tensors of one shape side by side along a new dimension d.
--- shapes  k tensors [m, n] along 1 -> [k, m, n]
--- as      cat
---     print(wrun.stack({ wrun.tensor({ 1, 2 }), wrun.tensor({ 3, 4 }) }, 2))
---@param list wrun.Tensor[]
function M.stack(list, d)
  list = check.tensors("stack", 1, list)
  d = check.dimension("stack", 2, d or 1, list[1].ndim + 1)
  local tensors = {}
  for i, x in ipairs(list) do
    if not check.same_shape(x, list[1]) then
      fail("stack: tensor %d: expected the shape %s, got %s", i, check.shape_text(list[1]),
        check.shape_text(x))
    end
    tensors[i] = view.unsqueeze(x, d)
  end
  return M.cat(tensors, d)
end

--- x with at least n dimensions: those of size 1 come in front
local function at_least(x, n)
  while x.ndim < n do
    x = view.unsqueeze(x, 1)
  end
  return x
end

local function cat_at_least(f, list, n, d)
  list = check.tensors(f, 1, list)
  local tensors = {}
  for i, x in ipairs(list) do
    tensors[i] = at_least(x, n)
  end
  return M.cat(tensors, d or (tensors[1].ndim == 1 and 1 or 2))
end

--- Returns tensors beside each other: along dimension 2, vectors and numbers in a row.
--- shapes  [m, a], [m, b] -> [m, a + b]; [a], [b] -> [a + b]
--- domain  as `cat`
--- raises  as `cat`
---     print(wrun.hstack({ wrun.zeros(2, 1), wrun.ones(2, 2) }))
function M.hstack(list)
  return cat_at_least("hstack", list, 1)
end

--- Returns tensors below each other: along dimension 1, vectors and numbers as rows.
--- shapes  [a, n], [n] -> [a + 1, n]
--- domain  as `cat`
--- raises  as `cat`
---     print(wrun.vstack({ wrun.zeros(3), wrun.ones(2, 3) }))
function M.vstack(list)
  return cat_at_least("vstack", list, 2, 1)
end

--- Returns tensors expanded to the shape to which all of them broadcast.
--- shapes  [m, 1], [n] -> [m, n], [m, n]; views
--- raises  `broadcast_tensors: argument N: expected a shape that broadcasts with those before`
---     local x, y = wrun.broadcast_tensors(wrun.arange(2):unsqueeze(2), wrun.arange(3))
---     print(x, y)
---@param ... wrun.Tensor
---@return wrun.Tensor ...
function M.broadcast_tensors(...)
  local tensors, shapes = { ... }, {}
  for i = 1, select("#", ...) do
    check.tensor_argument("broadcast_tensors", i, tensors[i])
    shapes[i] = tensors[i].shape
  end
  local joint, wrong = broadcast(shapes)
  if not joint then
    fail("broadcast_tensors: argument %d: expected a shape that broadcasts with those before it, "
      .. "got %s", wrong, check.shape_text(shapes[wrong]))
  end
  for i, x in ipairs(tensors) do
    tensors[i] = operations.expand(x, joint)
  end
  return table.unpack(tensors)
end

local MESHGRID = { indexing = check.choice("ij", { "ij", "xy" }) }

--- Returns the coordinates of all points of a grid: for each vector a tensor that varies along one
--- dimension.
--- shapes  [m], [n] -> [m, n], [m, n]; views; with indexing = "xy" -> [n, m], [n, m]
--- domain  any dtypes; option indexing "ij" (default), the vectors along dimensions 1, 2, ..., or
---   "xy", the first two exchanged
---     local x, y = wrun.meshgrid({ wrun.linspace(-1, 1, 5), wrun.linspace(0, 1, 3) })
---     print((x * x + y * y):sqrt())
---@return wrun.Tensor ...
function M.meshgrid(list, options)
  list = check.tensors("meshgrid", 1, list)
  local swapped = check.options("meshgrid", options, MESHGRID).indexing == "xy" and #list > 1
  local sizes, grids = {}, {}
  for i, x in ipairs(list) do
    if x.ndim > 1 then
      fail("meshgrid: tensor %d: expected at most one dimension, got %s", i, check.shape_text(x))
    end
    sizes[i] = x:numel()
  end
  for i, x in ipairs(list) do
    local own = {}
    for d = 1, #list do
      own[d] = d == i and sizes[i] or 1
    end
    local grid = operations.expand(operations.reshape(x, own), sizes)
    grids[i] = swapped and operations.transpose(grid, 1, 2) or grid
  end
  return table.unpack(grids)
end

--- Returns all combinations of an element of each vector, one in a row.
--- shapes  [m], [n] -> [m * n, 2]; a single vector stays one
--- domain  any dtypes; the result has their common one
--- raises  `meshgrid: tensor N: expected at most one dimension`
---     print(wrun.cartesian_prod({ wrun.tensor({ 1, 2 }), wrun.tensor({ 3, 4, 5 }) }))
function M.cartesian_prod(list)
  local grids = { M.meshgrid(list) }
  for i, grid in ipairs(grids) do
    grids[i] = operations.reshape(grid, -1)
  end
  return #grids == 1 and grids[1] or M.stack(grids, 2)
end

publish.without_methods(M, {
  "stack", "hstack", "vstack", "broadcast_tensors", "meshgrid", "cartesian_prod",
})

return M
