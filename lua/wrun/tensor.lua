--- The functions of tensors, all of them, and the methods they make.
--
-- Each file below publishes those of its topic; elementwise operations have their rows in
-- runtime/ops.def. Returns the table of functions; those whose first argument is a tensor are its
-- methods too.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local arranging = require "wrun.tensor.arranging"
local constructors = require "wrun.tensor.constructors"
local counting = require "wrun.tensor.counting"
local diagonals = require "wrun.tensor.diagonals"
local einsum = require "wrun.tensor.einsum"
local elements = require "wrun.tensor.elements"
local factor = require "wrun.tensor.factor"
local format = require "wrun.tensor.format"
local functions = require "wrun.tensor.functions"
local indexing = require "wrun.tensor.indexing"
local joining = require "wrun.tensor.joining"
local likes = require "wrun.tensor.likes"
local masks = require "wrun.tensor.masks"
local operations = require "wrun.tensor.operations"
local parts = require "wrun.tensor.parts"
local products = require "wrun.tensor.products"
local random = require "wrun.tensor.random"
local reductions = require "wrun.tensor.reductions"
local scans = require "wrun.tensor.scans"
local shape = require "wrun.tensor.shape"
local sorting = require "wrun.tensor.sorting"
local statistics = require "wrun.tensor.statistics"

local M = {}

local TOPICS = {
  operations,
  arranging,
  constructors,
  counting,
  diagonals,
  einsum,
  elements,
  factor,
  functions,
  indexing,
  joining,
  likes,
  masks,
  parts,
  products,
  random,
  reductions,
  scans,
  shape,
  sorting,
  statistics,
}

for _, topic in ipairs(TOPICS) do
  for name, f in pairs(topic) do
    M[name] = f
  end
end

M.backward = autograd.backward

-- functions that take no tensor first are no methods
local NO_METHODS = {
  stack = true, Generator = true, default_generator = true, manual_seed = true, initial_seed = true,
  seed = true, get_rng_state = true, set_rng_state = true, fork_rng = true,
  is_tensor = true, einsum = true, multi_dot = true, hstack = true, vstack = true,
  meshgrid = true, cartesian_prod = true, broadcast_tensors = true, tril_indices = true,
  triu_indices = true,
}

for name, f in pairs(M) do
  if not constructors[name] and not NO_METHODS[name] then
    core.methods[name] = f
  end
end
core.methods._view_index, core.methods._view_assign = operations.index, operations.assign
core.Tensor.__tostring = format.tensor

return M
