--- The operations that all else is made of: the core's own, and those that record themselves.

local core = require "wrun.core"
local autograd = require "wrun.autograd"

local M = {}

-- functions of the core that record nothing
local PLAIN = {
  "size", "stride", "numel", "dim", "is_contiguous", "item", "tolist", "detach",
  "argmax", "argmin", "any", "all", "nonzero", "bernoulli", "multinomial", "poisson",
  "uniform_", "normal_", "exponential_", "cauchy_", "log_normal_", "geometric_", "bernoulli_",
  "random_",
}

for _, name in ipairs(PLAIN) do
  M[name] = core[name]
end
for _, operation in ipairs(core.operations()) do
  M[operation.name] = core[operation.name]
  M[operation.name .. "_"] = core[operation.name .. "_"]
end
for name, f in pairs(autograd.structural) do
  if name:sub(1, 1) ~= "_" then -- what factor.lua makes its functions of
    M[name] = f
  end
end

return M
