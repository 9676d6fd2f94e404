--- Module, the base of every layer: assigning a parameter or a module to a field registers it.

local check = require "wrun.check"
local clone = require "wrun.nn.clone"
local hooks = require "wrun.nn.hooks"
local paths = require "wrun.nn.path"
local registry = require "wrun.nn.registry"
local state = require "wrun.nn.state"
local summary = require "wrun.nn.summary"
local wrun = require "wrun"

local call, fail, path_of = hooks.call, check.fail, paths.of

local Module = registry.Module

-- Calling and printing -------------------------------------------------------

local function same(...)
  return ...
end

--- Runs `forward` and the hooks around it: a module is called like a function.
--- raises  what `forward` raises, with the path of the module that holds this one in front
function Module:__call(...)
  local error_context = path_of[self]
  if error_context == nil then
    return call(self, ...)
  end
  return same(call(self, ...)) -- no tail call: the context stands until it returns
end

--- Returns the output for an input; every layer replaces it.
--- shapes  as the layer says
--- domain  as the layer says
---     local Twice = nn.Module:extend("Twice")
---     function Twice:forward(x) return x * 2 end
---     print(Twice()(wrun.ones(2)))
---@type fun(self: wrun.nn.Module, ...: any): any
Module.forward = function(self)
  fail("%s: forward: not defined; %s", self.__name, self.is_collection
    and "call the modules in it" or ("write function %s:forward(x)"):format(self.__name))
end

--- Returns what stands between the brackets when the module prints; a layer with settings replaces
--- it.
---     print(nn.Linear(2, 3):extra_repr())
---@return string
Module.extra_repr = function()
  return ""
end

--- Returns the short name that an error uses for this module, such as `Linear(784 -> 128)`.
---     print(nn.Linear(784, 128):label())
---@return string
function Module:label()
  return self.__name
end

