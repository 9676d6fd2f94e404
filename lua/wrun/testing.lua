--- Matchers for busted: `require "wrun.testing"` adds assert.tensor_near, assert.same_bits,
--- assert.shape, assert.gradients, assert.healthy and their negations, such as
--- assert.is_not.tensor_near.
--- Each is also a function here, which returns whether it holds and the text that says why. A last
--- argument of the matcher that is a string stands in front of that text when it fails.

local check = require "wrun.check"
local core = require "wrun.core"
local gradcheck = require "wrun.gradcheck"
local luassert = require "luassert"
local namespaces = require "luassert.namespaces"
local say = require "say"
local wrun = require "wrun"

local fail, is_tensor = check.fail, check.is_tensor

local M = {}

-- Where and by how much two tensors differ -----------------------------------

--- the shortest decimals that read back as this value of this dtype
local function value_text(value, dtype)
  if value ~= value then
    return "nan"
  elseif not check.is_float(dtype) or math.abs(value) == math.huge then
    return tostring(value)
  end
  local format = dtype == "float32" and "f" or "d"
  local text
  for digits = 1, 17 do
    text = core.format("%." .. digits .. "g", value)
    if string.unpack(format, string.pack(format, tonumber(text))) == value then
      return text
    end
  end
  return text
end

--- number k of all elements as an index: " at {2, 1}"
local function index_text(k, shape)
  local index, left = {}, k - 1
  for d = #shape, 1, -1 do
    index[d] = left % shape[d] + 1
    left = left // shape[d]
  end
  return #shape > 0 and (" at {%s}"):format(table.concat(index, ", ")) or ""
end

--- what differs where is_near (bool, of their shape) is false, and nil where nothing does
local function differences(expected, got, is_near)
  local count = got:numel()
  local differing = count - is_near:long():sum():item()
  if differing == 0 then
    return nil
  end
  local distances = (got:double() - expected:double()):abs()
  local ranked = wrun.where(distances:isnan(), math.huge, distances)
  local k = wrun.where(is_near, -1, ranked):reshape(-1):argmax(1):item()
  local text = core.format("expected %s, got %s, a difference of %.3g",
    value_text(expected:reshape(-1)[k]:item(), expected.dtype),
    value_text(got:reshape(-1)[k]:item(), got.dtype),
    math.abs(distances:reshape(-1)[k]:item())) -- a NaN without its sign
  local index = index_text(k, got.shape)
  if count == 1 then
    return index == "" and text or "differs" .. index .. ": " .. text
  elseif differing == 1 then
    return ("1 of %d elements differs,%s: %s"):format(count, index, text)
  end
  return ("%d of %d elements differ, most%s: %s"):format(differing, count, index, text)
end

local function kind_text(t)
  return t.dtype .. " " .. check.shape_text(t)
end

--- the two values of a matcher as tensors; a number or a table takes the dtype of the other
local function tensors(fname, expected, got)
  local function converted(index, value, like)
    if is_tensor(value) then
      return value:detach()
    elseif is_tensor(like) and (type(value) == "number" or type(value) == "table") then
      return wrun.tensor(value, { dtype = like.dtype })
    end
    fail("%s: argument %d: expected a tensor, got %s", fname, index, check.describe(value))
  end
  return converted(1, expected, got), converted(2, got, expected)
end

--- the verdict on two tensors: whether they agree, and the text for either outcome
local function verdict(kind, expected, got, compare)
  local problem
  if not check.same_shape(expected, got) then
    problem = "the shapes differ"
  elseif expected.dtype ~= got.dtype then
    problem = "the dtypes differ"
  else
    problem = differences(expected, got, compare(expected, got))
  end
  return problem == nil, ("Expected tensors %s.\nexpected: %s\ngot:      %s\n%s"):format(
    problem and "that are " .. kind or "that are not " .. kind, kind_text(expected),
    kind_text(got), problem or (got:numel() == 1 and "the element is"
      or ("all %d elements are"):format(got:numel())))
