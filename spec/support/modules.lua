--- A module with some of everything, and the names that its walks give.

local wrun = require "wrun"

local nn = wrun.nn

local M = {}

local Net = nn.Module:extend("Net")

function Net:init()
  self.second = nn.Linear(3, 2)
  self.scale = nn.Parameter(wrun.ones(1))
  self.first = nn.Linear(4, 3, { bias = false })
  self.width = 3
  self:register_buffer("count", wrun.tensor({ 5 }))
  self:register_buffer("scratch", wrun.zeros(2), { persistent = false })
end

function Net:forward(x)
  return self.second(self.first(x)) * self.scale
end

M.Net = Net

--- Returns what an iterator gives first, as a list.
function M.names_of(iterator)
  local names = {}
  for name in iterator do
    names[#names + 1] = name
  end
  return names
end

--- Returns the keys of a table in the order of `pairs`.
function M.keys_of(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  return keys
end

return M