-- The module with its settings, and its parts, each { its name, its text }, on lines of their own;
-- the names may come from a file.
function Module:_print(parts)
  local lines = { self:extra_repr() }
  if #parts == 0 then
    return ("%s(%s)"):format(self.__name, lines[1])
  end
  lines[1] = lines[1] ~= "" and "  " .. lines[1] .. "\n" or ""
  for _, part in ipairs(parts) do
    lines[#lines + 1] = ("  (%s): %s\n"):format(part[1], (part[2]:gsub("\n", "\n  ")))
  end
  return check.escape(("%s(\n%s)"):format(self.__name, table.concat(lines)))
end

function Module:__tostring()
  local parts = {}
  for name, child in registry.fields(self, registry.is_child) do
    parts[#parts + 1] = { name, tostring(child) }
  end
  return self:_print(parts)
end

Module._habits = {
  cpu = "wrun computes on the processor alone",
  cuda = "wrun computes on the processor alone",
  device = "wrun computes on the processor alone",
  backward = "write module(...):backward(), where that is one number",
  save = "write wrun.save(path, module:state_dict())",
  load = "write module:load_state_dict(wrun.load(path))",
  fit = "training is a loop over loader:batches()",
  predict = "write module(x)",
  init_weights = "write nn.init.apply(module, rule)",
  reset_parameters = "layers have it, each its own; write nn.init.apply(module, rule)",
}

-- What a module holds --------------------------------------------------------

--- Returns the parameters of this module and all below it, own ones first; a shared one comes once.
--- shapes  any
--- domain  option recurse = false leaves out what is below; option prefix stands before the names
---     print(#nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)):parameters())
---@param options { recurse: boolean, prefix: string }?
---@return wrun.Tensor[]
function Module:parameters(options)
  local _, parameters = registry.collect("parameters", self, registry.is_parameter, options)
  return parameters
end

--- Iterates over name and parameter in the order of `parameters`; names are paths like `1.weight`.
--- as  parameters
---     for name, p in nn.Linear(2, 3):named_parameters() do print(name, p.shape[1]) end
---@return fun(): string, wrun.Tensor
function Module:named_parameters(options)
  return registry.iterate(
    registry.collect("named_parameters", self, registry.is_parameter, options))
end

--- Returns the buffers of this module and all below it.
--- as  parameters
function Module:buffers(options)
  local _, buffers = registry.collect("buffers", self, registry.is_buffer, options)
  return buffers
end

--- Iterates over name and buffer in the order of `buffers`.
--- as  named_parameters
---     for name in nn.BatchNorm1d(2):named_buffers() do print(name) end
function Module:named_buffers(options)
  return registry.iterate(registry.collect("named_buffers", self, registry.is_buffer, options))
end

--- Returns the modules directly below this one.
---     print(nn.Sequential(nn.ReLU(), nn.Tanh()):children()[2])
---@return wrun.nn.Module[]
function Module:children()
  local children = {}
  for _, child in self:named_children() do
    children[#children + 1] = child
  end
  return children
end

--- Iterates over name and module directly below this one; a Sequential's names are integers.
---     for name, layer in nn.Sequential(nn.ReLU(), nn.Tanh()):named_children() do
---       print(name, layer)
---     end
---@return fun(): string|integer, wrun.nn.Module
function Module:named_children()
  return registry.fields(self, registry.is_child)
end

local function paths_and_modules(module)
  local all_paths, modules = {}, {}
  registry.walk(module, "", function(path, below)
    all_paths[#all_paths + 1] = path:sub(1, -2)
    modules[#modules + 1] = below
  end, {})
  return all_paths, modules
end

--- Returns this module and all below it, parents first; a shared one comes once.
---     print(#nn.Sequential(nn.ReLU(), nn.Tanh()):modules()) -- the network and its two layers
---@return wrun.nn.Module[]
function Module:modules()
  local _, modules = paths_and_modules(self)
  return modules
end

--- Iterates over path and module in the order of `modules`; the path of this module is "".
---     for path, module in nn.Sequential(nn.ReLU(), nn.Tanh()):named_modules() do
---       print(path, module:label())
---     end
---@return fun(): string, wrun.nn.Module
function Module:named_modules()
  return registry.iterate(paths_and_modules(self))
end

--- Makes `parameter` a field, as an assignment does that checks both.
--- shapes  any
--- domain  a parameter, as nn.Parameter makes it
---     local layer = nn.Identity()
---     layer:register_parameter("scale", nn.Parameter(wrun.ones(1)))
---     print(#layer:parameters())
function Module:register_parameter(name, parameter)
  registry.check_name("register_parameter: argument 1", self, name)
  if not registry.is_parameter(self, name, parameter) then
    fail("register_parameter: argument 2: expected a parameter, got %s; nn.Parameter makes one",
      check.describe(parameter))
  end
  self[name] = parameter
end

--- Makes `module` a field, as an assignment does that checks both.
--- domain  a module, made and not a class
---     local net = nn.Identity()
---     net:add_module("inner", nn.ReLU())
---     print(net)
function Module:add_module(name, module)
  registry.check_name("add_module: argument 1", self, name)
  if not registry.is_child(self, name, module) then
    fail("add_module: argument 2: expected a module, got %s", check.describe(module))
  end
  self[name] = module
end

-- What a path of names leads to: the last to a field that `is_kind` accepts, the others to modules.
local function follow(fname, module, path, is_kind, noun)
  check.argument(fname, 1, path, check.string())
  local found = module
  for name, dot in path:gmatch("([^.]+)(%.?)") do
    local owner = found
    found = nil
    for key, value in registry.fields(owner, dot == "." and registry.is_child or is_kind) do
      found = tostring(key) == name and value or found
    end
    if found == nil then
      fail("%s: argument 1: expected the path of a %s, got '%s'; %s has no '%s'", fname, noun, path,
        owner.__name, name)
    end
  end
  return found
end

--- Returns the module at a path such as "encoder.1"; this one for "".
--- domain  names with a dot between each two
---     local model = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
---     print(model:get_submodule("2.1"))
---@return wrun.nn.Module
function Module:get_submodule(path)
  return follow("get_submodule", self, path, registry.is_child, "module")
end

--- Returns the parameter at a path such as "1.weight".
--- shapes  any
--- as  get_submodule
---     print(nn.Sequential(nn.Linear(2, 1)):get_parameter("1.bias").shape[1])
---@return wrun.Tensor
function Module:get_parameter(path)
  return follow("get_parameter", self, path, registry.is_parameter, "parameter")
end

--- Returns the buffer at a path such as "1.running_mean".
--- shapes  any
--- as  get_submodule
---     print(nn.Sequential(nn.BatchNorm1d(2)):get_buffer("1.running_mean"))
---@return wrun.Tensor
function Module:get_buffer(path)
  return follow("get_buffer", self, path, registry.is_buffer, "buffer")
end

Module.register_forward_pre_hook = hooks.register_forward_pre_hook
Module.register_forward_hook = hooks.register_forward_hook
Module.register_full_backward_hook = hooks.register_full_backward_hook
Module.clone = clone
Module.summary = summary

--- Returns the floating point operations of the products of a forward, a multiply-add counting as
--- 2, modules below left out; 0 unless a layer says more.
--- shapes  any
--- domain  the list of the arguments of a forward, and its output
---@type fun(self: wrun.nn.Module, inputs: table, output: any): integer
Module.flops = function()
  return 0
end

local BUFFER_OPTIONS = { persistent = check.boolean(true) }

--- Makes `tensor` a field that belongs to the module's state but is not trained.
--- shapes  any
--- domain  `persistent = false` keeps it out of `state_dict`
---     local layer = nn.Linear(2, 3)
---     layer:register_buffer("seen", wrun.zeros(1))
---     print(layer:state_dict().seen)
function Module:register_buffer(name, tensor, options)
  registry.check_name("register_buffer: argument 1", self, name)
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
---     print(nn.Linear(2, 3):float().weight.dtype)
---@return wrun.nn.Module
function Module:float()
  return self:to("float32")
end

--- Casts the module to float64, as `to`.
--- as  float
function Module:double()
  return self:to("float64")
end

-- Changing the whole module --------------------------------------------------

--- Calls `fn` with every module, children before their parent, and returns the module.
--- domain  any function
---     nn.Sequential(nn.ReLU(), nn.Tanh()):apply(function(layer) print(layer:label()) end)
---@param fn fun(module: wrun.nn.Module)
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
---     print(nn.Dropout():train(false).training)
function Module:train(mode)
  mode = check.argument("train", 1, mode, check.boolean(true))
  for _, module in ipairs(self:modules()) do
    module.training = mode
  end
  return self
end

--- Sets `training` to false here and below and returns the module.
--- raises  nothing
---     print(nn.Dropout():eval().training)
---@return wrun.nn.Module
function Module:eval()
  return self:train(false)
end

--- Sets whether the parameters take part in gradients and returns the module.
--- domain  true or false
---     print(nn.Linear(2, 3):requires_grad_(false).weight.requires_grad)
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
---     local layer = nn.Linear(2, 3)
---     layer(wrun.ones(1, 2)):sum():backward()
---     layer:zero_grad()
---     print(layer.weight.grad)
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