end

-- The matchers ---------------------------------------------------------------

-- what PyTorch's assert_close allows where neither is given; integers are compared exactly
local TOLERANCES = { float32 = { 1.3e-6, 1e-5 }, float64 = { 1e-7, 1e-7 } }

local NEAR = {
  rtol = check.optional(check.number(nil, 0)),
  atol = check.optional(check.number(nil, 0)),
  equal_nan = check.boolean(false),
}

--- Returns whether two tensors are near: |got - expected| <= atol + rtol |expected| everywhere.
--- shapes  the same
--- domain  the same dtype; a number or a table of numbers takes the dtype of the other. Without
---   options rtol and atol are 1.3e-6 and 1e-5 in float32, 1e-7 and 1e-7 in float64 (as PyTorch's
---   assert_close has them), 0 and 0 in other dtypes; where one is given, the other is 0.
---   Infinities are near themselves; NaN is near nothing unless equal_nan.
---     require "wrun.testing" -- in a spec
---     assert.tensor_near({ 1, 2 }, wrun.tensor({ 1.0, 2.001 }), { rtol = 1e-3 })
---     assert.is_not.tensor_near(0, wrun.tensor(0.1))
---@return boolean
---@return string text  what was compared; where, by how much and how often it differs
function M.tensor_near(expected, got, options)
  local o = check.options("tensor_near", options, NEAR)
  expected, got = tensors("tensor_near", expected, got)
  local usual = TOLERANCES[expected.dtype] or { 0, 0 }
  if o.rtol or o.atol then
    usual = { 0, 0 }
  end
  local rtol, atol = o.rtol or usual[1], o.atol or usual[2]
  local kind = core.format("near: within %.9g + %.9g |expected|", atol, rtol)
  return verdict(kind, expected, got, function(a, b)
    if a.dtype == "bool" then
      return a:eq(b)
    end
    return wrun.isclose(b, a, { rtol = rtol, atol = atol, equal_nan = o.equal_nan })
  end)
end

--- Returns whether two tensors are the same to the last bit: 0 and -0 differ, all NaNs are one.
--- shapes  the same
--- domain  the same dtype; a number or a table of numbers takes the dtype of the other
---     require "wrun.testing" -- in a spec
---     assert.same_bits({ 0.5, 0 / 0 }, wrun.tensor({ 0.5, 0 / 0 }))
---     assert.is_not.same_bits({ 0.0 }, wrun.tensor({ -0.0 }))
---@return boolean
---@return string text  what was compared; where, by how much and how often it differs
function M.same_bits(expected, got)
  expected, got = tensors("same_bits", expected, got)
  return verdict("the same to the last bit", expected, got, function(a, b)
    local is_same = a:eq(b)
    if check.is_float(a) then -- 1 / 0 and 1 / -0 are infinities that differ
      is_same = is_same:logical_and(a:reciprocal():eq(b:reciprocal()))
        :logical_or(a:isnan():logical_and(b:isnan()))
    end
    return is_same
  end)
end

local SHAPE = check.rule(nil, "a table of integers", function(value)
  return type(value) == "table" and value or nil
end)

--- Returns whether a tensor has this shape.
--- shapes  any
--- domain  any dtype; {} is the shape of a single number
---     require "wrun.testing" -- in a spec
---     assert.shape(wrun.zeros(2, 3), { 2, 3 })
---@param shape integer[]
---@return boolean
---@return string text  both shapes
function M.shape(tensor, shape)
  check.tensor_argument("shape", 1, tensor)
  local expected = check.shape_text(check.argument("shape", 2, shape, SHAPE))
  local is_same = check.shape_text(tensor) == expected
  return is_same, is_same and ("Expected another shape than %s."):format(expected)
    or ("Expected the shape %s.\ngot: %s"):format(expected, kind_text(tensor))
end

-- Gradients ------------------------------------------------------------------

