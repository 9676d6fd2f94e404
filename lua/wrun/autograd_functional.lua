--- Derivatives of functions: Jacobians, Hessians, and their products with vectors.
---
--- A function takes one tensor, or several, given as a list; it returns one, or several. Results
--- have the form of what they are derivatives of: a tensor for one, a list for a list.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local names = require "wrun.names"
local tensors = require "wrun.tensor"

local fail = check.fail

local M = {}

local FUNCTION = check.callable()
local RULES = { create_graph = check.boolean(false), strict = check.boolean(false) }

-- Arguments and results ------------------------------------------------------

-- A list of float tensors, and whether it was one; a name for errors comes first.
local function as_list(fname, what, value)
  local is_list = type(value) == "table"
  local list = is_list and check.list(value) or { value }
  for i, x in ipairs(list) do
    if not check.is_float_tensor(x) then
      fail("%s: %s: expected a tensor of floats or a list of them, got %s%s", fname, what,
        check.describe(x), is_list and (" at %d"):format(i) or "")
    end
  end
  if #list == 0 then
    fail("%s: %s: expected a tensor of floats or a list of them, got %s", fname, what,
      check.describe(value))
  end
  return list, is_list
end

-- One for one, a list for a list.
local function as_given(list, is_list)
  if is_list then
    return list
  end
  return list[1]
end

-- Calls f with copies of the inputs that record. Returns them, the outputs, and whether each was a
-- list; `options` are checked.
local function call(fname, f, inputs, options)
  local o = check.options(fname, options, RULES)
  f = check.argument(fname, 1, f, FUNCTION)
  local list, is_list = as_list(fname, "argument 2", inputs)
  local leaves = {}
  for i, x in ipairs(list) do
    leaves[i] = o.create_graph and x:view_as(x) or x:detach():clone()
    if not leaves[i].requires_grad then
      leaves[i]:requires_grad_()
    end
  end
  local results = table.pack(f(table.unpack(leaves)))
  local several = results.n > 1
  local outputs, is_tuple = as_list(fname, "argument 1: its result" .. (several and "s" or ""),
    several and results or results[1])
  return { o = o, inputs = leaves, is_list = is_list, outputs = outputs, is_tuple = is_tuple }
end

