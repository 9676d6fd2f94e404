--- Derivatives of copies, conversions, new shapes, and tensors put together.

local to_same = require("wrun.derivatives.common").to_same

local function to_shape_of(g, _, x)
  return g:reshape(x.shape)
end

return {
  clone = {
    gradients = { to_same },
    sample = function(randn) return randn(2, 3) end,
  },
  contiguous = {
    gradients = { to_same },
    sample = function(randn) return randn(2, 3):t() end,
  },
  to = {
    gradients = { to_same },
    sample = function(randn) return randn(2, 3), "float64" end,
  },
  copy_ = {
    gradients = { [2] = to_same },
    in_place = true,
  },

  view = {
    gradients = { to_shape_of },
    sample = function(randn) return randn(2, 6), 3, 4 end,
  },
  reshape = {
    gradients = { to_shape_of },
    sample = function(randn) return randn(2, 6):t(), 3, 4 end,
  },
  transpose = {
    gradients = { function(g, _, _, a, b) return g:transpose(a, b) end },
    sample = function(randn) return randn(2, 3, 4), 1, 3 end,
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
  },
  expand = {
    gradients = { to_same },
    sample = function(randn) return randn(3, 1), 2, 3, 4 end,
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
  },
}
