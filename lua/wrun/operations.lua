--- The operations that all else is made of: where a gradient is wanted, each records itself.
--- Elementwise operations are the rows of runtime/kernels/ops.def. Structural ones (sum, matmul,
--- index ...) are made by `operations.define` in the file of their topic, a row each:
---
---   gradients  a function for each argument that can have a gradient. It takes (g, y, ...): the
---              gradient of the result, the result if saved, and the arguments of the call, and
---              is written in tensor operations, so that gradients have gradients. It need not undo
---              broadcasting or conversion: the walk backward sums and converts to the argument's
---              shape and type.
---   kernels    what of the core computes the same where nothing is recorded; a gradient without one
---              may read only g and what is saved
---   together   all gradients at once where nothing is recorded, as `backward` has them
---   shapes     whether the kernels ask arguments that are not saved for their shapes
---   backward   in place of `gradients` where the number of arguments varies: all gradients at
---              once, from g, whether each argument wants one, and { result, arguments ... }
---   saves      the arguments (by number) and "y" whose values the gradients read; of other
---              arguments only the shape is kept
---   sample     arguments for the specs, given randn(sizes...) in float64
---   in_place   the call changes and returns its first argument
---   label      what the node is called, where PyTorch's name does not follow from the operation's
---
--- The kernels themselves, which record nothing, are in `wrun.unrecorded`.

local check = require "wrun.check"
local core = require "wrun.core"
local publish = require "wrun.publish"
local unrecorded = require "wrun.unrecorded"

local fail, graph = check.fail, core.graph

local M = publish.into({}, core.elementwise)

-- What has no gradient, or makes tensors anew.
local PLAIN = {
  "item", "tolist", "detach", "argmax", "argmin", "any", "all", "nonzero",
  "tensor", "empty", "zeros", "ones", "full", "eye", "arange", "linspace",
  "rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "poisson", "uniform_",
  "normal_", "exponential_", "cauchy_", "log_normal_", "geometric_", "bernoulli_", "random_",
}

for _, name in ipairs(PLAIN) do
  M[name] = unrecorded[name]
end

--- "log_softmax" -> "LogSoftmaxBackward0", as PyTorch names nodes
local function label_of(name)
  return (name:gsub("_*(%l)(%w*)_*", function(first, rest)
    return first:upper() .. rest
  end)) .. "Backward0"
end

-- A row is asked for its label only when somebody looks.
local Row = {}

function Row:__index(key)
  if key == "label" then
    return label_of(self.name)
  end
end

local function identity(x)
  return x
end

-- What derivatives call besides operations.
local function within(x, bound)
  return M.minimum(M.maximum(x, -bound), bound)
end

local function nonzero(x)
  return M.where(M.eq(x, 0), 1, x)
end

local function constant(f)
  return function(...)
    return unrecorded.detach(f(...))
  end
end

local LARGEST = { float32 = 0x1.fffffep127, float64 = 0x1.fffffffffffffp1023 }

--- f, computed in double: the terms of higher derivatives may be beyond float32 where their product
--- with others is not.
local function in_double(f)
  return function(...)
    local first = ...
    if first.dtype == "float64" then
      return f(...)
    end
    local wide = {}
    for i, x in ipairs { ... } do
      wide[i] = M.to(x, "float64")
    end
    return M.to(f(table.unpack(wide)), first.dtype)
  end
end

--- a / hypot(a, b). Where a is the larger, 1 / hypot(1, b / a): the derivative of a / hypot(a, b) is
--- the difference of two equal terms there.
local cosine = in_double(function(a, b)
  local is_larger = M.gt(M.abs(a), M.abs(b))
  local tangent = M.where(is_larger, b / M.where(is_larger, a, 1), 0)
  return M.where(is_larger, M.sign(a) / M.hypot(tangent, 1),
    within(a, LARGEST.float64) / within(nonzero(M.hypot(a, b)), LARGEST.float64))
end)

--- x / (a^2 + b^2), by the larger of a and b: the square may be beyond the dtype.
local over_squares = in_double(function(x, a, b)
  local is_larger = M.gt(M.abs(a), M.abs(b))
  local larger = nonzero(M.where(is_larger, a, b))
  local ratio = M.where(is_larger, b, a) / larger
  return x / larger / (M.square(ratio) + 1) / larger
end)

