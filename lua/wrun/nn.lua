--- Neural networks: modules, layers, losses, and the initialisers that start their weights.

local activation = require "wrun.nn.activation"
local container = require "wrun.nn.container"
local dropout = require "wrun.nn.dropout"
local losses = require "wrun.nn.losses"
local normalization = require "wrun.nn.normalization"
local similarity = require "wrun.nn.similarity"

local M = {
  Bilinear = require "wrun.nn.bilinear",
  CosineSimilarity = similarity.CosineSimilarity,
  Embedding = require "wrun.nn.embedding",
  Linear = require "wrun.nn.linear",
  Module = require "wrun.nn.module",
  PairwiseDistance = similarity.PairwiseDistance,
  Parameter = require "wrun.nn.parameter",
  Unflatten = require "wrun.nn.unflatten",
  functional = require "wrun.nn.functional",
  init = require "wrun.nn.init",
  utils = require "wrun.nn.utils",
}

-- kinds that share a file
for _, kind in ipairs { activation, container, dropout, losses, normalization } do
  for name, class in pairs(kind) do
    M[name] = class
  end
end

return M
