--- Neural networks: modules, layers, losses, and the initialisers that start their weights.

local names = require "wrun.names"

return names.closed("nn", {}, {
  Bilinear = { "wrun.nn.bilinear" },
  CosineSimilarity = { "wrun.nn.similarity", "CosineSimilarity" },
  Embedding = { "wrun.nn.embedding" },
  Linear = { "wrun.nn.linear" },
  Module = { "wrun.nn.module" },
  PairwiseDistance = { "wrun.nn.similarity", "PairwiseDistance" },
  Parameter = { "wrun.nn.parameter" },
  functional = { "wrun.nn.functional" },
  functional_call = { "wrun.nn.state", "functional_call" },
  init = { "wrun.nn.init" },
  utils = { "wrun.nn.utils" },
}, {
  "wrun.nn.container",
  "wrun.nn.activation",
  "wrun.nn.dropout",
  "wrun.nn.losses",
  "wrun.nn.flatten",
  "wrun.nn.normalization",
})
