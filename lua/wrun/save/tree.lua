--- What readers of trees of other libraries share: nodes become tables, and refusals. A reader is
--- `{ path =, at =, ... }`, a node a table with the name of its kind.

local check = require "wrun.check"
local core = require "wrun.core"

local fail = check.fail

local M = {}

local DEEPEST = 100

--- A name from a file, as messages show it.
function M.shown(name)
  return check.escape(#name > 100 and name:sub(1, 100) .. "..." or name)
end

--- Refuses a file whose parts do not go together.
function M.damaged(reader)
  fail("load: %s: damaged at byte %d of its objects", reader.path, reader.at)
end

--- Returns the tensor whose elements lie in a storage as sizes and strides, lists, and the offset,
--- counted from 0, say.
function M.strided(reader, storage, shape, stride, offset)
  local result = math.type(offset) == "integer" and core.is_tensor(storage)
    and core.strided(storage, shape, stride, offset)
  return result or fail("load: %s: holds a tensor that does not lie in its storage", reader.path)
end

--- Returns what the node `root` stands for: a tensor or a table. What is no node is its own value; a
--- node that stands in two places is one table, and is refused inside itself.
--- domain  `make[kind](node, reader, convert)` makes the value of a node
function M.made(reader, root, make)
  local values, open, depth = {}, {}, 0
  local function convert(node)
    if type(node) ~= "table" then
      return node
    elseif values[node] ~= nil then
      return values[node]
    elseif open[node] then
      fail("load: %s: holds a table inside itself", reader.path)
    elseif depth == DEEPEST then
      fail("load: %s: holds more than %d tables inside each other", reader.path, DEEPEST)
    end
    open[node], depth = true, depth + 1
    values[node] = make[node.kind](node, reader, convert)
    open[node], depth = nil, depth - 1
    return values[node]
  end
  local value = convert(root)
  if type(value) ~= "table" and not core.is_tensor(value) then
    fail("load: %s: expected tensors or tables, got %s", reader.path, check.describe(value))
  end
  return value
end

return M
