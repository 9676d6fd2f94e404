--- A module's state: out as a table of name and tensor, back in, exchanged for a call, and cast to
--- another dtype.

local check = require "wrun.check"
local core = require "wrun.core"
local names = require "wrun.names"
local ordered = require "wrun.nn.ordered"
local Parameter = require "wrun.nn.parameter"
local registry = require "wrun.nn.registry"
local repr = require "wrun.repr"
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
    own[name] = tensor
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
  return missing, unexpected, misfits, own
end

-- Which renaming would fit ---------------------------------------------------

-- Where do the names of a state, each through `rename`, and their shapes agree with the module's?
local function fits(own, state, rename)
  local seen = {}
  for name, tensor in pairs(state) do
    local renamed = type(name) == "string" and rename(name)
    local wanted = renamed and own[renamed]
    if not wanted or seen[renamed] or not check.is_tensor(tensor)
      or not check.same_shape(wanted, tensor) then
      return false
    end
    seen[renamed] = true
  end
  for name in pairs(own) do
    if not seen[name] then
      return false
    end
  end
  return true
end

-- "net.0.weight" -> "net.1.weight": PyTorch's containers count from 0
local function counted_from_1(name)
  return (("." .. name):gsub("%.(%d+)%f[.\0]", function(digits)
    return "." .. math.tointeger(digits) + 1
  end):sub(2))
end

local function same(name)
  return name
end

-- The beginnings of two names up to where their last parts, after dots, are the same.
local function beginnings(a, b)
  local before = 0
  for at in ("." .. a):gmatch("()%.") do
    local tail = a:sub(at)
    if before == 0 and tail == b:sub(-#tail) and ("." .. b):sub(-#tail - 1, -#tail - 1) == "." then
      before = at
    end
  end
  return before > 0 and a:sub(1, before - 1), before > 0 and b:sub(1, #b - (#a - before) - 1)
end

-- The words for a change of names after which a state would fit the module, "" where none is found.
local function renaming(own, state)
  local first = check.sorted_keys(own)[1]
  for _, counted in ipairs { same, counted_from_1 } do
    local and_counted = counted == same and "" or " and every number raised by 1"
    if fits(own, state, counted) then
      return "; the names fit with every number raised by 1"
    end
    for name in pairs(first and state or {}) do
      local from, to = beginnings(type(name) == "string" and counted(name) or "", first)
      local function rename(other)
        other = counted(other)
        return other:sub(1, #from) == from and to .. other:sub(#from + 1)
      end
      if from and fits(own, state, rename) then
        local change = from == "" and "with '%s' in front" or to == "" and "without '%s' in front"
          or "with '%s' for '%s' in front"
        return ("; the names fit " .. change .. "%s"):format(table.unpack(
          from ~= "" and to ~= "" and { to, from, and_counted } or { to .. from, and_counted }))
      end
    end
  end
  return ""
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
  if type(state) == "string" then
    check.fail("%s: argument 1: expected a table, got %s; write wrun.load(path)", fname,
      check.describe(state))
  end
  check.argument(fname, 1, state, check.table())
  local strict = check.options(fname, options, LOAD_OPTIONS).strict
  local missing, unexpected, misfits, own = compare(self, state)
  local complaints = misfits
  if strict and #unexpected > 0 then
    table.insert(complaints, 1, "unexpected " .. table.concat(unexpected, ", "))
  end
  if strict and #missing > 0 then
    table.insert(complaints, 1, "missing " .. table.concat(missing, ", "))
  end
  if #complaints > 0 then
    check.fail("%s: %s%s", fname, table.concat(complaints, "; "), renaming(own, state))
  end
  local _ <close> = wrun.no_grad()
  each_entry(self, function(name, tensor)
    if state[name] ~= nil then
      tensor:copy_(state[name])
    end
  end)
  return repr.result("Keys", { missing_keys = missing, unexpected_keys = unexpected })
end

-- Calling with another state -------------------------------------------------

local CALL_OPTIONS = { strict = check.boolean(false) }

-- path -> { owner, key, tensor } of all parameters and buffers, also where one stands twice
local function fields_of(module)
  local fields = {}
  registry.walk(module, "", function(path, owner)
    local given = rawget(owner, "_names") or {}
    for key, tensor in ordered.pairs(owner, owner._held) do
      if registry.is_state(owner, key, tensor) then
        fields[path .. (given[key] or key)] = { owner, key, tensor }
      end
    end
  end)
  return fields
end

-- Puts the tensors of `state` in their places; `replaced` remembers what stood there.
local function replace(fields, state, replaced)
  local other = {}
  for name, tensor in pairs(state) do
    local field = fields[name]
    if field == nil or not check.is_tensor(tensor) then
      local expected = field and "a tensor" or "the name of a parameter or buffer"
      check.fail("functional_call: argument 2: %s: expected %s, got %s",
        check.escape(tostring(name)), expected, check.describe(field and tensor or name))
    end
    other[field[3]] = tensor
  end
  for _, field in pairs(fields) do
    local owner, key, tensor = table.unpack(field)
    if other[tensor] then
      replaced[#replaced + 1] = field
      registry.put(owner, key, other[tensor])
    end
  end
end

local Replaced = {
  __close = core.scoped.undo(function(replaced)
    for i = #replaced, 1, -1 do
      registry.put(table.unpack(replaced[i]))
      replaced[i] = nil
    end
  end),
}

--- Calls a module with tensors in the place of parameters and buffers of these names, through which
--- gradients flow, and returns its results; the module has its own back afterwards.
--- shapes  each tensor as the module's own
--- domain  names as in `state_dict`; what is not named stays. A parameter that stands in two places
---   is replaced in both. `arguments` is the only one, or a list. With option strict, all must be
---   named
--- raises  what `forward` raises
---     local layer = nn.Linear(2, 1)
---     local w = wrun.ones(1, 2, { requires_grad = true })
---     nn.functional_call(layer, { weight = w }, wrun.ones(3, 2)):sum():backward()
---     print(w.grad)
---@param module wrun.nn.Module
---@param state table  tensors by name
---@param arguments wrun.Tensor|any[]
---@param options { strict: boolean }?
---@return any ...
function M.functional_call(module, state, arguments, options)
  if not registry.Module:is_instance(module) then
    check.fail("functional_call: argument 1: expected a module, got %s", check.describe(module))
  end
  check.argument("functional_call", 2, state, check.table())
  arguments = check.is_tensor(arguments) and { arguments, n = 1 }
    or check.packed("functional_call", 3, arguments)
  local fields = fields_of(module)
  if check.options("functional_call", options, CALL_OPTIONS).strict then
    for _, name in ipairs(check.sorted_keys(fields)) do
      if state[name] == nil then
        check.fail("functional_call: argument 2: expected all parameters and buffers, missing %s",
          name)
      end
    end
  end
  local replaced <close> = setmetatable({}, Replaced)
  local _ <close> = replaced -- twice: a host's interrupt may come in the call that closes
  replace(fields, state, replaced)
  local results = table.pack(module(table.unpack(arguments, 1, arguments.n)))
  return table.unpack(results, 1, results.n)
end

--- Modules as functions of their parameters, under PyTorch's names.
M.func = names.closed("func", { functional_call = M.functional_call })

-- Casting --------------------------------------------------------------------

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
