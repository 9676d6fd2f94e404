--- Linear algebra under PyTorch's names.
--- Decompositions and solvers (tensor/linalg_factor.lua) and products (tensor/linalg.lua) are
--- functions of wrun and methods of tensors as well; the norms are only here, since wrun.norm is
--- another.

local factor = require "wrun.tensor.linalg_factor"
local names = require "wrun.names"
local norms = require "wrun.tensor.linalg_norm"
local products = require "wrun.tensor.linalg"
local publish = require "wrun.publish"

local M = {
  cross = products.cross,
  matmul = products.matmul,
  multi_dot = products.multi_dot,
  vecdot = products.vecdot,
}

publish.into(M, factor)
return names.closed("linalg", publish.into(M, norms))
