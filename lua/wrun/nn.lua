--- Neural networks: modules, layers, losses, and the initialisers that start their weights.

local activation = require("wrun.nn.activation")

return {
  CrossEntropyLoss = require("wrun.nn.loss"),
  Flatten = activation.Flatten,
  Identity = activation.Identity,
  Linear = require("wrun.nn.linear"),
  Module = require("wrun.nn.module"),
  Parameter = require("wrun.nn.parameter"),
  ReLU = activation.ReLU,
  Sequential = require("wrun.nn.container"),
  Sigmoid = activation.Sigmoid,
  Tanh = activation.Tanh,
  init = require("wrun.nn.init"),
}
