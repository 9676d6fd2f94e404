--- Derivatives of parts: stretches, positions, and places picked one by one.

local common = require "wrun.derivatives.common"
local core = require "wrun.core"

local to_same, zeros_like = common.to_same, common.zeros_like

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

return {
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
  index = {
    gradients = { function(g, _, x, key) return embed(g, x, key) end },
    sample = function(randn) return randn(4, 5), { { 1, -1, 2 }, 3 } end,
  },
  assign = {
    gradients = {
      function(g, _, _, key) return core.methods.assign(g:clone(), key, 0) end,
      [3] = function(g, _, _, key) return core.methods.index(g, key) end,
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
  index_add = {
    gradients = {
      to_same,
      [4] = function(g, _, _, dim, places) return g:index_select(dim, places) end,
    },
    saves = { 3 },
    sample = function(randn) return randn(3, 4), 2, core.tensor { 4, 1, 1 }, randn(3, 3) end,
  },
  gather = {
    gradients = {
      function(g, _, x, dim, places) return zeros_like(x, g):scatter_add(dim, places, g) end,
    },
    saves = { 3 },
    sample = function(randn)
      return randn(3, 4), 2, core.tensor { { 1, 4 }, { 2, 2 }, { 3, 1 } }
    end,
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
  },
}
