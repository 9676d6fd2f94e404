--- Module, the base of every layer: assigning a parameter or a module to a field registers it.

local check = require "wrun.check"
local core = require "wrun.core"
local registry = require "wrun.nn.registry"
local state = require "wrun.nn.state"
local wrun = require "wrun"

local fail = core.fail

local Module = registry.Module

-- Calling and printing --------------------------------------------------------------------------

--- Runs `forward`: a module is called like a function.
--- raises  what `forward` raises
function Module:__call(...)
  return self:forward(...)
end

--- Returns the output for an input; every layer replaces it.
--- shapes  as the layer says
--- domain  as the layer says
--- raises  `forward: not defined`
---@type fun(self: wrun.nn.Module, ...: any): any
Module.forward = function(self)
  fail("%s: forward: not defined; write function %s:forward(x)", self.__name, self.__name)
end

--- Returns what stands between the brackets when the module prints; a layer with settings replaces
--- it.
--- raises  nothing
---@return string
Module.extra_repr = function()
  return ""
end

--- Returns the short name that an error uses for this module, such as `Linear(784 -> 128)`.
--- raises  nothing
---@return string
function Module:label()
  return self.__name
end

function Module:__tostring()
  local extra = self:extra_repr()
  local lines = {}
  for name, child in registry.fields(self, registry.is_child) do
    lines[#lines + 1] = ("  (%s): %s\n"):format(name, (tostring(child):gsub("\n", "\n  ")))
  end
  if #lines == 0 then
    return ("%s(%s)"):format(self.__name, extra)
  end
  if extra ~= "" then
    extra = "  " .. extra .. "\n"
  end
  return ("%s(\n%s%s)"):format(self.__name, extra, table.concat(lines))
end

-- What a module holds ---------------------------------------------------------------------------

--- Returns the parameters of this module and all below it, own ones first; a shared one comes once.
--- shapes  any
--- raises  nothing
---@return wrun.Tensor[]
function Module:parameters()
  local _, parameters = registry.collect(self, registry.is_parameter)
  return parameters
end

--- Iterates over name and parameter in the order of `parameters`; names are paths like `1.weight`.
--- shapes  any
--- raises  nothing
---@return fun(): string, wrun.Tensor
function Module:named_parameters()
  return registry.iterate(registry.collect(self, registry.is_parameter))
end

--- Returns the buffers of this module and all below it.
--- shapes  any
--- raises  nothing
---@return wrun.Tensor[]
function Module:buffers()
  local _, buffers = registry.collect(self, registry.is_buffer)
  return buffers
end

--- Iterates over name and buffer in the order of `buffers`.
--- shapes  any
--- raises  nothing
---@return fun(): string, wrun.Tensor
function Module:named_buffers()
  return registry.iterate(registry.collect(self, registry.is_buffer))
end

--- Returns the modules directly below this one.
--- raises  nothing
---@return wrun.nn.Module[]
function Module:children()
  local children = {}
  for _, child in self:named_children() do
    children[#children + 1] = child
  end
  return children
end

--- Iterates over name and module directly below this one; a Sequential's names are integers.
--- raises  nothing
---@return fun(): string|integer, wrun.nn.Module
function Module:named_children()
  return registry.fields(self, registry.is_child)
end

--- Returns this module and all below it, parents first; a shared one comes once.
--- raises  nothing
---@return wrun.nn.Module[]
function Module:modules()
  local modules = {}
  registry.walk(self, "", function(_, module)
    modules[#modules + 1] = module
  end, {})
  return modules
end

--- Iterates over path and module in the order of `modules`; the path of this module is "".
--- raises  nothing
---@return fun(): string, wrun.nn.Module
function Module:named_modules()
  local paths, modules = {}, {}
  registry.walk(self, "", function(path, module)
    paths[#paths + 1] = path:sub(1, -2)
    modules[#modules + 1] = module
  end, {})
  return registry.iterate(paths, modules)
end

local BUFFER_OPTIONS = { persistent = check.boolean(true) }

--- Makes `tensor` a field that belongs to the module's state but is not trained.
--- shapes  any
--- domain  `persistent = false` keeps it out of `state_dict`
--- raises  `register_buffer: argument 1: expected a new field name`; `argument 2: expected`
---@param name string
---@param tensor wrun.Tensor
---@param options { persistent: boolean }?
function Module:register_buffer(name, tensor, options)
  if type(name) ~= "string" or name == "" or name:find(".", 1, true) or self[name] ~= nil then
    fail("register_buffer: argument 1: expected a new field name without a dot, got %s",
      check.describe(name))
  end
  check.argument("register_buffer", 2, tensor, check.tensor())
  local persistent = check.options("register_buffer", options, BUFFER_OPTIONS).persistent
  if rawget(self, "_buffers") == nil then
    rawset(self, "_buffers", {})
  end
  self._buffers[name] = persistent
  self[name] = tensor
end

Module.state_dict = state.state_dict
Module.load_state_dict = state.load_state_dict
Module.to = state.to

--- Casts the module to float32, as `to`.
--- raises  nothing
---@return wrun.nn.Module
function Module:float()
  return self:to("float32")
end

--- Casts the module to float64, as `to`.
--- raises  nothing
---@return wrun.nn.Module
function Module:double()
  return self:to("float64")
end

-- Changing the whole module ---------------------------------------------------------------------

--- Calls `fn` with every module, children before their parent, and returns the module.
--- domain  any function
--- raises  `apply: argument 1: expected a function`
---@param fn fun(module: wrun.nn.Module)
---@return wrun.nn.Module
function Module:apply(fn)
  check.argument("apply", 1, fn, check.func())
  for _, child in self:named_children() do
    child:apply(fn)
  end
  fn(self)
  return self
end

--- Sets `training` here and below (layers such as dropout read it) and returns the module.
--- domain  true or false
--- raises  `train: argument 1: expected true or false`
---@param mode boolean? default true
---@return wrun.nn.Module
function Module:train(mode)
  mode = check.argument("train", 1, mode, check.boolean(true))
  for _, module in ipairs(self:modules()) do
    module.training = mode
  end
  return self
end

--- Sets `training` to false here and below and returns the module.
--- raises  nothing
---@return wrun.nn.Module
function Module:eval()
  return self:train(false)
end

--- Sets whether the parameters take part in gradients and returns the module.
--- domain  true or false
--- raises  `requires_grad_: argument 1: expected true or false`
---@param requires_grad boolean? default true
---@return wrun.nn.Module
function Module:requires_grad_(requires_grad)
  requires_grad = check.argument("requires_grad_", 1, requires_grad, check.boolean(true))
  for _, parameter in ipairs(self:parameters()) do
    parameter:requires_grad_(requires_grad)
  end
  return self
end

local ZERO_GRAD_OPTIONS = { set_to_none = check.boolean(true) }

--- Drops the gradients of all parameters; with `set_to_none = false` fills them with zeros instead.
--- domain  option set_to_none, true by default
--- raises  `zero_grad: option NAME: unknown`
---@param options { set_to_none: boolean }?
function Module:zero_grad(options)
  local set_to_none = check.options("zero_grad", options, ZERO_GRAD_OPTIONS).set_to_none
  for _, parameter in ipairs(self:parameters()) do
    if set_to_none then
      parameter.grad = nil
    elseif parameter.grad ~= nil then
      parameter.grad = wrun.zeros_like(parameter.grad)
    end
  end
end

return Module
