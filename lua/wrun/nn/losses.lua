--- The losses: each a class, whose functional form is its `call`.

local publish = require "wrun.publish"

local M = {}

publish.into(M, require "wrun.nn.losses.classification")
publish.into(M, require "wrun.nn.losses.distance")
publish.into(M, require "wrun.nn.losses.margin")
publish.into(M, require "wrun.nn.losses.probability")

return M
