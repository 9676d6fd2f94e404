--- The functions that make tensors from none; all others are methods of tensors too.

local core = require "wrun.core"

local M = {}

for _, name in ipairs {
  "tensor", "empty", "zeros", "ones", "full", "eye", "arange", "linspace",
  "rand", "randn", "randint", "randperm",
} do
  M[name] = core[name]
end

return M
