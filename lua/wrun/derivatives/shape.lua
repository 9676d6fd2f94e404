--- Derivatives of copies, conversions, new shapes, and tensors put together.

local to_same = require("wrun.derivatives.common").to_same

local function to_shape_of(g, _, x)
  return g:reshape(x.shape)
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
}
