--- Tables that remember the order in which their keys were first assigned.
--- `ordered.new()` makes one that `pairs` walks in that order; a class whose instances should
--- remember takes `ordered.assign` as its `__newindex` and walks them with `ordered.pairs`. The
--- order lives in the table itself, under a key that only this module holds.

local repr = require "wrun.repr"

local M = {}

local ORDER = {}

-- Remembers a key, as the last one where it is new.
function M.note(object, key)
  local order = rawget(object, ORDER)
  if order == nil then
    order = { keys = {}, known = {} }
    rawset(object, ORDER, order)
  end
  if not order.known[key] then
    order.known[key] = true
    order.keys[#order.keys + 1] = key
  end
end

-- Assigns a key and remembers it; made to be a `__newindex`. A key set to nil keeps its turn and is
-- passed over until it has a value again.
function M.assign(object, key, value)
  M.note(object, key)
  rawset(object, key, value)
end

-- Walks the keys that have a value, in the object or in `held`, a table apart, in the order of their
-- first assignment. Keys that are added meanwhile do not come.
function M.pairs(object, held)
  local order = rawget(object, ORDER)
  local keys = order and order.keys or {}
  local index, count = 0, #keys
  return function()
    local value
    repeat
      index = index + 1
      value = rawget(object, keys[index])
      if value == nil and held then
        value = rawget(held, keys[index])
      end
    until value ~= nil or index > count
    if index <= count then
      return keys[index], value
    end
  end
end

local Ordered = { __name = "StateDict", __newindex = M.assign, is_ordered = true }

function Ordered:__pairs()
  return M.pairs(self)
end

function Ordered:__tostring()
  return repr.object("StateDict", self)
end

-- An empty table that `pairs` walks in the order of assignment; it prints as the state of a module.
function M.new()
  return setmetatable({}, Ordered)
end

return M
