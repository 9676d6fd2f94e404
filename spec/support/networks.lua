--- Networks that specs of starts look at.

local wrun = require "wrun"

local nn = wrun.nn

local M = {}

--- Returns a network of `depth` hidden layers of a width, each followed by activation(), whose
--- weights start by rule(weight) and whose biases are 0.
---@param o { inputs: integer, width: integer, depth: integer, outputs: integer, activation: function, rule: function }
function M.deep(o)
  local layers, inputs = {}, o.inputs
  local function add(outputs)
    local layer = nn.Linear(inputs, outputs)
    o.rule(layer.weight)
    layer.bias:detach():zero_()
    layers[#layers + 1] = layer
    inputs = outputs
  end
  for _ = 1, o.depth do
    add(o.width)
    layers[#layers + 1] = o.activation()
  end
  add(o.outputs)
  return nn.Sequential(table.unpack(layers))
end

return M
