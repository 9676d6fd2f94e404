--- What a module holds: the class Module itself, the kinds of its fields, and walks over them.
--- An instance remembers the order in which its fields were first assigned. What a field is given
--- decides what it is: a parameter, a child module, a buffer (named by `register_buffer`), or a
--- plain value. Plain values lie in the module. What is registered lies in a table apart, `_held`,
--- so that Lua asks __newindex for every assignment to it; reads find it there through a metatable
--- of the one module, which stands for its class everywhere else.

local check = require "wrun.check"
local Class = require "wrun.class"
local core = require "wrun.core"
local method = require "wrun.method"
local ordered = require "wrun.nn.ordered"
local paths = require "wrun.nn.path"

---@class wrun.nn.Module: wrun.Class
---@field training boolean
--- The base of every layer and network: a class with `init` and `forward`. Parameters and modules
--- in its fields are found by themselves, in the order of their first assignment.
---     local Scale = nn.Module:extend("Scale")
---     function Scale:init(n) self.by = nn.Parameter(wrun.ones(n)) end
---     function Scale:forward(x) return x * self.by end
---     print(Scale(2), Scale(2)(wrun.ones(2)), #Scale(2):parameters())
---@overload fun(...): any
local Module = Class:extend("Module")
Module.training = true
Module._buffers = {} -- name -> persistent; register_buffer gives an instance its own

local M = { Module = Module }

function Module._blank()
  return { _hooks = false, _held = false } -- or its hooks, and what it holds, tables
end

-- What a module holds --------------------------------------------------------

local OWNER = {} -- the key under which a table of what is held has its module

local held_metatables = setmetatable({}, { __mode = "k" }) -- class -> that of such a table

-- Returns the module of a table of what it holds; any other object is its own.
function M.owner(object)
  return rawget(object, OWNER) or object
end

-- Has a module read and written through `held`.
function M.attach(module, held)
  local class = getmetatable(module)
  local own = { __metatable = class, super = class }
  for name, value in next, class do
    own[name] = type(name) == "string" and name:find("^__") and value or own[name]
  end
  own.__index = held
  debug.setmetatable(module, own)
  rawset(module, "_held", held)
end

local function held_of(module)
  local held = module._held
  if not held then
    local class = getmetatable(module)
    held_metatables[class] = held_metatables[class] or { __index = class.__index, super = class }
    held = setmetatable({ [OWNER] = module }, held_metatables[class])
    M.attach(module, held)
  end
  return held
end

-- Returns the value of a field, and does not look in the class.
function M.field(module, key)
  local held = module._held
  return held and rawget(held, key) or rawget(module, key)
end

-- Puts a value in a field that has one, without a look at what it is.
function M.put(module, key, value)
  local held = module._held
  rawset(held and rawget(held, key) ~= nil and held or module, key, value)
end

-- Refuses a forward of a script's that takes but one thing and does not call it self: the module
-- comes first.
function Module._define(class, name, value)
  local info = name == "forward" and type(value) == "function" and debug.getinfo(value, "u")
  local first = info and info.nparams == 1 and not info.isvararg and debug.getlocal(value, 1)
  if first and first ~= "self" and first:sub(1, 1) ~= "_" then
    check.fail("%s: forward: the module comes first; write function %s:forward(%s)", class.__name,
      class.__name, first)
  end
  method.define(class, name, value)
end

-- Refuses for a field that holds a parameter, a module or a buffer what is none.
local function check_held(module, key, was, value)
  local is_buffer = module._buffers[key] ~= nil
  if value == nil or is_buffer and check.is_tensor(value) then
    return
  end
  local kind = Module:is_instance(was) and "module" or is_buffer and "tensor" or "parameter"
  check.fail("%s: field %s: expected a %s as before, or nil, got %s%s", module.__name, key, kind,
    check.describe(value), kind == "parameter" and check.is_tensor(value) and ("; write "
      .. "nn.Parameter(tensor), or %s:copy_(tensor) inside wrun.no_grad"):format(key) or "")
end

-- Assigns a field, remembers its order, and where a module stands.
function M.assign(owner, key, value)
  local is_module = Module:is_instance(value)
  local is_registered = is_module or M.is_state(owner, key, value)
  local is_name = type(key) == "string" and key:sub(1, 2) ~= "__" or math.tointeger(key) ~= nil
  if key ~= key or key == nil or is_registered and not is_name then
    check.fail("%s: expected the name of a field, got %s", owner.__name, check.describe(key))
  end
  local held = owner._held
  local was = held and rawget(held, key) or nil
  if was ~= nil and not is_registered then
    check_held(owner, key, was, value)
    rawset(held, key, nil)
  end
  ordered.note(owner, key)
  if is_module then
    paths.note(owner, key, value)
  end
  if is_registered then
    rawset(owner, key, nil)
    rawset(held_of(owner), key, value)
  else
    rawset(owner, key, value)
  end
end

-- Registers what was assigned to fields that had plain values.
local function settle(owner)
  for key, value in ordered.pairs(owner) do
    if Module:is_instance(value) or M.is_state(owner, key, value) then
      M.assign(owner, key, value)
    end
  end
end

Module.__newindex = M.assign

-- All fields, in the order of their first assignment.
function Module:__pairs()
  return M.fields(self, function() return true end)
end

-- Refuses a name that is no string, has a dot or a zero byte, or is taken by a field or a method of
-- the module.
function M.check_name(context, module, name)
  if type(name) ~= "string" or name == "" or name:find(".", 1, true) or module[name] ~= nil then
    check.fail("%s: expected a new field name without a dot, got %s", context, check.describe(name))
  elseif name:find("\0", 1, true) then
    check.fail("%s: expected a new field name without zero bytes, got %s", context,
      check.describe(name))
  end
end

function M.is_parameter(_, _, value)
  return check.is_tensor(value) and core.is_parameter(value)
end

function M.is_buffer(module, name, value)
  return module._buffers[name] ~= nil and check.is_tensor(value)
end

function M.is_state(module, name, value)
  return M.is_parameter(module, name, value) or M.is_buffer(module, name, value)
end

function M.is_persistent_buffer(module, name, value)
  return module._buffers[name] == true and check.is_tensor(value)
end

function M.is_child(_, _, value)
  return Module:is_instance(value)
end

-- Iterates over the fields of one module that `is_kind` accepts; the item of a list comes by its
-- name, if it has one.
function M.fields(module, is_kind)
  settle(module)
  local next_field = ordered.pairs(module, module._held)
  local names = rawget(module, "_names")
  return function()
    local name, value
    repeat
      name, value = next_field()
    until name == nil or is_kind(module, name, value)
    return names and names[name] or name, value
  end
end

-- Calls visit(path, module) for `module` and all below it, parents first. With a `seen` table each
-- module is visited once, however often it is shared.
function M.walk(module, path, visit, seen)
  if seen then
    if seen[module] then
      return
    end
    seen[module] = true
  end
  visit(path, module)
  for name, child in M.fields(module, M.is_child) do
    M.walk(child, path .. name .. ".", visit, seen)
  end
end

local COLLECT_OPTIONS = { recurse = check.boolean(true), prefix = check.string("") }

-- What a field holds but does not register: a leaf that wants a gradient and is no parameter, and
-- the parameters and modules in a plain table.
local function strays_of(value)
  local strays = {}
  if check.is_tensor(value) then
    strays[1] = value.requires_grad and value.is_leaf and value or nil
  elseif type(value) == "table" and getmetatable(value) == nil then
    for _, item in next, value do
      if Module:is_instance(item) or M.is_parameter(nil, nil, item) then
        strays[#strays + 1] = item
      end
    end
  end
  return strays
end

-- Refuses what fields of these modules hold and nobody finds: it would not be trained.
local function refuse_strays(modules, parameters)
  for module in pairs(modules) do
    for name, value in ordered.pairs(module, module._held) do
      local is_found = parameters[value] or modules[value] or M.is_buffer(module, name, value)
      for _, stray in ipairs(not is_found and strays_of(value) or {}) do
        if not parameters[stray] and not modules[stray] then
          local is_in_table, is_tensor = not rawequal(stray, value), check.is_tensor(stray)
          check.fail("%s: field %s: %s%s is not found; write %s", module.__name, name,
            check.describe(stray), is_in_table and " in a plain table" or "",
            not is_tensor and "nn.ModuleList(list) or nn.ModuleDict(table)"
              or is_in_table and "nn.ParameterList(list)" or "nn.Parameter(tensor)")
        end
      end
    end
  end
end

-- Names and values, once each, of the fields that `is_kind` accepts, here and, unless the option
-- recurse is false, below; the option prefix stands in front of the names.
function M.collect(fname, module, is_kind, options)
  local names, values, seen = {}, {}, {}
  local function visit(path, owner)
    for name, value in M.fields(owner, is_kind) do
      if not seen[value] then
        seen[value] = true
        names[#names + 1] = path .. name
        values[#values + 1] = value
      end
    end
  end
  local o = options and check.options(fname, options, COLLECT_OPTIONS)
  local path = o and o.prefix ~= "" and o.prefix .. "." or ""
  if o and not o.recurse then
    visit(path, module)
  else
    local modules = {}
    M.walk(module, path, visit, modules)
    if is_kind == M.is_parameter then
      refuse_strays(modules, seen)
    end
  end
  return names, values
end

function M.iterate(names, values)
  local index = 0
  return function()
    index = index + 1
    return names[index], values[index]
  end
end

return M
