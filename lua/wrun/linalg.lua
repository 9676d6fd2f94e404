--- Linear algebra under PyTorch's names.
---
--- Decompositions and solvers (tensor/linalg_factor.lua) and products (tensor/linalg.lua) are
--- functions of wrun and methods of tensors as well; the norms are only here, since wrun.norm is
--- another.

local factor = require "wrun.tensor.linalg_factor"
local norms = require "wrun.tensor.linalg_norm"
local products = require "wrun.tensor.linalg"

local M = {}

for _, name in ipairs { "cross", "matmul", "multi_dot", "vecdot" } do
  M[name] = products[name]
end
for _, part in ipairs { factor, norms } do
  for name, f in pairs(part) do
    M[name] = f
  end
end

return M
