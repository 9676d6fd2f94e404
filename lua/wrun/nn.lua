--- Neural networks: modules, layers, losses, and the initialisers that start their weights.

local M = {
  CrossEntropyLoss = require "wrun.nn.loss",
  Dropout = require "wrun.nn.dropout",
  Linear = require "wrun.nn.linear",
  MSELoss = require "wrun.nn.mse",
  Module = require "wrun.nn.module",
  Parameter = require "wrun.nn.parameter",
  Sequential = require "wrun.nn.container",
  init = require "wrun.nn.init",
}

-- ReLU and the other layers without parameters
for name, layer in pairs(require "wrun.nn.activation") do
  M[name] = layer
end

return M