--- The derivative of a row of ops.def as a function over tensors, for gradients of gradients. What
--- is constant in pieces has no gradient: not 0 times that of its argument, which may be infinite.
local function compile(text, dtype)
  local environment = setmetatable({
    real = identity, within = within, nonzero = nonzero, LARGEST = LARGEST[dtype],
    cosine = cosine, over_squares = over_squares,
    floor_divide = constant(M.floor_divide), rint = constant(M.round), sign = constant(M.sign),
  }, { __index = M })
  local code = "local g, y, x, b, c = ...; local a = x; return " .. text
  return load(code, "=wrun.derivative", "t", environment)
end

-- g, which depends on x, with a derivative of 0.
local depending = graph.differentiable(setmetatable({
  name = "depending",
  gradients = {
    function(g)
      return g
    end,
    function(g, _, _, x)
      return M.zeros(x.shape, { dtype = g.dtype })
    end,
  },
}, Row), unrecorded.detach, 0)

local function as_tensors(dtype, ...)
  local values = { ... }
  for i = 1, select("#", ...) do
    if not check.is_tensor(values[i]) then
      values[i] = M.tensor(values[i], { dtype = dtype })
    end
  end
  return table.unpack(values, 1, select("#", ...))
end

local VARIABLES = { "[xa]", "b", "c", "y" } -- as compile names them

--- which of the arguments, and of 4, the result, a derivative reads
local function read_by(text)
  local read = {}
  for i, name in ipairs(VARIABLES) do
    read[i] = text:find("%f[%w_]" .. name .. "%f[^%w_]") ~= nil
  end
  return read
end

--- The gradients of a row of ops.def: its texts, which the walk has compiled, for walks that are
--- themselves recorded. A gradient that only chooses by y and the arguments depends on them, too.
local function elementwise_row(operation)
  local gradients = {}
  for i, text in ipairs(operation.derivatives) do
    local compiled, read = {}, read_by(text)
    gradients[i] = function(g, y, ...)
      local dtype = g.dtype
      compiled[dtype] = compiled[dtype] or compile(text, dtype)
      local dx, values = compiled[dtype](g, y, as_tensors(dtype, ...)), { [4] = y, ... }
      for k = 1, dx.requires_grad and 0 or 4 do
        local value = read[k] and values[k]
        if check.is_tensor(value) and value.requires_grad then
          return depending(dx, value)
        end
      end
      return dx
    end
  end
  return setmetatable({ name = operation.name, gradients = gradients }, Row)
end

local function structural_row(name, row)
  local kernels
  if row.kernels then
    kernels = {}
    for i, gradient in ipairs(row.gradients) do
      kernels[i] = unrecorded[row.kernels[i]] or gradient
    end
  end
  return setmetatable({
    name = name,
    label = row.label,
    gradients = row.gradients,
    kernels = kernels,
    shapes = row.shapes,
    backward = row.backward,
    together = row.together,
  }, Row)
end

--- the mask of bind_autograd.c: bit 0 the result, bit i argument i, bit 32 in place
local function mask_of(row)
  local mask = row.in_place and 1 << 32 or 0
  for _, what in ipairs(row.saves or {}) do
    mask = mask | (what == "y" and 1 or 1 << what)
  end
  return mask
end

-- by number, each made when it is first recorded
local elementwise
graph.set_rows(setmetatable({}, {
  __index = function(rows, op)
    elementwise = elementwise or core.elementwise_rows()
    rows[op] = elementwise_row(elementwise[op])
    return rows[op]
  end,
}))

local by_name

--- Returns the gradients of a row of ops.def, functions as a row here has them.
function M.gradients_of(name)
  if by_name == nil then
    by_name = {}
    for _, row in ipairs(core.elementwise_rows()) do
      by_name[row.name] = row
    end
  end
  return elementwise_row(by_name[name]).gradients
end

--- The rows of structural operations by name, for the specs.
M.rows = {}

local defined_by = {} -- name -> topic

--- Adds structural operations: each computes as the kernel of its name does, and records itself.
---@param topic string the file that defines them; it may do so again, if it failed at first
function M.define(topic, rows)
  for name, row in pairs(rows) do
    local there = rawget(M, name)
    if there and defined_by[name] ~= topic or not unrecorded[name] then
      fail("define: %s: there is %s", name, there and "such an operation already"
        or "no such kernel")
    end
    M.rows[name], defined_by[name] = row, topic
    M[name] = graph.differentiable(structural_row(name, row), unrecorded[name], mask_of(row))
  end
end

return M
