--- Containers: Sequential, which runs its modules in a row, ReZero, which goes around one, and those
--- that only hold.

local call = require("wrun.nn.hooks").call
local check = require "wrun.check"
local List = require "wrun.nn.list"
local Module = require "wrun.nn.module"
local Parameter = require "wrun.nn.parameter"
local paths = require "wrun.nn.path"
local registry = require "wrun.nn.registry"
local wrun = require "wrun"

local M = {}

---@class wrun.nn.Sequential: wrun.nn.List
---@field [integer] wrun.nn.Module
local Sequential = List:extend("Sequential")

--- Makes a container of modules that runs each on the output of the one before. They are given as
--- arguments or as one list, a pair { "name", module } for one with a name; they stand at 1, 2, ...
--- and at -1, -2, ... from the end, so that `model[1]`, `#model` and `ipairs(model)` work.
--- shapes  each module takes what the one before it gives
--- domain  modules, made and not classes
--- raises  `Sequential[N]: expected a module`
---     local model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), { "head", nn.Linear(4, 1) })
---     print(model.head == model[-1])
function Sequential:init(...)
  self._paths = {} -- index -> path, made once: forward is hot
  List.init(self, ...)
end

local function path_of(container, index)
  container._paths[index] = paths.new(container, index)
  return container._paths[index]
end

--- Returns `x` fed through the modules in order; without modules it comes back as it is.
--- shapes  as the first module takes -> as the last one gives
--- domain  as the first module takes
--- raises  `Sequential[N] LAYER: ...`, what the module raises
function Sequential:forward(x)
  local steps, modules = self._paths, self._held or self
  for index = 1, #modules do
    local error_context = steps[index] or path_of(self, index)
    x = call(modules[error_context.key], x)
  end
  return x
end

M.Sequential = Sequential

---@class wrun.nn.ReZero: wrun.nn.Module
---@field alpha wrun.Tensor
local ReZero = Module:extend("ReZero")

