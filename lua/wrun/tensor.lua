--- The functions of tensors, all of them, and the methods they make.
--- Each file below publishes those of its topic, under the name that its kernel and its binding
--- have in runtime/; elementwise operations have their rows in runtime/kernels/ops.def. Returns the
--- table of functions; those whose first argument is a tensor are its methods too.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local format = require "wrun.tensor.internal.format"
local habits = require "wrun.tensor.internal.habits"
local operations = require "wrun.operations"
local publish = require "wrun.publish"

local TOPICS = {
  require "wrun.tensor.arrange",
  require "wrun.tensor.count",
  require "wrun.tensor.create",
  require "wrun.tensor.diagonal",
  require "wrun.tensor.einsum",
  require "wrun.tensor.elementwise",
  require "wrun.tensor.generator",
  require "wrun.tensor.index",
  require "wrun.tensor.join",
  require "wrun.tensor.linalg",
  require "wrun.tensor.linalg_factor",
  require "wrun.tensor.mask",
  require "wrun.tensor.neural",
  require "wrun.tensor.random",
  require "wrun.tensor.reduce",
  require "wrun.tensor.scan",
  require "wrun.tensor.sort",
  require "wrun.tensor.statistics",
  require "wrun.tensor.tensor",
  require "wrun.tensor.view",
}

local M = {}

for _, name in ipairs { "backward", "register_hook", "retain_grad" } do
  M[name], core.methods[name] = autograd[name], autograd[name]
end

for _, topic in ipairs(TOPICS) do
  publish.into(M, topic)
  for name, f in pairs(topic) do
    core.methods[name] = publish.is_method(topic, name) and f or core.methods[name]
  end
end

-- t[key] where there is no tensor in the key
core.methods._view_index, core.methods._view_assign = operations.index, operations.assign
core.methods._missing, core.methods._called = habits.missing, habits.called
core.Tensor.__tostring, core.Tensor.__concat = format.tensor, habits.concat
core.Tensor.__lt, core.Tensor.__le = habits.compare, habits.compare
core.Tensor.__bnot = M.bitwise_not
core.Tensor.__call, core.Tensor.__pairs = habits.call, habits.pairs
debug.setmetatable(true, { __index = habits.of_boolean })
for _, sizes in ipairs { core.Size, core.Stride } do
  sizes.__eq, sizes.__tostring, sizes.__concat = core.same_shape, format.sizes, habits.concat
  sizes.__index, sizes.__call = habits.size_at, habits.call_size
end

return M
