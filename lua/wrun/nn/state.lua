--- A module's state: out as a table of name and tensor, back in, and cast to another dtype.

local check = require "wrun.check"
local core = require "wrun.core"
local ordered = require "wrun.nn.ordered"
local Parameter = require "wrun.nn.parameter"
local registry = require "wrun.nn.registry"
local wrun = require "wrun"

local M = {}

local function each_entry(module, visit)
  registry.walk(module, "", function(path, owner)
    for name, tensor in registry.fields(owner, registry.is_parameter) do
      visit(path .. name, tensor)
    end
    for name, tensor in registry.fields(owner, registry.is_persistent_buffer) do
      visit(path .. name, tensor)
    end
  end)
end

--- Returns a table of name and tensor that `pairs` walks in order: per module parameters, then
--- buffers. The tensors share the module's memory and are detached from its graph.
--- shapes  any
--- domain  persistent buffers only; names are paths, such as `1.weight`
---     for name, x in pairs(nn.Linear(2, 3):state_dict()) do print(name, x.shape[1]) end
---@return table<string, wrun.Tensor>
function M.state_dict(self)
  local state = ordered.new()
  each_entry(self, function(name, tensor)
    state[name] = tensor:detach()
  end)
  return state
end

local LOAD_OPTIONS = { strict = check.boolean(true) }

-- Compares what the module has with what came: names missing, names unexpected, and misfits.
local function compare(module, state)
  local own, missing, unexpected, misfits = {}, {}, {}, {}
  each_entry(module, function(name, tensor)
    own[name] = true
    local given = state[name]
    if given == nil then
      missing[#missing + 1] = name
    elseif not check.is_tensor(given) then
      misfits[#misfits + 1] = ("%s: expected a tensor, got %s"):format(name, check.describe(given))
    elseif not check.same_shape(given, tensor) then
      local want, got = check.shape_text(tensor), check.shape_text(given)
      misfits[#misfits + 1] = ("%s: expected %s, got %s"):format(name, want, got)
    end
  end)
  for name in pairs(state) do
    if not own[name] then
      unexpected[#unexpected + 1] = tostring(name)
    end
  end
  table.sort(unexpected)
  return missing, unexpected, misfits
end

--- Copies tensors by name into the parameters and buffers; on an error nothing has changed.
--- shapes  each as the module's own of that name
--- domain  a table from `state_dict` or any table of name and tensor; values are cast to the
---   module's dtype. With `strict = false` missing and unexpected names are returned instead of
---   raised.
--- raises  `load_state_dict: missing NAMES; unexpected NAMES; NAME: expected SHAPE, got SHAPE`, all
---   in one
---     local a, b = nn.Linear(2, 3), nn.Linear(2, 3)
---     b:load_state_dict(a:state_dict())
---     assert(a.weight:equal(b.weight))
---@param state table<string, wrun.Tensor>
---@return { missing_keys: string[], unexpected_keys: string[] }
function M.load_state_dict(self, state, options)
  local fname = self.__name .. ": load_state_dict"
  check.argument(fname, 1, state, check.table())
  local strict = check.options(fname, options, LOAD_OPTIONS).strict
  local missing, unexpected, misfits = compare(self, state)
  local complaints = misfits
  if strict and #unexpected > 0 then
    table.insert(complaints, 1, "unexpected " .. table.concat(unexpected, ", "))
  end
  if strict and #missing > 0 then
    table.insert(complaints, 1, "missing " .. table.concat(missing, ", "))
  end
  if #complaints > 0 then
    check.fail("%s: %s", fname, table.concat(complaints, "; "))
  end
  local _ <close> = wrun.no_grad()
  each_entry(self, function(name, tensor)
    if state[name] ~= nil then
      tensor:copy_(state[name])
    end
  end)
  return { missing_keys = missing, unexpected_keys = unexpected }
end

local DTYPE = check.float_dtype()

local function cast(tensor, dtype)
  local result = tensor:detach():to(dtype)
  if core.is_parameter(tensor) then
    result = Parameter(result, tensor.requires_grad)
    if tensor.grad ~= nil then
      result.grad = tensor.grad:detach():to(dtype)
    end
  end
  return result
end

--- Puts float parameters and buffers of another dtype in the place of those the module has, and
--- returns the module. They are new tensors: make the optimiser afterwards.
--- domain  "float32" or "float64"; integer buffers stay as they are, shared tensors stay shared
---     print(nn.Linear(2, 3):to("float64").bias.dtype)
function M.to(self, dtype)
  check.argument("to", 1, dtype, DTYPE)
  local done = {}
  for _, module in ipairs(self:modules()) do
    for name, tensor in registry.fields(module, registry.is_state) do
      if check.is_float(tensor) and tensor.dtype ~= dtype then
        done[tensor] = done[tensor] or cast(tensor, dtype)
        module[name] = done[tensor]
      end
    end
  end
  return self
end

return M
