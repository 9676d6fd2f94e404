--- The derivatives of structural operations: one row each, a gradient for each argument.
--
-- A gradient takes (g, y, ...): the gradient of the result, the result if saved, and the arguments
-- of the call, and returns the gradient of its argument, written in tensor operations, so that
-- gradients have gradients. It need not undo broadcasting or conversion: the walk backward sums and
-- converts to the argument's shape and type.
--
--   backward  in place of `gradients` where the number of arguments varies: all gradients at once,
--             from g, the arguments that want one, and { result, arguments ... }
--   saves     the arguments (by number) and "y" whose values the gradients read; of other
--             arguments only the shape is kept
--   sample    arguments for the specs, given randn(sizes...) in float64
--   in_place  the call changes and returns its first argument
--   doc       one sentence
--
-- Elementwise operations have their derivatives in runtime/ops.def.

local core = require "wrun.core"

--- zeros in the shape of x and the type of g
local function zeros_like(x, g)
  return core.zeros(x.shape, { dtype = g.dtype })
end

--- g placed at t[key] in zeros of t's shape
local function embed(g, t, key)
  return core.methods.assign(zeros_like(t, g), key, g)
end

--- a key that takes `part` in dimension d (counted from 1) and everything before it
local function key_at(t, d, part)
  local key = {}
  for i = 1, d < 0 and t.ndim + d or d - 1 do
    key[i] = {}
  end
  key[#key + 1] = part
  return key
end

--- g with the reduced dimensions back as dimensions of size 1
local function restore_dimensions(g, x, dim, keepdim)
  if dim == nil or keepdim or x.ndim == 0 then
    return g
  end
  local shape = x.shape
  for _, d in ipairs(type(dim) == "table" and dim or { dim }) do
    shape[d < 0 and #shape + d + 1 or d] = 1
  end
  return g:reshape(shape)
end

local function spread(g, _, x, dim, keepdim)
  return restore_dimensions(g, x, dim, keepdim):expand(x.shape)
end

local function mean_gradient(g, y, x, dim, keepdim)
  return spread(g / (x:numel() // math.max(1, g:numel())), y, x, dim, keepdim)
end

--- the product of all elements of dimension d but each in turn, by products from both ends
local function products_of_others(x, d)
  local n = x:size(d)
  local before, after = { x:narrow(d, 1, 1) * 0 + 1 }, {}
  for i = 2, n do
    before[i] = before[i - 1] * x:narrow(d, i - 1, 1)
  end
  after[n] = before[1]
  for i = n - 1, 1, -1 do
    after[i] = after[i + 1] * x:narrow(d, i + 1, 1)
  end
  for i = 1, n do
    before[i] = before[i] * after[i]
  end
  return core.methods.cat(before, d)
end

local function prod_gradient(g, y, x, dim, keepdim)
  if x:numel() == 0 then
    return zeros_like(x, g)
  elseif not x:detach():eq(0):any():item() then
    return restore_dimensions(g * y, x, dim, keepdim) / x
  elseif dim == nil or x.ndim == 0 then
    return g * products_of_others(x:reshape(-1), 1):reshape(x.shape)
  end
  return restore_dimensions(g, x, dim, keepdim) * products_of_others(x, dim)
end

--- max and min: to the chosen place along a dimension, shared among equals over the whole
local function extreme_gradient(find)
  return function(g, y, x, dim, keepdim)
    if dim == nil then
      local chosen = x:detach():eq(y:detach()):to(g.dtype)
      return g * (chosen / chosen:sum())
    elseif x.ndim == 0 then
      return g
    end
    local _, places = core[find](x:detach(), dim, true)
    return zeros_like(x, g):scatter_add(dim, places, restore_dimensions(g, x, dim, keepdim))
  end
end

local function to_same(g)
  return g
end

local function to_shape_of(g, _, x)
  return g:reshape(x.shape)
end

--- matrices for matmul's gradient: vectors as a row (left) or a column (right)
local function as_matrices(g, a, b)
  if a.ndim == 1 and b.ndim == 1 then
    return g:reshape(1, 1), a:unsqueeze(1), b:unsqueeze(2)
  elseif a.ndim == 1 then
    return g:unsqueeze(-2), a:unsqueeze(1), b
  elseif b.ndim == 1 then
    return g:unsqueeze(-1), a, b:unsqueeze(2)
  end
  return g, a, b
end

--- rows of x[..., n] as one matrix
local function flat(x)
  if x.ndim <= 2 then
    return x.ndim == 2 and x or x:unsqueeze(1)
  end
  return x:flatten(1, -2)
end

return {
  clone = {
    gradients = { to_same },
    sample = function(randn) return randn(2, 3) end,
    doc = "a copy with memory of its own",
  },
  contiguous = {
    gradients = { to_same },
    sample = function(randn) return randn(2, 3):t() end,
    doc = "itself if row-major, else a row-major copy",
  },
  to = {
    gradients = { to_same },
    sample = function(randn) return randn(2, 3), "float64" end,
    doc = "itself if of that type, else a converted copy",
  },
  copy_ = {
    gradients = { [2] = to_same },
    in_place = true,
    doc = "overwrites its elements with those of the source",
  },

  view = {
    gradients = { to_shape_of },
    sample = function(randn) return randn(2, 6), 3, 4 end,
    doc = "the same elements in another shape",
  },
  reshape = {
    gradients = { to_shape_of },
    sample = function(randn) return randn(2, 6):t(), 3, 4 end,
    doc = "a view in another shape where the memory allows, else a copy",
  },
  transpose = {
    gradients = { function(g, _, _, a, b) return g:transpose(a, b) end },
    sample = function(randn) return randn(2, 3, 4), 1, 3 end,
    doc = "two dimensions exchanged",
  },
  permute = {
    gradients = {
      function(g, _, x, ...)
        local order = type(...) == "table" and ... or { ... }
        local back = {}
        for d, from in ipairs(order) do
          back[from < 0 and x.ndim + from + 1 or from] = d
        end
        return g:permute(back)
      end,
    },
    sample = function(randn) return randn(2, 3, 4), 3, 1, 2 end,
    doc = "the dimensions in another order",
  },
  expand = {
    gradients = { to_same },
    sample = function(randn) return randn(3, 1), 2, 3, 4 end,
    doc = "dimensions of size 1 repeated without copying",
  },
  narrow = {
    gradients = {
      function(g, _, x, d, start, length)
        start = start < 0 and start + x:size(d) + 1 or start
        return embed(g, x, key_at(x, d, { start, start + length - 1 }))
      end,
    },
    sample = function(randn) return randn(3, 5), 2, 2, 3 end,
    doc = "a stretch of one dimension",
  },
  select = {
    gradients = { function(g, _, x, d, i) return embed(g, x, key_at(x, d, i)) end },
    sample = function(randn) return randn(3, 5), -1, 2 end,
    doc = "one position of one dimension, which goes",
  },
  index = {
    gradients = { function(g, _, x, key) return embed(g, x, key) end },
    sample = function(randn) return randn(4, 5), { { 1, -1, 2 }, 3 } end,
    doc = "the part t[key]",
  },
  assign = {
    gradients = {
      function(g, _, _, key) return core.methods.assign(g:clone(), key, 0) end,
      [3] = function(g, _, _, key) return core.methods.index(g, key) end,
    },
    in_place = true,
    doc = "t[key] = value",
  },

  sum = {
    gradients = { spread },
    sample = function(randn) return randn(2, 3, 4), { 1, 3 } end,
    doc = "the sum, over everything or some dimensions",
  },
  mean = {
    gradients = { mean_gradient },
    sample = function(randn) return randn(2, 3, 4), 2, true end,
    doc = "the mean, over everything or some dimensions",
  },
  prod = {
    gradients = { prod_gradient },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 2 end,
    doc = "the product, over everything or one dimension",
  },
  max = {
    gradients = { extreme_gradient("max") },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), 1 end,
    doc = "the largest element; along a dimension also its place",
  },
  min = {
    gradients = { extreme_gradient("min") },
    saves = { 1, "y" },
    sample = function(randn) return randn(3, 4), -1 end,
    doc = "the smallest element; along a dimension also its place",
  },

  index_select = {
    gradients = {
      function(g, _, x, dim, places) return zeros_like(x, g):index_add(dim, places, g) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor { 4, 1, 1 } end,
    doc = "the given positions of one dimension",
  },
  index_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, places) return g:index_select(dim, places) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor { 4, 1, 1 }, randn(3, 3) end,
    doc = "y added at positions of one dimension",
  },
  gather = {
    gradients = {
      function(g, _, x, dim, places) return zeros_like(x, g):scatter_add(dim, places, g) end,
    },
    saves = { 3 },
    sample = function(randn)
      return randn(3, 4), 2, core.tensor { { 1, 4 }, { 2, 2 }, { 3, 1 } }
    end,
    doc = "for each element its own position of one dimension",
  },
  scatter_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, places) return g:gather(dim, places) end,
    },
    saves = { 3 },
    sample = function(randn)
      return randn(3, 4), 2, core.tensor { { 1, 4 }, { 2, 2 }, { 3, 1 } }, randn(3, 2)
    end,
    doc = "each element of y added at its own position of one dimension",
  },
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
    doc = "tensors one after the other along a dimension",
  },

  matmul = {
    label = "MmBackward0",
    gradients = {
      function(g, _, a, b)
        local rows, _, right = as_matrices(g, a, b)
        local da = rows:matmul(right:transpose(-1, -2))
        return a.ndim == 1 and da:squeeze(-2) or da
      end,
      function(g, _, a, b)
        local rows, left = as_matrices(g, a, b)
        local db = left:transpose(-1, -2):matmul(rows)
        return b.ndim == 1 and db:squeeze(-1) or db
      end,
    },
    saves = { 1, 2 },
    sample = function(randn) return randn(2, 3, 4), randn(4, 5) end,
    doc = "the matrix product; batch dimensions broadcast",
  },
  linear = {
    label = "AddmmBackward0",
    gradients = {
      function(g, _, _, w) return g:matmul(w) end,
      function(g, _, x) return flat(g):t():matmul(flat(x)) end,
      to_same,
    },
    saves = { 1, 2 },
    sample = function(randn) return randn(3, 4), randn(2, 4), randn(2) end,
    doc = "x weight^T + bias",
  },
  softmax = {
    gradients = { function(g, y, _, dim) return y * (g - (g * y):sum(dim, true)) end },
    saves = { "y" },
    sample = function(randn) return randn(3, 4), 2 end,
    doc = "exp(x) / sum exp(x) along a dimension",
  },
  log_softmax = {
    label = "LogSoftmaxBackward0",
    gradients = { function(g, y, _, dim) return g - y:exp() * g:sum(dim, true) end },
    saves = { "y" },
    sample = function(randn) return randn(3, 4), -1 end,
    doc = "x - log sum exp(x) along a dimension, without overflow",
  },
}
