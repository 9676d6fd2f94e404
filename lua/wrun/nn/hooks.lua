--- Hooks: functions that a module calls before and after its forward, and in the backward pass.

local check = require "wrun.check"
local core = require "wrun.core"
local Handle = require("wrun.autograd").Handle
local method = require "wrun.method"
local paths = require "wrun.nn.path"
local wrun = require "wrun"

local M = {}

local unchecked = method.unchecked

local FUNCTION = check.func()

---@class wrun.nn.Handle: wrun.Handle
--- What a module gives for a hook.
local ModuleHandle = Handle:extend("Handle")

function ModuleHandle:init(hooks, fn, module, kind)
  self.module, self.kind = module, kind -- a copy of the module has copies of its handles
  Handle.init(self, hooks, fn)
end

--- Takes the hook away; a second time does nothing.
function ModuleHandle:remove()
  Handle.remove(self)
  local all = self.module._hooks
  if all and #all.before + #all.after + #all.backward == 0 then
    rawset(self.module, "_hooks", false) -- calls are quick again
  end
end

-- "Handle(after hook of Linear(2 -> 1))"
function ModuleHandle:__tostring()
  for i = 1, #self.hooks do
    if self.hooks[i] == self then
      return ("Handle(%s hook of %s)"):format(self.kind, self.module:label())
    end
  end
  return "Handle(removed)"
end

-- A method that adds a hook of one kind to its module and returns the handle.
local function registers(name, kind)
  return function(self, fn)
    check.argument(name, 1, fn, FUNCTION)
    local all = self._hooks or { before = {}, after = {}, backward = {} }
    local hooks = all[kind]
    local handle = ModuleHandle(hooks, fn, self, kind)
    rawset(self, "_hooks", all) -- last: a module has no hooks or some, also when interrupted
    return handle
  end
end

--- Has hook(module, inputs) called before each forward, with the list of its arguments; what it
--- returns, unless nothing, takes their place. Returns a handle, whose remove() undoes this.
--- domain  any function
---     local layer = nn.Linear(2, 1)
---     local handle = layer:register_forward_pre_hook(function(_, inputs) return inputs[1] * 2 end)
---     print(layer(wrun.ones(1, 2)), handle:remove())
---@type fun(module: wrun.nn.Module, fn: function): wrun.nn.Handle
M.register_forward_pre_hook = registers("register_forward_pre_hook", "before")

--- Has hook(module, inputs, output) called after each forward; what it returns, unless nothing,
--- takes the place of the output. Returns a handle, whose remove() undoes this.
--- as  register_forward_pre_hook
---     local layer = nn.Linear(2, 1)
---     layer:register_forward_hook(function(_, _, y) print("spread", y:std():item()) end)
---     layer(wrun.randn(100, 2))
M.register_forward_hook = registers("register_forward_hook", "after")

--- Has hook(module, grad_inputs, grad_outputs) called in the backward pass, once the gradients of
--- the inputs are known: two lists, with nil for what is no tensor or needs no gradient. What it
--- returns, unless nothing, takes the place of the gradients of the inputs. Returns a handle, whose
--- remove() undoes this.
--- as  register_forward_pre_hook
--- domain  any function; nothing is called while gradients are not recorded
---     local layer = nn.Linear(2, 1)
---     layer:register_full_backward_hook(function(_, _, grads) print(grads[1]) end)
---     layer(wrun.ones(3, 2)):sum():backward()
M.register_full_backward_hook = registers("register_full_backward_hook", "backward")

local function indices_with_gradient(values)
  local indices = {}
  for i = 1, values.n do
    if wrun.is_tensor(values[i]) and values[i].requires_grad then
      indices[#indices + 1] = i
    end
  end
  return indices
end

-- One operation has one result: several tensors are joined into one, which is split into their
-- shapes and types.
local function join(tensors)
  local flat = {}
  for i, x in ipairs(tensors) do
    flat[i] = x:reshape(-1)
  end
  return #flat == 1 and tensors[1] or wrun.cat(flat)
end

local function split(joined, tensors)
  if #tensors == 1 then
    return { joined }
  end
  local parts, start = {}, 1
  for i, x in ipairs(tensors) do
    parts[i] = joined:narrow(1, start, x:numel()):reshape(x.shape):to(x.dtype)
    start = start + x:numel()
  end
  return parts
end

-- Returns `values` with stand-ins for the tensors that require a gradient; once the gradients of
-- these are known, on_gradients gets them as a list, and returns nothing or what shall pass on.
local function tap(values, on_gradients)
  local indices, tensors = indices_with_gradient(values), {}
  if #indices == 0 then
    return values, false
  end
  for i, index in ipairs(indices) do
    tensors[i] = values[index]
  end
  local joined = wrun.autograd.Function {
    name = "Hook",
    forward = function(_, ...)
      return join({ ... })
    end,
    backward = function(_, g)
      local given = { n = values.n }
      for i, part in ipairs(split(g, tensors)) do
        given[indices[i]] = part
      end
      local passed, results = on_gradients(given) or given, {}
      for i, index in ipairs(indices) do
        results[i] = passed[index] or given[index]
      end
      return table.unpack(results)
    end,
  }(table.unpack(tensors))
  local tapped = table.move(values, 1, values.n, 1, { n = values.n })
  for i, part in ipairs(split(joined, tensors)) do
    tapped[indices[i]] = part
  end
  return tapped, true
end

-- Calls each hook with what `arguments` returns, and then take(results) unless they are nothing.
local function run(hooks, arguments, take)
  for _, handle in ipairs(table.move(hooks, 1, #hooks, 1, {})) do -- a hook may remove itself
    local results = table.pack(handle.fn(arguments()))
    if results[1] ~= nil then
      take(results)
    end
  end
end

-- Calls the backward hooks; returns the gradients of the inputs as they left them.
local function run_backward(module, hooks, grad_inputs, grad_outputs)
  run(hooks, function()
    return module, grad_inputs, grad_outputs
  end, function(results)
    grad_inputs = results
  end)
  return grad_inputs
end

-- Runs the hooks of a module around its forward, and returns what they make of its results.
local function run_with_hooks(module, ...)
  local hooks, inputs = module._hooks, table.pack(...)
  run(hooks.before, function()
    return module, inputs
  end, function(results)
    inputs = results
  end)
  local watches = #hooks.backward > 0 and wrun.is_grad_enabled()
  local backward = table.move(hooks.backward, 1, #hooks.backward, 1, {})
  local grad_outputs, has_tap = nil, false
  local given = inputs
  if watches then
    given, has_tap = tap(inputs, function(grad_inputs)
      return run_backward(module, backward, grad_inputs, grad_outputs)
    end)
  end
  local outputs = table.pack(module:forward(table.unpack(given, 1, given.n)))
  run(hooks.after, function()
    return module, inputs, table.unpack(outputs, 1, outputs.n)
  end, function(results)
    outputs = results
  end)
  if watches then
    outputs = tap(outputs, function(gradients)
      grad_outputs = gradients
      if not has_tap then
        run_backward(module, backward, { n = inputs.n }, gradients)
      end
    end)
  end
  return table.unpack(outputs, 1, outputs.n)
end

-- Runs the forward of a module, and the hooks around it where there are some.
function M.call(module, ...)
  if module._hooks then
    return run_with_hooks(module, ...)
  end
  local forward = module.forward
  return (unchecked[forward] or forward)(module, ...)
end

if core.profile then
  M.call = core.profile.layered(M.call, function(module)
    return tostring(paths.of[module] or module:label())
  end)
end

return M
