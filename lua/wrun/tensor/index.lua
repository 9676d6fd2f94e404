--- Parts of tensors: by key, by mask, and by indices, read and written.

local broadcast = require "wrun.tensor.internal.broadcast"
local check = require "wrun.check"
local core = require "wrun.core"
local gradients = require "wrun.tensor.internal.gradients"
local keys = require "wrun.tensor.internal.keys"
local mask = require "wrun.tensor.mask"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

-- Gradients ------------------------------------------------------------------

local to_same, zeros_like = gradients.to_same, gradients.zeros_like

--- the gradient of what scatter wrote: indices may cover only its beginning
local function gathered(g, y, dim, indices)
  local part = g:gather(dim, indices)
  if check.same_shape(part, y) then
    return part
  end
  local key = {}
  for d, size in ipairs(indices.shape) do
    key[d] = { 1, size }
  end
  return gradients.embed(part, y, key)
end

local INDICES = { { 1, 4 }, { 2, 3 }, { 3, 1 } }

operations.define("index", {
  index = {
    gradients = { function(g, _, x, key) return gradients.embed(g, x, key) end },
    sample = function(randn) return randn(4, 5), { { 1, -1, 2 }, 3 } end,
  },
  assign = {
    gradients = {
      function(g, _, _, key) return operations.assign(g:clone(), key, 0) end,
      [3] = function(g, _, _, key) return operations.index(g, key) end,
    },
    in_place = true,
  },
  index_select = {
    gradients = {
      function(g, _, x, dim, indices) return zeros_like(x, g):index_add_(dim, indices, g) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, operations.tensor { 4, 1, 1 } end,
  },
  gather = {
    gradients = {
      function(g, _, x, dim, indices) return zeros_like(x, g):scatter_add_(dim, indices, g) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, operations.tensor(INDICES) end,
  },
})

--- the gradient of what stood there: the product of the factors, also where it was 0 itself
local function base_gradient(g, x, dim, indices, factors)
  local base = operations.where(x:eq(0), 1, x)
  return g * base:scatter_reduce(dim, indices, factors, "prod") / base
end

--- the gradient of the factors: y / factor, but for a zero among them the product of the others
local function factors_gradient(g, y, x, dim, indices, factors)
  local is_zero = factors:eq(0)
  local zeros = zeros_like(x, g):scatter_add_(dim, indices, is_zero:to(g.dtype))
  local alone = is_zero:logical_and(zeros:gather(dim, indices):eq(1))
  local others = x:scatter_reduce(dim, indices, operations.where(alone, 1, factors), "prod")
  return operations.where(alone, (g * others):gather(dim, indices),
    (g * y):gather(dim, indices) / operations.where(is_zero, 1, factors))
end

--- g shared among all that are the extreme y: x itself, and elements of z that came there
local function shared(g, y, x, dim, indices, z)
  local ties_x, ties_z = x:eq(y), z:eq(y:gather(dim, indices))
  local count = ties_x:to(g.dtype):scatter_add(dim, indices, ties_z:to(g.dtype))
  return g / count, ties_x, ties_z
end

operations.define("index", {
  scatter_reduce = {
    gradients = {
      function(g, y, x, dim, indices, z, way)
        if way == "sum" then
          return g
        elseif way == "prod" then
          return base_gradient(g, x, dim, indices, z)
        end
        local share, ties = shared(g, y:detach(), x:detach(), dim, indices, z:detach())
        return share * ties
      end,
      [4] = function(g, y, x, dim, indices, z, way)
        if way == "sum" then
          return g:gather(dim, indices)
        elseif way == "prod" then
          return factors_gradient(g, y, x, dim, indices, z)
        end
        local share, _, ties = shared(g, y:detach(), x:detach(), dim, indices, z:detach())
        return share:gather(dim, indices) * ties
      end,
    },
    saves = { 1, 3, 4, "y" },
    sample = function(randn)
      return randn(3, 4), 2, operations.tensor(INDICES), randn(3, 2), "prod"
    end,
  },
})

-- What is written at indices. Of values written to one index one after the other, all get the
-- gradient of the last, as in PyTorch.
local changes = {
  index_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, indices) return g:index_select(dim, indices) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, operations.tensor { 4, 1, 1 }, randn(3, 3) end,
  },
  index_copy = {
    gradients = {
      function(g, _, _, dim, indices) return g:index_fill(dim, indices, 0) end,
      [4] = function(g, _, _, dim, indices) return g:index_select(dim, indices) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, operations.tensor { 4, 1 }, randn(3, 2) end,
  },
  index_fill = {
    gradients = {
      function(g, _, _, dim, indices) return g:index_fill(dim, indices, 0) end,
      [4] = function(g, _, _, dim, indices) return (g - g:index_fill(dim, indices, 0)):sum() end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 1, operations.tensor { 3, 1 }, randn() end,
  },
  scatter = {
    gradients = {
      function(g, _, _, dim, indices) return g:scatter(dim, indices, 0) end,
      [4] = function(g, _, _, dim, indices, y) return gathered(g, y, dim, indices) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, operations.tensor(INDICES), randn(4, 2) end,
  },
  scatter_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, indices, y) return gathered(g, y, dim, indices) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, operations.tensor(INDICES), randn(3, 2) end,
  },
  put = {
    gradients = {
      function(g, _, _, indices, _, accumulate)
        return accumulate and g or g:put(indices, 0)
      end,
      [3] = function(g, _, _, indices, y)
        local part = g:take(indices)
        return part:numel() == y:numel() and part:reshape(y.shape) or part
      end,
    },
    saves = { 2 },
    sample = function(randn)
      return randn(3, 4), operations.tensor { { 5, 1 }, { 12, 6 } }, randn(2)
    end,
  },
}
for name, row in pairs(changes) do
  local in_place = setmetatable({ in_place = true }, { __index = row })
  operations.define("index", { [name] = row, [name .. "_"] = in_place })
end

-- By key ---------------------------------------------------------------------

--- the elements of x at flat indices that are known to be right
local function pick(x, flat)
  local y = operations.index_select(operations.reshape(x, -1), 1, operations.reshape(flat, -1))
  return operations.reshape(y, flat.shape)
end

--- Returns the part of x that a key names; x[key] is the same.
--- A key is an index, or a table of indices, slices {from, to, step}, masks and int64 tensors
--- of indices for the dimensions in order; all of them count from 1, or from the end where
--- negative. Slices keep a dimension ({} all of it), indices drop it, a mask stands for as many
--- as it has, and tensors of indices broadcast together: x[{ i, j }] holds x[i[k]][j[k]].
--- shapes  x [4, 5]: x[2] [5], x[{ {}, 2 }] [4], x[{ {1, 3} }] [3, 5], x[mask] [count, ...]
--- domain  any dtype; a view for indices and slices, a copy where a tensor is in the key
--- raises  `index: expected an index from`; `index: expected {from, to, step}`
---     local x = wrun.arange(1, 13):reshape(3, 4)
---     print(x[2], x[{ {}, { 1, -1, 2 } }])
---     print(x[x:gt(6)], x[{ wrun.tensor { 1, 3 }, wrun.tensor { -1, 2 } }])
---@return wrun.Tensor
function M.index(x, key)
  if not keys.has_tensor(key) then
    return operations.index(x, key)
  end
  check.tensor_argument("index", 1, x)
  local indices, d, sizes = keys.single("index", x, key)
  if not indices then
    return pick(x, keys.flat("index", x, key))
  end
  local whole = #sizes == x.ndim and x or operations.reshape(x, sizes)
  if indices.ndim == 1 then
    return operations.index_select(whole, d, indices)
  end
  local y = operations.index_select(whole, d, unrecorded.reshape(indices, -1))
  table.remove(sizes, d)
  table.move(sizes, d, #sizes, d + indices.ndim)
  return operations.reshape(y, table.move(indices.shape, 1, indices.ndim, d, sizes))
end

local function write(f, x, key, value, accumulate)
  check.tensor_argument(f, 1, x)
  local flat = keys.flat(f, x, key)
  if check.is_tensor(value) then
    local joint = broadcast { flat.shape, value.shape }
    if not joint or not check.same_shape(joint, flat) then
      fail("%s: argument 3: expected a shape that broadcasts to %s, got %s", f,
        check.shape_text(flat), check.shape_text(value))
    end
    value = operations.to(value, x.dtype)
  elseif type(value) ~= "number" and type(value) ~= "boolean" then
    fail("%s: argument 3: expected a tensor or a number, got %s", f, check.describe(value))
  end
  return operations.put_(x, flat, value, accumulate)
end

--- Writes value to the part of x that a key names, and returns x; x[key] = value does it too.
--- shapes  value broadcasts to x[key]
--- domain  any dtypes; value takes x's. Where an index stands twice, the last value stays.
--- raises  as `index`
---     local x = wrun.arange(6):reshape(2, 3)
---     x[x:gt(3)] = 0
---     x[{ {}, 1 }] = wrun.tensor { 7, 8 }
---     print(x)
---@param value wrun.Tensor|number|boolean
---@return wrun.Tensor x
function M.assign(x, key, value)
  if not keys.has_tensor(key) then
    return operations.assign(x, key, value)
  end
  local is_plain = type(value) == "number" or type(value) == "boolean"
  if is_plain and check.is_tensor(key) and key.dtype == "bool" then
    check.tensor_argument("assign", 1, x)
    return mask.masked_fill_(x, keys.mask("assign", x, key), value)
  end
  return write("assign", x, key, value)
end

--- Writes value to the part of x that a key with tensors names (or adds it there), and returns x.
--- shapes  value broadcasts to x[key]
--- domain  as `assign`; with accumulate, an index that stands twice gets both values
--- raises  as `assign`
---     local counts = wrun.zeros(3)
---     print(counts:index_put_(wrun.tensor { 3, 1, 3 }, 1, true))
---@param key wrun.Tensor|table
---@param value wrun.Tensor|number|boolean
---@param accumulate boolean?  false
function M.index_put_(x, key, value, accumulate)
  if not keys.has_tensor(key) then
    fail("index_put_: argument 2: expected a key with a tensor in it, got %s", check.describe(key))
  end
  return (write("index_put_", x, key, value, accumulate))
end

-- By flat indices ------------------------------------------------------------

--- Returns the elements of x, seen as one row, at indices.
--- shapes  x [...], indices [...] -> the shape of indices
--- domain  any dtype; indices int64, from 1
--- raises  `take: argument 2: expected indices from 1 to`
---     print(wrun.tensor({ { 1, 2 }, { 3, 4 } }):take(wrun.tensor { 4, 1 })) -- 4, 1
function M.take(x, indices)
  check.tensor_argument("take", 1, x)
  return pick(x, keys.indices(indices, x:numel(), false, "take: argument 2"))
end

--- Returns a copy of x, seen as one row, with y written (or added) at indices.
--- shapes  y has as many elements as indices, or broadcasts to their shape
--- domain  any dtype, of y the same; indices int64, from 1. Of values written to one index the
---   last stays, but all get its gradient.
--- raises  `put: argument 2: expected indices from 1 to`; `put: argument 3: expected a shape`
---     print(wrun.zeros(2, 2):put(wrun.tensor { 4, 1 }, 5))
---@type fun(x: wrun.Tensor, indices: wrun.Tensor, y: wrun.Tensor|number, accumulate?: boolean): wrun.Tensor
M.put = operations.put

M.put_ = operations.put_

-- By indices of one dimension ------------------------------------------------

--- Returns the rows of x along dimension d at indices, in that order.
--- shapes  x [n, m], d = 1, indices [k] -> [k, m]
--- domain  any dtype; indices int64, from 1
--- raises  `index_select: argument 3: expected indices from 1 to`
---     print(wrun.eye(3):index_select(2, wrun.tensor { 3, 1 }))
---@type fun(x: wrun.Tensor, d: integer, indices: wrun.Tensor): wrun.Tensor
M.index_select = operations.index_select

--- Returns a copy of x with the rows of y added along dimension d at indices.
--- shapes  x [n, m], d = 1, indices [k], y [k, m] -> [n, m]
--- domain  any dtype, of y the same; an index may stand twice
--- raises  `index_add: argument 3: expected indices from 1 to`; `index_add: argument 4: expected
---   a shape that broadcasts to`
---     print(wrun.zeros(3):index_add(1, wrun.tensor { 3, 3, 1 }, 1)) -- 1, 0, 2
---@type fun(x: wrun.Tensor, d: integer, indices: wrun.Tensor, y: wrun.Tensor|number): wrun.Tensor
M.index_add = operations.index_add

M.index_add_ = operations.index_add_

--- Returns a copy of x with the rows of y written along dimension d at indices.
--- domain  any dtype, of y the same. Of rows written to one index the last stays, but all get
---   its gradient.
--- as      index_add
---     print(wrun.zeros(3):index_copy(1, wrun.tensor { 3, 1 }, wrun.tensor { 5.0, 7.0 }))
M.index_copy = operations.index_copy

M.index_copy_ = operations.index_copy_

--- Returns a copy of x with value along dimension d at indices.
--- shapes  x [n, m], d = 1, indices [k] -> [n, m]
--- domain  any dtype; value a number or a tensor without dimensions
--- raises  `index_fill: argument 3: expected indices from 1 to`
---     print(wrun.zeros(2, 3):index_fill(2, wrun.tensor { 3, 1 }, 9))
---@type fun(x: wrun.Tensor, d: integer, indices: wrun.Tensor, value: wrun.Tensor|number): wrun.Tensor
M.index_fill = operations.index_fill

M.index_fill_ = operations.index_fill_

-- By indices of one dimension, for each element its own ----------------------

--- Returns for each of the indices the element of x that stands there along dimension d.
--- shapes  x [n, m], d = 2, indices [n, k] -> [n, k]: y[i][j] = x[i][indices[i][j]]
--- domain  any dtype; indices int64, from 1, nowhere larger than x but along d
--- raises  `gather: argument 3: expected indices from 1 to`; `expected a shape within`
---     local scores = wrun.tensor { { 0.1, 0.9 }, { 0.8, 0.2 } }
---     print(scores:gather(2, wrun.tensor { { 2 }, { 2 } })) -- 0.9, 0.2
---@type fun(x: wrun.Tensor, d: integer, indices: wrun.Tensor): wrun.Tensor
M.gather = operations.gather

--- Returns a copy of x in which each element of y stands at its own index along dimension d.
--- shapes  x [n, m], d = 2, indices [n, k], y [n, k] (or larger) -> [n, m]
--- domain  any dtype, of y the same, or a number; indices as for `gather`. Of values written to
---   one index the last stays, but all get its gradient.
--- raises  `scatter: argument 3: expected indices from 1 to`; `expected a shape within`;
---   `scatter: argument 4: expected a shape that covers`
---     local classes = wrun.tensor { { 2 }, { 1 } }
---     print(wrun.zeros(2, 3):scatter(2, classes, 1)) -- one-hot rows
---@type fun(x: wrun.Tensor, d: integer, indices: wrun.Tensor, y: wrun.Tensor|number): wrun.Tensor
M.scatter = operations.scatter

M.scatter_ = operations.scatter_

--- Returns a copy of x with each element of y added at its own index along dimension d.
--- domain  as `scatter`; an index may stand twice
--- as      scatter
---     print(wrun.zeros(2, 3):scatter_add(2, wrun.tensor { { 2, 2 }, { 1, 3 } }, 1))
M.scatter_add = operations.scatter_add

M.scatter_add_ = operations.scatter_add_

local INFINITE = { -math.huge, math.huge }
local LIMITS = {
  bool = { 0, 1 }, uint8 = { 0, 255 }, int32 = { -1 << 31, (1 << 31) - 1 },
  int64 = { math.mininteger, math.maxinteger },
  float32 = INFINITE, float64 = INFINITE,
}

-- what does not count in each way of reducing
local NOTHING = {
  sum = function() return 0 end,
  mean = function() return 0 end,
  prod = function() return 1 end,
  amax = function(dtype) return LIMITS[dtype][1] end,
  amin = function(dtype) return LIMITS[dtype][2] end,
}

local function mean_at(total, x, d, indices, include_self)
  local ones = operations.ones(x.shape, { dtype = x.dtype })
  local counts = include_self and ones or unrecorded.scatter(ones, d, indices, 0)
  counts = operations.maximum(unrecorded.scatter_add(counts, d, indices, 1), 1)
  return check.is_float(x) and total / counts or total // counts
end

--- Returns a copy of x in which the elements of y with one index along dimension d, and the
--- element that stood there, are one: their sum, mean, product, largest or smallest.
--- shapes  as `scatter`
--- domain  any dtype but bool, of y the same, a tensor; with include_self = false what stood in x
---   at an index does not count. Extremes share their gradient among equals
--- raises  as `scatter`
---     local x, indices = wrun.zeros(3), wrun.tensor({ 1, 1, 3 })
---     print(x:scatter_reduce(1, indices, wrun.tensor({ 2.0, 5.0, -1.0 }), "amax"))
---@param way string  "sum", "mean", "prod", "amax" or "amin"
---@return wrun.Tensor
function M.scatter_reduce(x, d, indices, y, way, include_self)
  check.tensor_argument("scatter_reduce", 1, x)
  check.tensor_argument("scatter_reduce", 3, indices)
  check.tensor_argument("scatter_reduce", 4, y)
  if not NOTHING[way] then
    fail("scatter_reduce: argument 5: expected sum, mean, prod, amax or amin, got %s",
      check.describe(way))
  end
  include_self = check.flag("scatter_reduce", 6, include_self, true)
  local base = x
  if not include_self then
    base = operations.scatter(x, d, indices, NOTHING[way](x.dtype))
  end
  if not check.same_shape(y, indices) and y.ndim == indices.ndim then
    for e, size in ipairs(indices.shape) do
      y = y:size(e) > size and operations.narrow(y, e, 1, size) or y
    end
  end
  if way == "mean" then
    local total = operations.scatter_reduce(base, d, indices, y, "sum")
    return mean_at(total, x, d, indices, include_self)
  end
  return operations.scatter_reduce(base, d, indices, y, way)
end

function M.scatter_reduce_(x, d, indices, y, way, include_self)
  return operations.copy_(x, M.scatter_reduce(x, d, indices, y, way, include_self))
end

--- Returns for each of the indices the element of x along dimension d, the others broadcast.
--- shapes  x [n, m], d = 2, indices [1, k] -> [n, k]; without d both are seen as one row
--- domain  any dtype; indices int64, from 1
--- raises  as `gather`
---     local x = wrun.tensor { { 3, 1, 2 }, { 4, 6, 5 } }
---     print(x:take_along_dim(x:argmax(2, true), 2)) -- 3, 6
---@param d integer?
function M.take_along_dim(x, indices, d)
  check.tensor_argument("take_along_dim", 1, x)
  check.tensor_argument("take_along_dim", 2, indices)
  if d == nil then
    return operations.gather(operations.reshape(x, -1), 1, operations.reshape(indices, -1))
  elseif x.ndim ~= indices.ndim then
    fail("take_along_dim: argument 2: expected as many dimensions as %s, got %s",
      check.shape_text(x), check.shape_text(indices))
  end
  d = check.dimension("take_along_dim", 3, d, x.ndim)
  local own, other = x.shape, indices.shape
  local n, k = own[d], other[d]
  own[d], other[d] = 1, 1
  local joint = broadcast { own, other }
  if not joint then
    fail("take_along_dim: argument 2: expected a shape that broadcasts with %s but for dimension "
      .. "%d, got %s", check.shape_text(x), d, check.shape_text(indices))
  end
  joint[d] = n
  x = operations.expand(x, joint)
  joint[d] = k
  return operations.gather(x, d, operations.expand(indices, joint))
end

--- Returns for each class a row of zeros with a 1 at its index.
--- shapes  classes [...] -> [..., count], int64
--- domain  int64 classes from 1; count is the largest class by default
--- raises  `one_hot: argument 1: expected an int64 tensor of indices`; `one_hot: argument 1:
---   expected indices from 1 to`
---     print(wrun.one_hot(wrun.tensor({ 3, 1 }), 4))
---@param count integer?
function M.one_hot(classes, count)
  check.tensor_argument("one_hot", 1, classes)
  if count == nil and classes.dtype == "int64" then
    if classes:numel() == 0 then
      fail("one_hot: argument 2: expected a number of classes where there are none to see, got nil")
    end
    count = math.max(unrecorded.max(unrecorded.reshape(classes, -1)):item(), 1)
  end
  count = check.argument("one_hot", 2, count, check.integer(1, 1))
  keys.indices(classes, count, false, "one_hot: argument 1")
  check.sizes("one_hot", { count, table.unpack(classes.shape) })
  local sizes = classes.shape
  local d = #sizes + 1
  sizes[d] = 1
  local column = unrecorded.reshape(classes, sizes)
  sizes[d] = count
  return unrecorded.scatter_(operations.zeros(sizes, { dtype = "int64" }), d, column, 1)
end

-- t[key] where there is no tensor in the key
core.methods._view_index, core.methods._view_assign = operations.index, operations.assign

return M
