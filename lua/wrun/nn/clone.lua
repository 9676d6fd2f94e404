--- Deep copies of modules.

local check = require "wrun.check"
local core = require "wrun.core"
local Parameter = require "wrun.nn.parameter"
local paths = require "wrun.nn.path"
local registry = require "wrun.nn.registry"

local Module = registry.Module

local function copy_of_tensor(tensor)
  local copy = tensor:detach():clone()
  if core.is_parameter(tensor) then
    copy = Parameter(copy, tensor.requires_grad)
    copy.grad = tensor.grad and tensor.grad:detach():clone()
  end
  return copy
end

-- `done` remembers the copy of each table and tensor, so that what was shared is shared again.
local function copy_of(value, done)
  if done[value] then
    return done[value]
  elseif check.is_tensor(value) then
    done[value] = copy_of_tensor(value)
    return done[value]
  elseif type(value) ~= "table" or Module:is_class(value) then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  done[value] = copy
  for key, inner in next, value do
    rawset(copy, key, copy_of(inner, done))
  end
  if Module:is_instance(copy) and copy._held then
    registry.attach(copy, copy._held)
    for key, inner in registry.fields(copy, registry.is_child) do
      paths.note(copy, key, inner)
    end
  end
  return copy
end

--- Returns a copy of the module and of all it holds, with memory of its own: tensors, modules,
--- plain tables, hooks. What was shared within it is shared within the copy.
--- domain  gradients of parameters come along; functions and generators stay shared
---     local layer = nn.Linear(2, 1)
---     local copy = layer:clone()
---     print(copy.weight:equal(layer.weight), copy.weight == layer.weight)
---@return wrun.nn.Module
return function(self)
  return copy_of(self, {})
end
