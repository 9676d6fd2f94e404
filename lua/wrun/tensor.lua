--- The functions of tensors, all of them, and the methods they make.
--
-- Each file below publishes those of its topic; elementwise operations have their rows in
-- runtime/ops.def. Returns the table of functions; those whose first argument is a tensor are its
-- methods too.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local arranging = require "wrun.arranging"
local constructors = require "wrun.constructors"
local counting = require "wrun.counting"
local diagonals = require "wrun.diagonals"
local einsum = require "wrun.einsum"
local elements = require "wrun.elements"
local factor = require "wrun.factor"
local format = require "wrun.format"
local functions = require "wrun.functions"
local indexing = require "wrun.indexing"
local joining = require "wrun.joining"
local likes = require "wrun.likes"
local masks = require "wrun.masks"
local operations = require "wrun.operations"
local parts = require "wrun.parts"
local products = require "wrun.products"
local random = require "wrun.random"
local reductions = require "wrun.reductions"
local scans = require "wrun.scans"
local shape = require "wrun.shape"
local sorting = require "wrun.sorting"
local statistics = require "wrun.statistics"

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
