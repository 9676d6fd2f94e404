--- Neural networks: modules, layers, losses, and the initialisers that start their weights.

local activation = require "wrun.nn.activation"
local losses = require "wrun.nn.losses"
local similarity = require "wrun.nn.similarity"

local M = {
  CosineSimilarity = similarity.CosineSimilarity,
  Dropout = require "wrun.nn.dropout",
  Linear = require "wrun.nn.linear",
  Module = require "wrun.nn.module",
  PairwiseDistance = similarity.PairwiseDistance,
  Parameter = require "wrun.nn.parameter",
  Sequential = require "wrun.nn.container",
  functional = require "wrun.nn.functional",
  init = require "wrun.nn.init",
}

-- ReLU and the other layers without parameters, and the losses
for _, kind in ipairs { activation, losses } do
  for name, class in pairs(kind) do
    M[name] = class
  end
end

return M
