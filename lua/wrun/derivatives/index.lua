--- Derivatives of parts: stretches, positions, and places picked one by one.

local common = require "wrun.derivatives.common"
local core = require "wrun.core"

local methods = core.methods
local to_same, zeros_like = common.to_same, common.zeros_like

--- g placed at t[key] in zeros of t's shape
local function embed(g, t, key)
  return methods.assign(zeros_like(t, g), key, g)
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

--- the gradient of what scatter wrote: places may cover only its beginning
local function gathered(g, y, dim, places)
  local part = g:gather(dim, places)
  if core.shape_text(part) == core.shape_text(y) then
    return part
  end
  local key = {}
  for d, size in ipairs(places.shape) do
    key[d] = { 1, size }
  end
  return embed(part, y, key)
end

local PLACES = { { 1, 4 }, { 2, 3 }, { 3, 1 } }

local rows = {
  narrow = {
    gradients = {
      function(g, _, x, d, start, length)
        start = start < 0 and start + x:size(d) + 1 or start
        return embed(g, x, key_at(x, d, { start, start + length - 1 }))
      end,
    },
    sample = function(randn) return randn(3, 5), 2, 2, 3 end,
  },
  select = {
    gradients = { function(g, _, x, d, i) return embed(g, x, key_at(x, d, i)) end },
    sample = function(randn) return randn(3, 5), -1, 2 end,
  },
  unfold = {
    gradients = {
      function(g, _, x, d, size, step)
        d = d < 0 and x.ndim + d + 1 or d
        local starts = core.arange(g:size(d)) * step + 1
        local places = starts:unsqueeze(2) + core.arange(size)
        local rows = g:movedim(-1, d + 1):flatten(d, d + 1)
        return zeros_like(x, g):index_add(d, places:reshape(-1), rows)
      end,
    },
    sample = function(randn) return randn(2, 7), 2, 3, 2 end,
  },
  diagonal = {
    gradients = {
      function(g, _, x, ...)
        local places = core.reshape(core.arange(1, x:numel() + 1), x.shape)
        return zeros_like(x, g):put(core.diagonal(places, ...), g)
      end,
    },
    sample = function(randn) return randn(3, 2, 4), -1, 3, 1 end,
  },
  index = {
    gradients = { function(g, _, x, key) return embed(g, x, key) end },
    sample = function(randn) return randn(4, 5), { { 1, -1, 2 }, 3 } end,
  },
  assign = {
    gradients = {
      function(g, _, _, key) return methods.assign(g:clone(), key, 0) end,
      [3] = function(g, _, _, key) return methods.index(g, key) end,
    },
    in_place = true,
  },
  index_select = {
    gradients = {
      function(g, _, x, dim, places) return zeros_like(x, g):index_add(dim, places, g) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor { 4, 1, 1 } end,
  },
  gather = {
    gradients = {
      function(g, _, x, dim, places) return zeros_like(x, g):scatter_add(dim, places, g) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor(PLACES) end,
  },
}

--- the gradient of what stood there: the product of the factors, also where it was 0 itself
local function base_gradient(g, x, dim, places, factors)
  local base = methods.where(x:eq(0), 1, x)
  return g * base:scatter_reduce(dim, places, factors, "prod") / base
end

--- the gradient of the factors: y / factor, but for a zero among them the product of the others
local function factors_gradient(g, y, x, dim, places, factors)
  local is_zero = factors:eq(0)
  local zeros = zeros_like(x, g):scatter_add(dim, places, is_zero:to(g.dtype))
  local alone = is_zero:logical_and(zeros:gather(dim, places):eq(1))
  local others = x:scatter_reduce(dim, places, methods.where(alone, 1, factors), "prod")
  return methods.where(alone, (g * others):gather(dim, places),
    (g * y):gather(dim, places) / methods.where(is_zero, 1, factors))
end

--- g shared among all that are the extreme y: x at its place, and elements of z that came there
local function shared(g, y, x, dim, places, z)
  local ties_x, ties_z = x:eq(y), z:eq(y:gather(dim, places))
  local count = ties_x:to(g.dtype):scatter_add(dim, places, ties_z:to(g.dtype))
  return g / count, ties_x, ties_z
end

rows.scatter_reduce = {
  gradients = {
    function(g, y, x, dim, places, z, way)
      if way == "sum" then
        return g
      elseif way == "prod" then
        return base_gradient(g, x, dim, places, z)
      end
      local share, ties = shared(g, y:detach(), x:detach(), dim, places, z:detach())
      return share * ties
    end,
    [4] = function(g, y, x, dim, places, z, way)
      if way == "sum" then
        return g:gather(dim, places)
      elseif way == "prod" then
        return factors_gradient(g, y, x, dim, places, z)
      end
      local share, _, ties = shared(g, y:detach(), x:detach(), dim, places, z:detach())
      return share:gather(dim, places) * ties
    end,
  },
  saves = { 1, 3, 4, "y" },
  sample = function(randn) return randn(3, 4), 2, core.tensor(PLACES), randn(3, 2), "prod" end,
}

-- What is written at positions. Of values written to one position one after the other, all get the
-- gradient of the last, as in PyTorch.
local changes = {
  index_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, places) return g:index_select(dim, places) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor { 4, 1, 1 }, randn(3, 3) end,
  },
  index_copy = {
    gradients = {
      function(g, _, _, dim, places) return g:index_fill(dim, places, 0) end,
      [4] = function(g, _, _, dim, places) return g:index_select(dim, places) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor { 4, 1 }, randn(3, 2) end,
  },
  index_fill = {
    gradients = {
      function(g, _, _, dim, places) return g:index_fill(dim, places, 0) end,
      [4] = function(g, _, _, dim, places) return (g - g:index_fill(dim, places, 0)):sum() end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 1, core.tensor { 3, 1 }, randn() end,
  },
  scatter = {
    gradients = {
      function(g, _, _, dim, places) return g:scatter(dim, places, 0) end,
      [4] = function(g, _, _, dim, places, y) return gathered(g, y, dim, places) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor(PLACES), randn(4, 2) end,
  },
  scatter_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, places, y) return gathered(g, y, dim, places) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor(PLACES), randn(3, 2) end,
  },
  put = {
    gradients = {
      function(g, _, _, places, _, accumulate)
        return accumulate and g or g:put(places, 0)
      end,
      [3] = function(g, _, _, places, y)
        local part = g:take(places)
        return part:numel() == y:numel() and part:reshape(y.shape) or part
      end,
    },
    saves = { 2 },
    sample = function(randn) return randn(3, 4), core.tensor { { 5, 1 }, { 12, 6 } }, randn(2) end,
  },
}
for name, row in pairs(changes) do
  rows[name] = row
  rows[name .. "_"] = setmetatable({ in_place = true }, { __index = row })
end

return rows
