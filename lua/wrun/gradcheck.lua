--- Gradients against finite differences.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local operations = require "wrun.operations"

local fail = check.fail

local M = {}

local OPTIONS = {
  eps = check.number(1e-6, 0),
  atol = check.number(1e-5, 0),
  rtol = check.number(1e-3, 0),
}

local FUNCTION = check.callable()

-- The indices of the inputs that require a gradient.
local function differentiable(inputs)
  local list = {}
  for i = 1, inputs.n do
    if check.is_tensor(inputs[i]) and inputs[i].requires_grad then
      list[#list + 1] = i
    end
  end
  return list
end

local function call(f, inputs)
  local y = f(table.unpack(inputs, 1, inputs.n))
  if not check.is_tensor(y) then
    fail("gradcheck: expected the function to return a tensor, got %s", check.describe(y))
  end
  return y
end

--- the derivatives of sum(y * weights) with respect to inputs[i], by central differences
local function numeric(f, inputs, i, weights, eps)
  local flat = inputs[i]:detach():reshape(-1)
  local derivatives = operations.empty(flat.shape, { dtype = "float64" })
  for k = 1, flat:numel() do
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
    derivatives[k] = (at(eps) - at(-eps)) / (2 * eps)
  end
  return derivatives:reshape(inputs[i].shape)
end

-- Returns both derivatives of a weighted sum of f's result, for every input that requires one: a
-- list of { input = its index, got = the walk's, expected = by differences }; and the options with
-- their defaults.
function M.compare(f, inputs, options)
  local o = check.options("gradcheck", options, OPTIONS)
  f = check.argument("gradcheck", 1, f, FUNCTION)
  inputs = check.packed("gradcheck", 2, check.is_tensor(inputs) and { inputs } or inputs)
  local indices = differentiable(inputs)
  if #indices == 0 then
    fail("gradcheck: expected at least one input that requires a gradient")
  end
  local y = call(f, inputs)
  -- fixed weights of varied size tell elements apart
  local weights = operations.linspace(0.5, 1.5, y:numel(), { dtype = "float64" }):reshape(y.shape)
  local function analytic()
    local wanted = {}
    for k, i in ipairs(indices) do
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
  local comparisons = {}
  for n, i in ipairs(indices) do
    local g = first[n] or operations.zeros(inputs[i].shape, { dtype = inputs[i].dtype })
    local is_comparable = first[n] and not first[n]:isnan():any():item()
    if is_comparable and not first[n]:detach():equal(second[n]:detach()) then
      fail("gradcheck: input %d: two runs gave different gradients", i)
    end
    comparisons[n] = {
      input = i,
      got = g:detach(),
      expected = numeric(f, inputs, i, weights, o.eps),
    }
  end
  return comparisons, o
end

--- Compares the gradients of f with central differences, for every element of every input that
--- requires one, and returns true.
--- Inputs should be float64: differences in float32 are mostly rounding. The walk backward is run
--- twice and must give the same bits.
--- shapes  any
--- domain  options eps (the step, 1e-6), atol (1e-5) and rtol (1e-3)
--- raises  `gradcheck: input N, element K: expected the derivative`; `gradcheck: expected at`;
---   `gradcheck: input N: two runs gave different gradients`
--- cost    two calls of f for each element
---     local x = wrun.randn(3, { dtype = "float64", requires_grad = true })
---     print(wrun.gradcheck(wrun.exp, { x }))
---@param f function  tensors (and other values) -> one tensor
---@param inputs table|wrun.Tensor  the arguments, `n` where some are nil; or the only one
---@param options { eps: number, atol: number, rtol: number }?
---@return boolean  true
function M.gradcheck(f, inputs, options)
  local comparisons, o = M.compare(f, inputs, options)
  for _, comparison in ipairs(comparisons) do
    local got_all, expected_all = comparison.got:reshape(-1), comparison.expected:reshape(-1)
    for k = 1, got_all:numel() do
      local got, expected = got_all[k]:item(), expected_all[k]:item()
      local is_near = math.abs(got - expected) <= o.atol + o.rtol * math.abs(expected)
      if not is_near then
        fail("gradcheck: input %d, element %d: expected the derivative %.9g by differences, "
          .. "got %.9g%s", comparison.input, k, expected, got, comparison.got.dtype == "float32"
          and "; in float32 they are mostly rounding, pass x:double()" or "")
      end
    end
  end
  return true
end

--- Compares the gradients of f's gradients with central differences as gradcheck does, and returns
--- true.
--- as  gradcheck
--- raises  as gradcheck
--- cost    two walks backward for each element
function M.gradgradcheck(f, inputs, options)
  f = check.argument("gradgradcheck", 1, f, FUNCTION)
  inputs = check.packed("gradgradcheck", 2, check.is_tensor(inputs) and { inputs } or inputs)
  local indices = differentiable(inputs)
  local function gradients(...)
    local arguments = table.pack(...)
    return autograd.enable_grad(function()
      local wanted = {}
      for k, i in ipairs(indices) do
        if not arguments[i].requires_grad then
          arguments[i] = arguments[i]:clone():requires_grad_(true)
        end
        wanted[k] = arguments[i]
      end
      local y = call(f, arguments)
      local weights = operations.linspace(-1, 1.5, y:numel(), { dtype = y.dtype }):reshape(y.shape)
      local results = table.pack(autograd.grad(y, wanted, {
        grad_outputs = weights,
        create_graph = true,
        allow_unused = true,
      }))
      local total
      for k, i in ipairs(indices) do
        local g = results[k] or operations.zeros(arguments[i].shape, { dtype = y.dtype })
        local parts = operations.linspace(0.7, 1.3, g:numel(), { dtype = y.dtype }):reshape(g.shape)
        local part = (g * parts):sum()
        total = total and total + part or part
      end
      return total
    end)
  end
  return M.gradcheck(gradients, inputs, options)
end

return M
