--- Sequential: modules in a row, each fed with the output of the one before.

local Module = require "wrun.nn.module"
local check = require "wrun.check"
local core = require "wrun.core"

-- Where an error below a container came from, `Sequential[3] Linear(784 -> 128)`: core.fail looks
-- for a local variable `error_context` in the functions it passes, and only then is the text made.
local Place = {}
Place.__index = Place

function Place:__tostring()
  return ("%s[%d] %s"):format(self.container.__name, self.index, self.container[self.index]:label())
end

---@class wrun.nn.Sequential: wrun.nn.Module
---@field [integer] wrun.nn.Module
local Sequential = Module:extend("Sequential")

--- Makes a container of modules, given as arguments or as one list; they stand at 1, 2, ..., so
--- that `model[1]`, `#model` and `ipairs(model)` work.
--- shapes  each module takes what the one before it gives
--- domain  modules, made and not classes
--- raises  `Sequential[N]: expected a module`
---
---     local model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
---     print(model, model(wrun.ones(2, 4)).shape[2])
---@param ... wrun.nn.Module
function Sequential:init(...)
  self._places = {}
  local modules = table.pack(...)
  local first = modules[1]
  if modules.n == 1 and type(first) == "table" and getmetatable(first) == nil then
    modules = first
  end
  for position = 1, modules.n or #modules do
    self:append(modules[position])
  end
end

--- Adds a module at the end and returns the container.
--- domain  a module, made and not a class
--- raises  `Sequential[N]: expected a module`
---@param module wrun.nn.Module
---@return wrun.nn.Sequential
function Sequential:append(module)
  local position = #self + 1
  if not Module:is_instance(module) then
    local got = check.describe(module)
    if Module:is_class(module) then
      got = ("the class %s; write %s(...) to make one"):format(module.__name, module.__name)
    end
    core.fail("%s[%d]: expected a module, got %s", self.__name, position, got)
  end
  self[position] = module
  return self
end

local function place_of(container, index)
  local place = container._places[index]
  if place == nil then
    place = setmetatable({ container = container, index = index }, Place)
    container._places[index] = place
  end
  return place
end

--- Returns `x` fed through the modules in order; without modules it comes back as it is.
--- shapes  as the first module takes -> as the last one gives
--- domain  as the first module takes
--- raises  `Sequential[N] LAYER: ...`, what the module raises
---@param x wrun.Tensor
---@return wrun.Tensor
function Sequential:forward(x)
  for index = 1, #self do
    local error_context = place_of(self, index)
    x = self[error_context.index](x)
  end
  return x
end

return Sequential
