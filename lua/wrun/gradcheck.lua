--- Gradients against finite differences.

local check = require "wrun.check"
local core = require "wrun.core"
local autograd = require "wrun.autograd"

local fail = core.fail

local M = {}

local OPTIONS = {
  eps = check.number(1e-6, 0),
  atol = check.number(1e-5, 0),
  rtol = check.number(1e-3, 0),
}

local function differentiable(inputs)
  local list = {}
  for i = 1, inputs.n do
    if core.is_tensor(inputs[i]) and inputs[i].requires_grad then
      list[#list + 1] = i
    end
  end
  return list
end

local function call(f, inputs)
  local y = f(table.unpack(inputs, 1, inputs.n))
  if not core.is_tensor(y) then
    fail("gradcheck: expected the function to return a tensor, got %s", core.describe(y))
  end
  return y
end

--- the derivative of sum(y * weights) with respect to element k of inputs[i], by central
--- differences
local function numeric(f, inputs, i, k, weights, eps)
  local flat = inputs[i]:detach():reshape(-1)
  local value = flat[k]:item()
  local function at(shift)
    return autograd.no_grad(function()
      local moved = flat:clone()
      moved[k] = value + shift
      local changed = table.move(inputs, 1, inputs.n, 1, { n = inputs.n })
      changed[i] = moved:reshape(inputs[i].shape)
      return (call(f, changed):double() * weights):sum():item()
    end)
  end
  return (at(eps) - at(-eps)) / (2 * eps)
end

--- Compares the gradients of f with central differences, for every element of every input that
--- requires one.
---
--- Inputs should be float64: differences in float32 are mostly rounding. The walk backward is run
--- twice and must give the same bits.
---@param f function  tensors (and other values) -> one tensor
---@param inputs table  the arguments; `n` where some are nil
---@param options? { eps: number, atol: number, rtol: number }  step 1e-6 and tolerances 1e-5, 1e-3
---@return boolean  true; raises where they differ, naming input, element and both values
function M.gradcheck(f, inputs, options)
  local o = check.options("gradcheck", options, OPTIONS)
  inputs = table.move(inputs, 1, inputs.n or #inputs, 1, { n = inputs.n or #inputs })
  local places = differentiable(inputs)
  if #places == 0 then
    fail("gradcheck: expected at least one input that requires a gradient")
  end
  local y = call(f, inputs)
  -- fixed weights of varied size tell elements apart
  local weights = core.linspace(0.5, 1.5, y:numel(), { dtype = "float64" }):reshape(y.shape)
  local function analytic()
    local wanted = {}
    for k, i in ipairs(places) do
      wanted[k] = inputs[i]
    end
    local result = call(f, inputs)
    if not result.requires_grad then
      return {} -- nothing recorded: the derivatives are zero, or missing
    end
    return table.pack(autograd.grad(result, wanted, {
      grad_outputs = weights:to(y.dtype),
      allow_unused = true,
    }))
  end
  local first, second = analytic(), analytic()
  for n, i in ipairs(places) do
    local g = first[n] or core.zeros(inputs[i].shape, { dtype = inputs[i].dtype })
    local is_comparable = first[n] and not first[n]:isnan():any():item()
    if is_comparable and not first[n]:detach():equal(second[n]:detach()) then
      fail("gradcheck: input %d: two runs gave different gradients", i)
    end
    local flat = g:detach():reshape(-1)
    for k = 1, flat:numel() do
      local got, expected = flat[k]:item(), numeric(f, inputs, i, k, weights, o.eps)
      local is_near = math.abs(got - expected) <= o.atol + o.rtol * math.abs(expected)
      if not is_near then
        fail("gradcheck: input %d, element %d: expected the derivative %.9g by differences, "
          .. "got %.9g", i, k, expected, got)
      end
    end
  end
  return true
end

--- Checks the gradients of the gradients of f in the same way.
function M.gradgradcheck(f, inputs, options)
  inputs = table.move(inputs, 1, inputs.n or #inputs, 1, { n = inputs.n or #inputs })
  local places = differentiable(inputs)
  local function gradients(...)
    local arguments = table.pack(...)
    return autograd.enable_grad(function()
      local wanted = {}
      for k, i in ipairs(places) do
        if not arguments[i].requires_grad then
          arguments[i] = arguments[i]:clone():requires_grad_(true)
        end
        wanted[k] = arguments[i]
      end
      local y = call(f, arguments)
      local weights = core.linspace(-1, 1.5, y:numel(), { dtype = y.dtype }):reshape(y.shape)
      local results = table.pack(autograd.grad(y, wanted, {
        grad_outputs = weights,
        create_graph = true,
        allow_unused = true,
      }))
      local total
      for k, i in ipairs(places) do
        local g = results[k] or core.zeros(arguments[i].shape, { dtype = y.dtype })
        local parts = core.linspace(0.7, 1.3, g:numel(), { dtype = y.dtype }):reshape(g.shape)
        local part = (g * parts):sum()
        total = total and total + part or part
      end
      return total
    end)
  end
  return M.gradcheck(gradients, inputs, options)
end

return M
