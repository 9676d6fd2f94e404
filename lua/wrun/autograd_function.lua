--- Operations with a derivative of one's own.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"

local graph, fail = core.graph, check.fail

local NAMED = { name = check.string("Function") }

---@class wrun.autograd.Context
--- What forward and backward of an operation of one's own share: a table with any fields of theirs.
local Context = method.object("Context")

--- Keeps tensors for backward, which then refuses to run if one was changed in place.
--- shapes  any
--- domain  any values
--- raises  nothing; backward raises `backward: tensor N saved by a custom function was changed`
---     local square = wrun.autograd.Function {
---       forward = function(ctx, x)
---         ctx:save_for_backward(x)
---         return x * x
---       end,
---       backward = function(ctx, g) return g * 2 * ctx:saved_tensors() end,
---     }
---     print(wrun.gradcheck(square, { wrun.ones(2, { dtype = "float64", requires_grad = true }) }))
---@param ... wrun.Tensor|any
function Context:save_for_backward(...)
  self._saved = table.pack(...)
  for i = 1, self._saved.n do
    local t = self._saved[i]
    self._saved[i] = { t, check.is_tensor(t) and t.version }
  end
end

--- Returns what was given to save_for_backward.
--- shapes  any
--- raises  `backward: tensor N saved by a custom function was changed in place`
---@return wrun.Tensor|any ...
function Context:saved_tensors()
  local values = {}
  for i, saved in ipairs(self._saved or {}) do
    local t, version = saved[1], saved[2]
    if version and t.version ~= version then
      fail("backward: tensor %d saved by a custom function was changed in place; clone() it before "
        .. "the change", i)
    end
    values[i] = t
  end
  return table.unpack(values, 1, self._saved and self._saved.n or 0)
end

--- Is `shape` one that broadcasting repeats to the shape of g?
local function sums_to(g, shape)
  local lead = g.ndim - #shape
  for d, size in ipairs(shape) do
    if lead < 0 or (size ~= 1 and size ~= g:size(lead + d)) then
      return false
    end
  end
  return lead >= 0
end

--- what backward returned for argument i, as a copy: it may keep its own, and gradients may be
--- changed in place
local function checked_gradient(name, i, g, shape)
  if not check.is_tensor(g) then
    fail("%s: backward: expected a tensor or nil for argument %d, got %s", name, i,
      check.describe(g))
  end
  if not sums_to(g, shape) then
    fail("%s: backward: expected a gradient of shape %s for argument %d, got %s", name,
      check.shape_text(shape), i, check.describe(g))
  end
  return g:clone()
end

--- Returns an operation with a derivative of one's own.
---
--- forward(ctx, ...) computes one tensor, unrecorded; backward(ctx, g) returns a gradient (or nil)
--- for each argument of forward, in tensor operations. `ctx` is a table of theirs, with
--- save_for_backward and saved_tensors.
--- domain  `name` stands in errors and in grad_fn
--- raises  when called `NAME: forward: expected`, `NAME: backward: expected`
---     local double = wrun.autograd.Function {
---       forward = function(ctx, x) return x * 2 end,
---       backward = function(ctx, g) return g * 2 end,
---     }
---     print(wrun.gradcheck(double, { wrun.ones(2, { dtype = "float64", requires_grad = true }) }))
---@param definition { forward: function, backward: function, name?: string }
---@return function  called like forward without ctx
local function Function(definition)
  local is_table = type(definition) == "table"
  local forward = is_table and definition.forward
  local backward = is_table and definition.backward
  if type(forward) ~= "function" or type(backward) ~= "function" then
    fail("Function: expected a table with the functions forward and backward")
  end
  local name = check.options("Function", { name = definition.name }, NAMED).name
  return function(...)
    local context = setmetatable({}, Context)
    local y = autograd.no_grad(forward, context, ...)
    if not check.is_tensor(y) then
      fail("%s: forward: expected to get back a tensor, got %s", name, check.describe(y))
    end
    local needs_grad = false
    for i = 1, select("#", ...) do
      local argument = select(i, ...)
      needs_grad = needs_grad or (check.is_tensor(argument) and argument.requires_grad)
    end
    if not (needs_grad and graph.is_grad_enabled()) then
      return y
    end
    local row = {
      name = name,
      label = name .. "Backward",
      backward = function(g, edges, values)
        local gradients = table.pack(backward(context, g))
        for i = 1, edges.count do
          gradients[i] = edges[i] and gradients[i]
            and checked_gradient(name, i, gradients[i], values[i + 1].shape)
        end
        return gradients
      end,
    }
    return graph.record(row, 0, y:detach(), ...)
  end
end

return Function