local function double_copy(tensor)
  local copy = tensor:detach():clone()
  if check.is_float(tensor) then
    copy = copy:double()
    core.set_parameter(copy, core.is_parameter(tensor))
    copy.requires_grad = tensor.requires_grad
  end
  return copy
end

-- A list of { owner, name, tensor }, what in_double replaced; closing puts it back.
local Replaced = {
  __close = core.scoped.undo(function(replaced)
    for i = #replaced, 1, -1 do
      local owner, name, tensor = table.unpack(replaced[i])
      owner[name], replaced[i] = tensor, nil
    end
  end),
}

--- Puts float64 copies in the place of all tensors of a module.
local function in_double(module, replaced)
  local copies = {}
  for _, owner in ipairs(module:modules()) do
    for name, value in pairs(owner) do
      if is_tensor(value) then
        copies[value] = copies[value] or double_copy(value)
        replaced[#replaced + 1] = { owner, name, value }
        owner[name] = copies[value]
      end
    end
  end
end

--- f with the module's parameters as further arguments, after the first n
local function with_parameters(f, n, parameters)
  return function(...)
    local arguments = table.pack(...)
    for k, parameter in ipairs(parameters) do
      local given = arguments[n + k]
      if not rawequal(given, parameter) then -- a moved one; the next call finds it moved back
        local before = parameter:detach():clone()
        parameter:detach():copy_(given)
        local y = f(table.unpack(arguments, 1, n))
        parameter:detach():copy_(before)
        return y
      end
    end
    return f(table.unpack(arguments, 1, n))
  end
end

--- f that draws the same numbers from the default generator at every call
local function repeating_draws(f)
  local state = wrun.get_rng_state()
  return function(...)
    wrun.set_rng_state(state)
    return f(...)
  end
end

local function double_inputs(x)
  local inputs = is_tensor(x) and { x } or x
  if type(inputs) ~= "table" then
    fail("gradients: argument 2: expected a tensor or a table of arguments, got %s",
      check.describe(x))
  end
  local result, names = check.packed("gradients", 2, inputs), {}
  for i = 1, result.n do
    local value = result[i]
    if check.is_float_tensor(value) then
      value = value:detach():double():clone():requires_grad_()
    end
    result[i], names[i] = value, ("input %d"):format(i)
  end
  return result, names
end

local function is_module(f)
  return type(f) == "table" and type(f.named_parameters) == "function"
end

--- Returns whether gradients are those that finite differences give: with respect to every float
--- input and, where f is a module, to every parameter that requires one.
--- It is computed in float64: inputs and the tensors of a module are replaced by copies, and the
--- module has its own back at the end. What f draws from the default generator is drawn again at
--- each call, so that dropout can be checked.
--- shapes  any
--- domain  f returns one tensor; options eps (the step, 1e-6), atol (1e-5) and rtol (1e-3)
--- raises  `gradients: expected a float64 result`; as gradcheck
--- cost    two calls of f for each element of each input and parameter
---     require "wrun.testing" -- in a spec
---     assert.gradients(nn.Linear(3, 2), wrun.randn(4, 3))
---     assert.gradients(function(a, b) return (a * b):tanh() end, { wrun.rand(3), wrun.rand(3) })
---@param f function|wrun.nn.Module
---@param x wrun.Tensor|table  the argument, or all of them
---@param options { eps: number, atol: number, rtol: number }?
---@return boolean
---@return string text  which gradients differ, where, by how much and how often
function M.gradients(f, x, options)
  local inputs, names = double_inputs(x)
  local parameters, n = {}, inputs.n
  if not is_module(f) then
    check.argument("gradients", 1, f, check.func())
  end
  local replaced <close> = setmetatable({}, Replaced)
  local _ <close> = replaced -- twice: a host's interrupt may come in the call that closes
  if is_module(f) then
    in_double(f, replaced)
    for name, parameter in f:named_parameters() do
      if parameter.requires_grad then
        parameters[#parameters + 1] = parameter
        inputs[n + #parameters], names[n + #parameters] = parameter, "parameter " .. name
      end
    end
    inputs.n = n + #parameters
  end
  local _ <close> = wrun.fork_rng()
  local repeated = repeating_draws(with_parameters(f, n, parameters))
  local function checked(...)
    local y = repeated(...)
    if is_tensor(y) and y.dtype ~= "float64" then
      fail("gradients: expected a float64 result, got %s: differences in float32 are mostly "
        .. "rounding; cast the tensors that the function uses with :double()", check.describe(y))
    end
    return y
  end
  local comparisons, o = gradcheck.compare(checked, inputs, options)
  local lines = {}
  for _, c in ipairs(comparisons) do
    local near = wrun.isclose(c.got, c.expected, { rtol = o.rtol, atol = o.atol })
    local problem = differences(c.expected, c.got, near)
    lines[#lines + 1] = problem
      and ("%s, %s: %s"):format(names[c.input], kind_text(c.got), problem)
  end
  local tolerance = core.format("within %.9g + %.9g |expected|", o.atol, o.rtol)
  if #lines == 0 then
    return true, ("Expected gradients that finite differences do not give, %s;\nall %d are right.")
      :format(tolerance, #comparisons)
  end
  return false, ("Expected the gradients that finite differences give, %s.\n%s"):format(tolerance,
    table.concat(lines, "\n"))
end

--- Returns whether the start of a network is one to learn from: whether `nn.init.report` finds no
--- fault, and no layer where theory does not expect it.
--- as  nn.init.report
---     require "wrun.testing" -- in a spec
---     local model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
---     assert.healthy(model, wrun.randn(50, 20))
---@return boolean
---@return string text  the report
function M.healthy(model, batch, options)
  local report = wrun.nn.init.report(model, batch, options)
  local is_healthy = #report.faults == 0
  for _, call in ipairs(report.calls) do
    is_healthy = is_healthy and call.verdict == "good"
  end
  local expected = is_healthy and "Expected a start with a fault; there is none"
    or "Expected a healthy start"
  return is_healthy, expected .. ":\n" .. tostring(report)
end

-- What busted sees of them ---------------------------------------------------

--- a matcher as luassert calls it; its text goes through the message "%s"
local function matcher(f)
  return function(state, arguments, level)
    local message = arguments[arguments.n]
    if arguments.n > 2 and type(message) == "string" then
      state.failure_message = message
      arguments[arguments.n] = nil
    end
    local results = table.pack(pcall(f, table.unpack(arguments, 1, arguments.n)))
    local ok, holds, text = table.unpack(results, 1, 3)
    if not ok then -- wrong use, which the spec's line is to blame for
      holds = type(holds) == "string" and holds:gsub("^[^\n:]*assert%.lua:%d+: ", "") or holds
      error(holds, (level or 1) + 1)
    end
    for i = 1, arguments.n do
      arguments[i] = nil
    end
    arguments[1], arguments.n, arguments.nofmt = text, 1, { true }
    return holds
  end
end

--- luassert's `same`, which would ask whether two tensors are one
local same = namespaces.assertion.same.callback
luassert:register("assertion", "same", function(state, arguments, level)
  local a, b = arguments[1], arguments[2]
  if (is_tensor(a) or is_tensor(b)) and not rawequal(a, b) then
    error("same: compares no elements of tensors; write assert.tensor_near(expected, got) or "
      .. "assert.same_bits(expected, got)", (level or 1) + 1)
  end
  return same(state, arguments, level)
end, "assertion.same.positive", "assertion.same.negative")

say:set("assertion.wrun", "%s")
for _, name in ipairs { "tensor_near", "same_bits", "shape", "gradients", "healthy" } do
  luassert:register("assertion", name, matcher(M[name]), "assertion.wrun", "assertion.wrun")
end

return M
