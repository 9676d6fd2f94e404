--- The losses: each a class, whose functional form is its `call`.

local classification = require "wrun.nn.losses.classification"
local distance = require "wrun.nn.losses.distance"
local margin = require "wrun.nn.losses.margin"
local probability = require "wrun.nn.losses.probability"

local M = {}

for _, kind in ipairs { classification, distance, margin, probability } do
  for name, loss in pairs(kind) do
    M[name] = loss
  end
end

return M
