--- The operations that everything else is made of: the core's own, those that record themselves,
--- and the functions that make tensors.

local core = require "wrun.core"
local autograd = require "wrun.autograd"

local M = {}

-- functions that make tensors from none
local CONSTRUCTORS = {
  "tensor", "empty", "zeros", "ones", "full", "eye", "arange", "linspace",
  "rand", "randn", "randint", "randperm",
}

-- functions of the core that record nothing
local PLAIN = {
  "size", "stride", "numel", "dim", "is_contiguous", "item", "tolist", "detach",
  "argmax", "argmin", "any", "all", "bernoulli", "multinomial",
  "uniform_", "normal_", "exponential_", "bernoulli_", "random_",
}

for _, names in ipairs { CONSTRUCTORS, PLAIN } do
  for _, name in ipairs(names) do
    M[name] = core[name]
  end
end
for _, operation in ipairs(core.operations()) do
  M[operation.name] = core[operation.name]
  M[operation.name .. "_"] = core[operation.name .. "_"]
end
for name, f in pairs(autograd.structural) do
  M[name] = f
end

return M
