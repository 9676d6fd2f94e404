--- Runs fixtures of expressions: { inputs, cases }, each case { expression, dtype, shape, values },
--- and where PyTorch differentiated it also { input = gradient }.

local assert = require "luassert"
local near = require "spec.support.near"
local wrun = require "wrun"

local M = {}

local EXACT = {}

--- Vectorised exp, log and tanh are good to 4 units in the last place.
M.ELEMENTWISE = { float32 = { ulp = 4 }, float64 = { rtol = 1e-12 } }

--- Sums may be added in another order.
M.SUMS = { float32 = { rtol = 1e-5, atol = 2e-6 }, float64 = { rtol = 1e-12, atol = 1e-14 } }

--- Returns a tensor of the given dtype, shape and flat values.
function M.tensor(dtype, shape, values)
  if #values == 0 then
    return wrun.zeros(shape, { dtype = dtype })
  end
  return wrun.tensor(values, { dtype = dtype }):reshape(shape)
end

--- Evaluates a Lua expression, or a body with a return, among the names of `environment`.
function M.evaluate(text, environment)
  local body = text:find("return ", 1, true) and text or "return " .. text
  return assert(load(body, "=" .. text, "t", environment))()
end

--- Returns the environment of a fixture: its inputs, wrun, math and select.
function M.environment(inputs)
  local environment = { wrun = wrun, math = math, select = select, tostring = tostring }
  for _, input in ipairs(inputs) do
    local name, dtype, shape, values = table.unpack(input)
    if shape then
      environment[name] = M.tensor(dtype, shape, values)
    else
      environment[name] = M.evaluate(dtype, environment)
    end
  end
  return environment
end

-- The environment with the inputs that have gradients as leaves; they lie in memory as they did.
local function with_leaves(environment, gradients)
  local leaves = {}
  for name in pairs(gradients) do
    leaves[name] = environment[name]:detach():requires_grad_()
  end
  return setmetatable(leaves, { __index = environment })
end

-- Weights of the elements of y, as make_lua.py has them.
local function weights(y)
  return (wrun.arange(y:numel()) % 8 / 4 - 1):to(y.dtype):reshape(y.shape)
end

local function check_gradients(gradients, leaves, y, rule)
  if y.requires_grad then
    y:backward(weights(y))
  end
  for name, values in pairs(gradients) do
    local x = leaves[name]
    local got = x.grad or wrun.zeros_like(x)
    local ok, message = pcall(near.lists, values, near.flat(got), rule or EXACT, x.dtype)
    assert(ok, ("gradient of %s: %s"):format(name, message))
  end
end

--- Asserts that a case comes out as written; `rules` has a rule for each dtype (none: same bits),
--- and may have gradients = { dtype = rule } where those are less sharp.
function M.check(case, environment, rules)
  local expression, dtype, shape, values, gradients = table.unpack(case)
  if dtype == "error" then
    assert(not pcall(M.evaluate, expression, environment), "PyTorch refuses this")
    return
  end
  environment = gradients and with_leaves(environment, gradients) or environment
  local got = M.evaluate(expression, environment)
  if dtype == "plain" then
    assert.same(values, type(got) == "table" and got or { got })
    return
  end
  assert.equal(dtype, got.dtype)
  assert.same(shape, got.shape)
  near.lists(values, near.flat(got), rules[dtype] or EXACT, dtype)
  if gradients then
    check_gradients(gradients, environment, got, (rules.gradients or rules)[dtype])
  end
end

--- Iterates over the cases of a fixture: what each claims, and the function that asserts it.
--- `rules` may also be a function that returns those for an expression.
function M.each(fixture, rules)
  local environment
  local i = 0
  return function()
    i = i + 1
    local case = fixture.cases[i]
    if case == nil then
      return nil
    end
    local claim = case[2] == "error" and " is refused" or " is what PyTorch computes"
    return case[1] .. claim, function()
      environment = environment or M.environment(fixture.inputs)
      M.check(case, environment, type(rules) == "function" and rules(case[1]) or rules)
    end
  end
end

return M
