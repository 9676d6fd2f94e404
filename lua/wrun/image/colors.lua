--- Colour maps: a colour for each number from 0 to 1.

local wrun = require "wrun"

local M = {}

local STEPS = 256

-- Red, green and blue at equal distances; between them colours are mixed.
local MAPS = {
  -- dark blue to yellow, evenly lighter, also to the colour-blind and in print
  viridis = {
    0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21908C, 0x27AD81, 0x5DC863, 0xAADC32, 0xFDE725,
  },
  -- blue for little, white in the middle, red for much
  diverging = {
    0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B,
  },
}

--- The names of the maps, grey first.
M.NAMES = { "grey", "viridis", "diverging" }

local function channels(color)
  return { color >> 16, color >> 8 & 0xFF, color & 0xFF }
end

-- name -> [256, 3]
local tables = {}

local function table_of(name)
  if not tables[name] then
    local map, rows = MAPS[name], {}
    for step = 0, STEPS - 1 do
      local at = step / (STEPS - 1) * (#map - 1)
      local i = math.min(math.floor(at), #map - 2)
      local low, high = channels(map[i + 1]), channels(map[i + 2])
      rows[step + 1] = {}
      for c = 1, 3 do
        rows[step + 1][c] = (low[c] + (high[c] - low[c]) * (at - i)) / 255
      end
    end
    tables[name] = wrun.tensor(rows, { dtype = "float32" })
  end
  return tables[name]
end

--- Returns the colours of numbers.
--- shapes  x [n, 1, height, width] -> [n, 3, height, width], of the map "grey" x itself
--- domain  x from 0 to 1
--- source  viridis: the R package viridisLite; diverging: RdBu of [Brewer2003]
---@param x wrun.Tensor
---@param name string
---@return wrun.Tensor
function M.apply(x, name)
  if name == "grey" then
    return x
  end
  local n, _, height, width = table.unpack(x.shape)
  local index = (x * (STEPS - 1)):round():long():reshape(-1) + 1
  return table_of(name):index_select(1, index):reshape(n, height, width, 3):permute(1, 4, 2, 3)
end

return M
