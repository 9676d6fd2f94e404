--- Runs fixtures of expressions: { inputs, cases }, each case { expression, dtype, shape, values }.

local assert = require "luassert"
local near = require "spec.support.near"
local wrun = require "wrun"

local M = {}

local EXACT = {}

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
  local environment = { wrun = wrun, math = math, select = select }
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

--- Asserts that a case comes out as written; `rules` has a rule for each dtype (none: same bits).
function M.check(case, environment, rules)
  local expression, dtype, shape, values = table.unpack(case)
  if dtype == "error" then
    assert(not pcall(M.evaluate, expression, environment), "PyTorch refuses this")
    return
  end
  local got = M.evaluate(expression, environment)
  if dtype == "plain" then
    assert.same(values, type(got) == "table" and got or { got })
    return
  end
  assert.equal(dtype, got.dtype)
  assert.same(shape, got.shape)
  near.lists(values, near.flat(got), rules[dtype] or EXACT, dtype)
end

return M
