--- List, the base of containers whose items stand at 1, 2, ...
--- An item may have a name, by which it is a field too and which stands in the paths of parameters.

local check = require "wrun.check"
local Class = require "wrun.class"
local Module = require "wrun.nn.module"
local registry = require "wrun.nn.registry"
local slip = require "wrun.slip"

local fail = check.fail

---@class wrun.nn.List: wrun.nn.Module
---@field [integer] any
local List = Module:extend("List")

-- what the items of the class are, for errors, and the function that recognises one
List._item = {
  expected = "a module",
  accept = function(value)
    return Module:is_instance(value)
  end,
}

local NOTHING = {}

local function items_of(list)
  return list._held or NOTHING
end

local function index_of(list, key)
  if math.type(key) == "integer" then
    return key < 0 and #list + key + 1 or key
  end
  for index, name in pairs(rawget(list, "_names") or {}) do
    if name == key then
      return index
    end
  end
end

-- Reads methods, indices from the end, and names.
function List._reader(class)
  return function(object, key)
    local value = class[key]
    if value ~= nil then
      return value
    end
    local list = registry.owner(object)
    local index = index_of(list, key)
    if index == nil then
      slip.refuse(list, class, key)
    elseif key == 0 then
      fail("%s: indices count from 1, got 0", class.__name)
    end
    return index and rawget(items_of(list), index)
  end
end

function List._remedy(class, name)
  return name == "add" and "write module:append(item)" or List.super._remedy(class, name)
end

local function check_item(list, index, value)
  if list._item.accept(value) then
    return
  end
  fail("%s[%d]: expected %s, got %s%s", list.__name, index, list._item.expected,
    check.describe(value),
    Module:is_class(value) and ("; write %s(...) to make one"):format(value.__name) or "")
end

function List:__len()
  return #items_of(self)
end

function List:__newindex(key, value)
  local index = index_of(self, key)
  if index == nil then
    registry.assign(self, key, value)
  elseif value == nil and index == #self and index > 0 then
    self:remove()
  elseif value == nil and index >= 1 and index < #self then
    fail("%s[%d]: a list has no gaps; write list:remove(%d)", self.__name, index, index)
  elseif index >= 1 and index <= #self + 1 then
    check_item(self, index, value)
    registry.assign(self, index, value)
  else
    fail("%s: expected an index from 1 to %d, got %s", self.__name, #self + 1,
      check.describe(key))
  end
end

--- Makes a subclass, as every class does; of a container, adds the items of a list at its end and
--- returns it.
--- domain  the name of the subclass, or a list of items
--- raises  `Sequential[N]: expected a module`
---     local model = nn.Sequential(nn.Linear(2, 2)):extend({ nn.ReLU(), nn.Linear(2, 1) })
---     print(model)
---@param list wrun.nn.List
---@param what string|table
---@return any
function List.extend(list, what)
  if not List:is_instance(list) then
    return Class.extend(list, what)
  end
  check.argument("extend", 1, what, check.table())
  local count = List:is_instance(what) and #what or rawlen(what)
  for index = 1, count do
    check_item(list, #list + index, what[index])
  end
  for index = 1, count do
    list:append(what[index])
  end
  return list
end

-- Is this { "name", item }?
local function is_named(value)
  return type(value) == "table" and getmetatable(value) == nil and type(value[1]) == "string"
end

--- Makes the container from items given as arguments or as one list; a pair { "name", item } stands
--- for an item with a name.
--- domain  items as the class holds them
--- raises  `Sequential[N]: expected a module`; `Sequential: expected a new field name`
function List:init(...)
  local items = table.pack(...)
  local first = items[1]
  if items.n == 1 and type(first) == "table" and getmetatable(first) == nil
    and not is_named(first) then
    items = first
  end
  for key in next, items do
    if type(key) == "string" and key ~= "n" then
      fail("%s: names in a table have no order; write { \"%s\", item } for each", self.__name, key)
    end
  end
  for index = 1, items.n or #items do
    local item = items[index]
    if is_named(item) then
      self:append(item[2], item[1])
    else
      self:append(item)
    end
  end
end

-- Gives the item at an index its name, or moves the names behind when there are any.
local function insert_name(list, index, name)
  if name == nil and not rawget(list, "_names") then
    return
  elseif not rawget(list, "_names") then
    rawset(list, "_names", {})
  end
  local names = list._names
  for i = #list, index, -1 do
    names[i + 1] = names[i]
  end
  names[index] = name
end

--- Adds an item before the one at an index, counted from the end where negative; returns the
--- container.
--- domain  indices from 1 to one after the last, or from the end
--- raises  `Sequential[N]: expected a module`
---     local model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
---     print(model:insert(2, nn.ReLU()))
---@param name string?
---@return any
function List:insert(index, item, name)
  local count = #self
  local at = math.type(index) == "integer" and index_of(self, index) or 0
  if at < 1 or at > count + 1 then
    fail("insert: argument 1: expected an index from 1 to %d, got %s", count + 1,
      check.describe(index))
  end
  check_item(self, at, item)
  if name ~= nil then
    registry.check_name(self.__name, self, name)
  end
  insert_name(self, at, name)
  for i = count, at, -1 do
    registry.assign(self, i + 1, rawget(self._held, i))
  end
  registry.assign(self, at, item)
  return self
end

--- Adds an item at the end and returns the container.
--- domain  an item as the class holds it, made and not a class; a name for it
--- raises  `Sequential[N]: expected a module`
---     print(nn.Sequential():append(nn.ReLU()))
---@param name string?
---@return any
function List:append(item, name)
  return self:insert(#self + 1, item, name)
end

--- Takes the item at an index (the last) out and returns it.
--- domain  indices from 1 or from the end
---     local model = nn.Sequential(nn.ReLU(), nn.Tanh())
---     print(model:remove(1), #model)
---@param index integer?
---@return any
function List:remove(index)
  local count = #self
  local at = index == nil and count or index_of(self, index) or 0
  if at < 1 or at > count then
    fail("remove: argument 1: expected an index from 1 to %d, got %s", count,
      check.describe(index))
  end
  local item = self._held[at]
  for i = at, count do
    registry.assign(self, i, rawget(self._held, i + 1))
  end
  if rawget(self, "_names") then
    for i = at, count do
      self._names[i] = self._names[i + 1]
    end
  end
  return item
end

--- Returns a container of the same class with the items from `first` to `last`, which are shared.
--- domain  indices from 1 or from the end; none where first comes after last
---     local model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
---     print(model:slice(1, -2))
---@return any
function List:slice(first, last)
  first = index_of(self, check.argument("slice", 1, first, check.integer(1)))
  last = index_of(self, check.argument("slice", 2, last, check.integer(-1)))
  local part = getmetatable(self)()
  local names = rawget(self, "_names") or {}
  for index = math.max(1, first), math.min(#self, last) do
    part:append(self._held[index], names[index])
  end
  return part
end

return List
