--- A layer as an experiment defines one: y = x + gain * tanh(W x + b), with a gain for each unit.
---
--- A file of its own lets the script that trains it and the spec that tests it both require it.

local wrun = require "wrun"
local nn = wrun.nn

local Residual = nn.Module:extend("Residual")

function Residual:init(width)
  self.inner = nn.Linear(width, width)
  self.gain = nn.Parameter(wrun.full({ width }, 0.1))
end

function Residual:forward(x)
  return x + self.gain * self.inner(x):tanh()
end

return Residual
