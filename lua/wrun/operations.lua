--- The operations that all else is made of: where a gradient is wanted, each records itself.
---
--- Elementwise operations are the rows of runtime/kernels/ops.def. Structural ones (sum, matmul,
--- index ...) are made by `operations.define` in the file of their topic, a row each:
---
---   gradients  a function for each argument that can have a gradient. It takes (g, y, ...): the
---              gradient of the result, the result if saved, and the arguments of the call, and
---              is written in tensor operations, so that gradients have gradients. It need not undo
---              broadcasting or conversion: the walk backward sums and converts to the argument's
---              shape and type.
---   backward   in place of `gradients` where the number of arguments varies: all gradients at
---              once, from g, the arguments that want one, and { result, arguments ... }
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

-- Rows, as the walk uses them ------------------------------------------------
-- row.backward(g, node, edges) returns a gradient for each argument that has an edge.

--- "log_softmax" -> "LogSoftmaxBackward0", as PyTorch names nodes
local function label_of(name)
  return (name:gsub("_*(%l)(%w*)_*", function(first, rest)
    return first:upper() .. rest
  end)) .. "Backward0"
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

local LARGEST = { float32 = 0x1.fffffep127, float64 = 0x1.fffffffffffffp1023 }

--- The derivative of a row of ops.def as a function over tensors, for gradients of gradients.
local function compile(text, dtype)
  local environment = setmetatable({
    real = identity, within = within, nonzero = nonzero, LARGEST = LARGEST[dtype],
  }, { __index = M })
  local code = "local g, y, x, b, c = ...; local a = x; return " .. text
  return load(code, "=wrun.derivative", "t", environment)
end

--- result and arguments of an elementwise call, numbers as tensors
local function elementwise_values(node, arity, dtype)
  local values = { graph.saved(node) }
  for k = 2, arity + 1 do
    if not check.is_tensor(values[k]) then
      values[k] = M.tensor(values[k], { dtype = dtype })
    end
  end
  return values
end

local function elementwise_row(op, operation)
  local texts, arity, compiled = operation.derivatives, operation.arity, {}
  local function gradient(i, g, node)
    if texts[i] == "g" then
      return g
    elseif texts[i] == "0" then
      return M.zeros(g.shape, { dtype = g.dtype })
    elseif not graph.is_grad_enabled() then
      return graph.fused_gradient(node, i, g, op)
    end
    local key = g.dtype .. i
    compiled[key] = compiled[key] or compile(texts[i], g.dtype)
    return compiled[key](g, table.unpack(elementwise_values(node, arity, g.dtype), 1, arity + 1))
  end
  return {
    name = operation.name,
    label = label_of(operation.name),
    backward = function(g, node, edges)
      local results = {}
      for i = 1, arity do
        results[i] = edges[i] and gradient(i, g, node)
      end
      return results
    end,
  }
end

local function structural_row(name, row)
  local gradients, backward = row.gradients, row.backward
  return {
    name = name,
    label = row.label or label_of(name),
    backward = function(g, node, edges)
      local values, results = table.pack(graph.saved(node)), {}
      if backward then
        return backward(g, edges, values)
      end
      for i = 1, edges.count do
        if edges[i] and gradients[i] then
          results[i] = gradients[i](g, table.unpack(values, 1, values.n))
        end
      end
      return results
    end,
  }
end

--- the mask of bind_autograd.c: bit 0 the result, bit i argument i, bit 32 in place
local function mask_of(row)
  local mask = row.in_place and 1 << 32 or 0
  for _, what in ipairs(row.saves or {}) do
    mask = mask | (what == "y" and 1 or 1 << what)
  end
  return mask
end

local numbered = {}
for op, operation in ipairs(core.elementwise_rows()) do
  numbered[op] = elementwise_row(op, operation)
end
graph.set_rows(numbered)

--- The rows of structural operations by name, for the specs.
M.rows = {}

local defined_by = {} -- name -> topic

--- Adds structural operations: each computes as the kernel of its name does, and records itself.
--- domain  rows as the head of this file says
---@param topic string the file that defines them; it may do so again, if it failed at first
---@param rows table<string, table>
function M.define(topic, rows)
  for name, row in pairs(rows) do
    if M[name] and defined_by[name] ~= topic or not unrecorded[name] then
      fail("define: %s: there is %s", name, M[name] and "such an operation already"
        or "no such kernel")
    end
    M.rows[name], defined_by[name] = row, topic
    M[name] = graph.differentiable(structural_row(name, row), unrecorded[name], mask_of(row))
  end
end

return M
