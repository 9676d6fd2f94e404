--- Neural networks: modules, layers, losses, and the initialisers that start their weights.

local names = require "wrun.names"
local publish = require "wrun.publish"
local similarity = require "wrun.nn.similarity"

local M = {
  Bilinear = require "wrun.nn.bilinear",
  CosineSimilarity = similarity.CosineSimilarity,
  Embedding = require "wrun.nn.embedding",
  Linear = require "wrun.nn.linear",
  Module = require "wrun.nn.module",
  PairwiseDistance = similarity.PairwiseDistance,
  Parameter = require "wrun.nn.parameter",
  functional = require "wrun.nn.functional",
  functional_call = require("wrun.nn.state").functional_call,
  init = require "wrun.nn.init",
  utils = require "wrun.nn.utils",
}

publish.into(M, require "wrun.nn.activation")
publish.into(M, require "wrun.nn.container")
publish.into(M, require "wrun.nn.dropout")
publish.into(M, require "wrun.nn.flatten")
publish.into(M, require "wrun.nn.losses")
publish.into(M, require "wrun.nn.normalization")

return names.closed("nn", M)