-- The derivatives of a weighted sum of outputs, zeros where there are none.
local function pull(fname, c, outputs, weights, inputs, is_recorded)
  local used, seeds = {}, {}
  for i, output in ipairs(outputs) do
    if output.requires_grad then
      used[#used + 1], seeds[#used + 1] = output, weights[i]
    elseif c.o.strict then
      fail("%s: option strict: expected a result that depends on the inputs, result %d does not",
        fname, i)
    end
  end
  local gradients = {}
  if #used > 0 then
    gradients = table.pack(autograd.grad(used, inputs, {
      grad_outputs = seeds, allow_unused = true, retain_graph = true, create_graph = is_recorded,
    }))
  end
  for i, input in ipairs(inputs) do
    if gradients[i] == nil then
      if c.o.strict then
        fail("%s: option strict: expected results that depend on each input, on input %d they do "
          .. "not", fname, i)
      end
      gradients[i] = tensors.zeros_like(input:detach())
    end
  end
  return gradients
end

-- The vectors of an argument, of the shapes of `like`; 1 for a single number.
local function vectors(fname, v, like, what)
  if v == nil then
    if #like == 1 and like[1]:numel() == 1 then
      return { tensors.ones_like(like[1]:detach()) }
    end
    fail("%s: argument 3: expected %s, got nil", fname, what)
  end
  local list = as_list(fname, "argument 3", v)
  for i = 1, math.max(#list, #like) do
    if not list[i] or not like[i] or not check.same_shape(list[i], like[i]) then
      fail("%s: argument 3: expected %s, %s at %d, got %s", fname, what,
        like[i] and check.shape_text(like[i]) or "nothing", i,
        list[i] and check.shape_text(list[i]) or "nothing")
    end
  end
  return list
end

local function finished(c, list, is_list)
  for i, x in ipairs(list) do
    list[i] = c.o.create_graph and x or x:detach()
  end
  return as_given(list, is_list)
end

-- Products with vectors ------------------------------------------------------

--- Returns the results of f, and the product of a vector with their Jacobian: v^T J.
--- shapes  inputs [...], or a list; v as the results; the product as the inputs
--- domain  v may be missing for a result of one element. `options`: create_graph, and strict, which
---   refuses what does not depend
---     local y, product = wrun.autograd.functional.vjp(function(x) return x ^ 2 end,
---       wrun.tensor({ 1.0, 3 }), wrun.tensor({ 1.0, 10 }))
---     print(y, product) -- 1, 9 and 2, 60
---@param inputs wrun.Tensor|wrun.Tensor[]
---@param v wrun.Tensor|wrun.Tensor[]|nil
---@return wrun.Tensor|wrun.Tensor[]
---@return wrun.Tensor|wrun.Tensor[]
function M.vjp(f, inputs, v, options)
  local _ <close> = autograd.enable_grad()
  local c = call("vjp", f, inputs, options)
  v = vectors("vjp", v, c.outputs, "a vector of the results' shapes")
  local products = pull("vjp", c, c.outputs, v, c.inputs, c.o.create_graph)
  return finished(c, c.outputs, c.is_tuple), finished(c, products, c.is_list)
end

-- J v, by the derivative of J^T u, which is linear in u.
local function push(fname, c, outputs, inputs, v)
  local u = {}
  for i, output in ipairs(outputs) do
    u[i] = tensors.zeros_like(output:detach()):requires_grad_()
  end
  local back = pull(fname, c, outputs, u, inputs, true)
  return pull(fname, { o = { strict = false } }, back, v, u, c.o.create_graph)
end

--- Returns the results of f, and the product of their Jacobian with a vector: J v.
--- shapes  inputs [...], or a list; v as the inputs; the product as the results
--- domain  as vjp; v may be missing for an input of one element
--- cost    two backward passes
---     local y, product = wrun.autograd.functional.jvp(function(x) return x:cumsum(1) end,
---       wrun.zeros(3), wrun.tensor({ 1.0, 10, 100 }))
---     print(product) -- 1, 11, 111
---@param inputs wrun.Tensor|wrun.Tensor[]
---@param v wrun.Tensor|wrun.Tensor[]|nil
---@return wrun.Tensor|wrun.Tensor[]
---@return wrun.Tensor|wrun.Tensor[]
function M.jvp(f, inputs, v, options)
  local _ <close> = autograd.enable_grad()
  local c = call("jvp", f, inputs, options)
  v = vectors("jvp", v, c.inputs, "a vector of the inputs' shapes")
  local products = push("jvp", c, c.outputs, c.inputs, v)
  return finished(c, c.outputs, c.is_tuple), finished(c, products, c.is_tuple)
end

-- A call whose result is one number, and its gradient, recorded.
local function gradient_of(fname, f, inputs, options)
  local c = call(fname, f, inputs, options)
  if #c.outputs ~= 1 or c.outputs[1]:numel() ~= 1 then
    fail("%s: argument 1: its result: expected one number, got %s", fname,
      #c.outputs == 1 and check.describe(c.outputs[1]) or #c.outputs .. " tensors")
  end
  local weights = { tensors.ones_like(c.outputs[1]:detach()) }
  return c, pull(fname, c, c.outputs, weights, c.inputs, true)
end

--- Returns the result of f, one number, and the product of its Hessian with a vector: H v.
--- shapes  inputs [...], or a list; v and the product as the inputs
--- domain  as vjp
--- raises  `hvp: argument 1: its result: expected one number`; `hvp: argument 3: expected a vector`
--- cost    two backward passes; the Hessian itself is never made
---     local f = function(x) return (x ^ 3):sum() end
---     local _, product = wrun.autograd.functional.hvp(f, wrun.tensor({ 1.0, 2 }), wrun.ones(2))
---     print(product) -- 6 x
---@param inputs wrun.Tensor|wrun.Tensor[]
---@param v wrun.Tensor|wrun.Tensor[]|nil
---@return wrun.Tensor
---@return wrun.Tensor|wrun.Tensor[]
function M.hvp(f, inputs, v, options)
  local _ <close> = autograd.enable_grad()
  local c, gradients = gradient_of("hvp", f, inputs, options)
  v = vectors("hvp", v, c.inputs, "a vector of the inputs' shapes")
  -- H is symmetric: v^T H is H v
  local products = pull("hvp", { o = { strict = false } }, gradients, v, c.inputs, c.o.create_graph)
  return finished(c, c.outputs, false), finished(c, products, c.is_list)
end

-- Whole matrices -------------------------------------------------------------

-- The Jacobian of one output: for each input a tensor [output..., input...].
local function rows(fname, c, output)
  local flat, parts = output:reshape(-1), {}
  for i = 1, #c.inputs do
    parts[i] = {}
  end
  for k = 1, flat:numel() do
    local element = flat[k]
    local gradients = pull(fname, c, { element }, { tensors.ones_like(element:detach()) },
      c.inputs, c.o.create_graph)
    for i, gradient in ipairs(gradients) do
      parts[i][k] = gradient
    end
  end
  for i, input in ipairs(c.inputs) do
    local shape = table.move(output.shape, 1, output.ndim, 1, {})
    table.move(input.shape, 1, input.ndim, output.ndim + 1, shape)
    parts[i] = #parts[i] > 0 and tensors.stack(parts[i]):reshape(shape)
      or tensors.zeros(shape, { dtype = output.dtype })
  end
  return finished(c, parts, c.is_list)
end

--- Returns the Jacobian of f: the derivative of each element of its result by each of its input.
--- shapes  inputs [...] and the result [...] -> [result..., inputs...]; a list of these for a list
---   of inputs, and a list of that for several results
--- domain  `options`: create_graph, for derivatives of it, and strict, which refuses what does not
---   depend
--- raises  `jacobian: argument 2: expected a tensor of floats`; `jacobian: option strict: expected`
--- cost    a backward pass for each element of the result
---     print(wrun.autograd.functional.jacobian(function(x) return x:cumsum(1) end, wrun.zeros(3)))
---@param inputs wrun.Tensor|wrun.Tensor[]
---@return wrun.Tensor|wrun.Tensor[]
function M.jacobian(f, inputs, options)
  local _ <close> = autograd.enable_grad()
  local c = call("jacobian", f, inputs, options)
  local results = {}
  for i, output in ipairs(c.outputs) do
    results[i] = rows("jacobian", c, output)
  end
  return as_given(results, c.is_tuple)
end

--- Returns the Hessian of f, whose result is one number: its second derivatives.
--- shapes  inputs [...] -> [inputs..., inputs...]; a list of lists of these for a list of inputs
--- domain  as jacobian
--- cost    a backward pass for each element of the inputs, and one
---     print(wrun.autograd.functional.hessian(function(x) return x:prod() end, wrun.ones(3)))
---@param inputs wrun.Tensor|wrun.Tensor[]
---@return wrun.Tensor|wrun.Tensor[][]
function M.hessian(f, inputs, options)
  local _ <close> = autograd.enable_grad()
  local c, gradients = gradient_of("hessian", f, inputs, options)
  local results = {}
  for i, gradient in ipairs(gradients) do
    results[i] = rows("hessian", c, gradient)
  end
  return as_given(results, c.is_list)
end

return names.closed("autograd.functional", M)