--- Makes a residual connection around a module whose weight is learnt, and starts from 0: y = x +
--- alpha * module(x). A network of any depth begins as the identity.
--- shapes  x [...] -> [...], where `module` gives back the shape that it takes
--- domain  a module, made and not a class; its parameters are those of `branch`, alpha is []
--- raises  `ReZero: argument 1: expected a module`
--- source  [Bachlechner2020]
---     local block = nn.ReZero(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
---     print(block.alpha, block(wrun.ones(1, 4)))
---@param module wrun.nn.Module
function ReZero:init(module)
  if not Module:is_instance(module) then
    check.fail("ReZero: argument 1: expected a module, got %s", check.describe(module))
  end
  self.branch = module
  self.alpha = Parameter(wrun.tensor(0.0))
end

function ReZero:forward(x)
  return x + self.alpha * self.branch(x)
end

M.ReZero = ReZero

---@class wrun.nn.ModuleList: wrun.nn.List
---@field [integer] wrun.nn.Module
local ModuleList = List:extend("ModuleList")
ModuleList.is_collection = true

--- Makes a list of modules for a module whose `forward` calls them; `ipairs`, `#`, [i] and [-i]
--- work as on a Sequential, and so do append, extend, insert, remove and slice.
--- domain  modules, made and not classes
--- raises  `ModuleList[N]: expected a module`
---     print(nn.ModuleList(nn.Linear(4, 4), nn.Linear(4, 4)))
function ModuleList:init(...)
  List.init(self, ...)
end

-- Modules that print alike stand in one line, as in PyTorch.
function ModuleList:__tostring()
  if rawget(self, "_names") then
    return Module.__tostring(self)
  end
  local parts, first, previous = {}, 1, nil
  for index = 1, #self + 1 do
    local text = self[index] and tostring(self[index])
    if previous ~= nil and text ~= previous then
      local last = index - 1
      parts[#parts + 1] = first == last and { first, previous }
        or { ("%d-%d"):format(first, last), ("%d x %s"):format(last - first + 1, previous) }
      first = index
    end
    previous = text
  end
  return self:_print(parts)
end

M.ModuleList = ModuleList

-- A container of items by name. `item` is what they are, as List._item.
local function dictionary(class_name, item)
  local class = Module:extend(class_name)
  class.is_collection = true

  local function check_item(self, name, value)
    if registry.field(self, name) == nil then
      registry.check_name(class_name, self, name)
    end
    if not item.accept(value) then
      check.fail("%s.%s: expected %s, got %s", class_name, name, item.expected,
        check.describe(value))
    end
  end

  function class:__newindex(name, value)
    local is_item = name ~= "training" and getmetatable(self) == class -- a subclass has other fields
    if value ~= nil and is_item then
      check_item(self, name, value)
    end
    registry.assign(self, name, value)
  end

  function class:init(items)
    self:update(check.argument(class_name, 1, items, check.table({})))
  end

  --- Adds the items of a table, in the order of their names, or puts them in the place of those
  --- that stood there; returns the container, which has not changed after an error.
  --- domain  a table of names and items as the class holds them
  --- raises  `ModuleDict.NAME: expected a module`; `ModuleDict: expected a new field name`
  ---@param items table<string, any>
  ---@return any
  function class:update(items)
    items = check.argument(class_name .. ": update", 1, items, check.table())
    local names = check.sorted_keys(items)
    for _, name in ipairs(names) do
      check_item(self, name, items[name])
    end
    for _, name in ipairs(names) do
      self[name] = items[name]
    end
    return self
  end

  --- Iterates over name and item in the order in which they were added.
  ---@return fun(): string, any
  function class:items()
    return registry.fields(self, function(_, _, value)
      return item.accept(value)
    end)
  end

  function class:__len()
    local count = 0
    for _ in self:items() do
      count = count + 1
    end
    return count
  end

  class.__pairs = class.items
  return class
end

--- Makes a container of modules by name, for a module whose `forward` calls them: `dict.name` reads
--- and `dict.name = module` adds one, `dict.name = nil` takes it out, `update(table)` adds several,
--- in the order of their names, and `#dict`, `pairs(dict)` and `dict:items()` walk them.
--- raises  `ModuleDict.NAME: expected a module`; `ModuleDict: expected a new name`
---     local heads = nn.ModuleDict({ digit = nn.Linear(8, 10), parity = nn.Linear(8, 2) })
---     print(heads, #heads)
---@type fun(modules: table<string, wrun.nn.Module>?): wrun.nn.Module
M.ModuleDict = dictionary("ModuleDict", List._item)

local PARAMETER = {
  expected = "a parameter",
  accept = function(value)
    return registry.is_parameter(nil, nil, value)
  end,
}

local function print_parameters(self)
  local parts = {}
  for name, parameter in registry.fields(self, registry.is_parameter) do
    parts[#parts + 1] = { name, ("Parameter containing: [%s of size %s]"):format(parameter.dtype,
      table.concat(parameter.shape, "x")) }
  end
  return self:_print(parts)
end

---@class wrun.nn.ParameterList: wrun.nn.List
---@field [integer] wrun.Tensor
local ParameterList = List:extend("ParameterList")
ParameterList._item = PARAMETER

--- Makes a list of parameters that belong to the module that holds it.
--- shapes  any
--- domain  parameters, as nn.Parameter makes them
--- raises  `ParameterList[N]: expected a parameter`
---     print(nn.ParameterList(nn.Parameter(wrun.zeros(2, 3)), nn.Parameter(wrun.zeros(3))))
function ParameterList:init(...)
  List.init(self, ...)
end

ParameterList.__tostring = print_parameters

M.ParameterList = ParameterList

--- Makes a container of parameters by name, as ModuleDict is one of modules.
--- raises  `ParameterDict.NAME: expected a parameter`; `ParameterDict: expected a new name`
---     print(nn.ParameterDict({ scale = nn.Parameter(wrun.ones(3)) }))
---@type fun(parameters: table<string, wrun.Tensor>?): wrun.nn.Module
M.ParameterDict = dictionary("ParameterDict", PARAMETER)

M.ParameterDict.__tostring = print_parameters

return M
