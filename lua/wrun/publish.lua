--- Puts the functions of several files into one table, and refuses two of one name.

local method = require "wrun.method"

local M = {}

--- Copies every field of `source` to `target` and returns `target`. It may do so again, if memory
--- ran out at first.
function M.into(target, source)
  for name, value in pairs(source) do
    local there = rawget(target, name)
    if there ~= nil and method.original(there) ~= method.original(value) then
      error(("publish: %s: is there already"):format(name), 0)
    end
    target[name] = value
  end
  return target
end

--- Marks functions of a topic that take no tensor first, so that tensors do not get them as
--- methods, and returns the topic.
function M.without_methods(topic, names)
  local marked = {}
  for _, name in ipairs(names) do
    marked[name] = true
  end
  return setmetatable(topic, { without_methods = marked })
end

--- Is this function of a topic a method of tensors too?
function M.is_method(topic, name)
  local marks = getmetatable(topic)
  return not (marks and marks.without_methods[name])
end

return M
