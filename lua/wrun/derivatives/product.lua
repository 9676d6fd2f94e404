--- Derivatives of matrix products.

local to_same = require("wrun.derivatives.common").to_same

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
  },
}
