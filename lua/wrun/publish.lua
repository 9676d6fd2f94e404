--- Puts the functions of several files into one table, and refuses two of one name.

local Class = require "wrun.class"

local M = {}

--- Copies every field of `source` to `target` and returns `target`. It may do so again, if memory
--- ran out at first.
--- raises  `publish: NAME: is there already`
---@param target table
---@param source table
---@return table target
function M.into(target, source)
  for name, value in pairs(source) do
    local there = target[name]
    if there ~= nil and (Class._method_of[there] or there) ~= value then
      error(("publish: %s: is there already"):format(name), 0)
    end
    target[name] = value
  end
  return target
end

--- Marks functions of a topic that take no tensor first, so that tensors do not get them as
--- methods, and returns the topic.
---@param topic table
---@param names string[]
---@return table topic
function M.without_methods(topic, names)
  local marked = {}
  for _, name in ipairs(names) do
    marked[name] = true
  end
  return setmetatable(topic, { without_methods = marked })
end

--- Is this function of a topic a method of tensors too?
---@param topic table
---@return boolean
function M.is_method(topic, name)
  local marks = getmetatable(topic)
  return not (marks and marks.without_methods[name])
end

return M
