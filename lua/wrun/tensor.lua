--- The functions of tensors, all of them, and the methods they make.
--- Each file below has those of its topic, under the name that its kernel and its binding have in
--- runtime/; elementwise operations have their rows in runtime/kernels/ops.def. Returns the table of
--- functions; those whose first argument is a tensor are its methods too. A topic is loaded when one
--- of its functions, methods or operations is first touched.

local core = require "wrun.core"
local autograd = require "wrun.autograd"
local habits = require "wrun.tensor.internal.habits"
local names = require "wrun.names"
local operations = require "wrun.operations"
local publish = require "wrun.publish"

-- Those that most scripts need come first.
local TOPICS = {
  "wrun.tensor.create",
  "wrun.tensor.tensor",
  "wrun.tensor.random",
  "wrun.tensor.elementwise",
  "wrun.tensor.generator",
  "wrun.tensor.view",
  "wrun.tensor.reduce",
  "wrun.tensor.linalg",
  "wrun.tensor.neural",
  "wrun.tensor.index",
  "wrun.tensor.mask",
  "wrun.tensor.join",
  "wrun.tensor.sort",
  "wrun.tensor.scan",
  "wrun.tensor.count",
  "wrun.tensor.statistics",
  "wrun.tensor.arrange",
  "wrun.tensor.diagonal",
  "wrun.tensor.linalg_factor",
  "wrun.tensor.einsum",
}

local M = {}

for name in next, core.methods do
  core.methods[name] = nil -- an earlier opening's, whose names are not those of this one's tables
end
for _, name in ipairs { "backward", "register_hook", "retain_grad" } do
  M[name], core.methods[name] = autograd[name], autograd[name]
end

local load = names.loader(TOPICS, function(topic)
  names.fill(M, topic)
  for name, f in pairs(topic) do
    core.methods[name] = publish.is_method(topic, name) and f or rawget(core.methods, name)
  end
end)

for _, t in ipairs { M, core.methods, operations, operations.rows } do
  setmetatable(t, {
    load = load,
    __index = load,
    __pairs = function()
      load(t)
      return next, t
    end,
  })
end

core.methods._missing, core.methods._called = habits.missing, habits.called
core.Tensor.__concat, core.Tensor.__lt, core.Tensor.__le = habits.concat, habits.compare,
  habits.compare
core.Tensor.__call, core.Tensor.__pairs = habits.call, habits.pairs
function core.Tensor.__bnot(x)
  return M.bitwise_not(x)
end
function core.Tensor.__tostring(x)
  return require("wrun.tensor.internal.format").tensor(x)
end
debug.setmetatable(true, { __index = habits.of_boolean })
for _, sizes in ipairs { core.Size, core.Stride } do
  sizes.__eq, sizes.__concat = core.same_shape, habits.concat
  sizes.__index, sizes.__call = habits.size_at, habits.call_size
  function sizes.__tostring(list)
    return require("wrun.tensor.internal.format").sizes(list)
  end
end

return M
