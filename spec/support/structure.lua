--- The structure of the code, from its own includes and requires: modules, the arrows between them,
--- which of them run up, and which close a circle.

local source = require "spec.support.source"

local M = {}

-- The floors of runtime/; a file includes only what stands lower, or in its own folder. Folders on
-- one floor do not know each other.
M.FLOORS = { tensor = 1, kernels = 2, formats = 2, bind = 3, command = 4 }

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- Returns the folder of a path: "runtime/bind" of "runtime/bind/core.c".
function M.folder(path)
  return path:match("^(.*)/[^/]*$")
end

-- "runtime/bind/core" of its source and its header alike
local function c_module(path)
  return (path:gsub("%.%w+$", ""))
end

local function c_arrows(tree, add)
  for _, path in ipairs(source.paths(tree, "^runtime/.*%.[ch]$")) do
    for _, name in ipairs(source.includes(tree[path])) do
      local target = "runtime/" .. name
      if tree[target] then
        add(path, target, c_module)
      end
    end
  end
end

-- "wrun.nn" is lua/wrun/nn.lua
local function lua_arrows(tree, add)
  for _, path in ipairs(source.paths(tree, "^lua/.*%.lua$")) do
    for _, name in ipairs((source.requires(tree[path]))) do
      local target = "lua/" .. name:gsub("%.", "/") .. ".lua"
      if tree[target] then
        add(path, target, c_module)
      end
    end
  end
end

--- Returns every arrow of the tree, { from, to } of paths, and the graph of its modules: a source
--- and its header are one.
function M.arrows(tree)
  local arrows, graph = {}, {}
  local function add(from, to, module_of)
    arrows[#arrows + 1] = { from, to }
    local a, b = module_of(from), module_of(to)
    graph[a] = graph[a] or {}
    if a ~= b then
      graph[a][b] = true
    end
  end
  c_arrows(tree, add)
  lua_arrows(tree, add)
  return arrows, graph
end

--- Returns the arrows of runtime/ that do not run down, as texts.
function M.upward(tree)
  local found = {}
  for _, arrow in ipairs((M.arrows(tree))) do
    local from, to = arrow[1]:match("^runtime/(%w+)/"), arrow[2]:match("^runtime/(%w+)/")
    if to and from ~= to and (M.FLOORS[from] or 0) <= (M.FLOORS[to] or 0) then
      found[#found + 1] = ("%s: includes %s"):format(arrow[1], arrow[2])
    end
  end
  return found
end

--- Returns the circles of a graph { module = { module = true } }: lists of modules each of which
--- reaches all others of its list (Tarjan's strongly connected components).
function M.circles(graph)
  local index, low, on_stack, stack, count, found = {}, {}, {}, {}, 0, {}
  local function visit(v)
    count = count + 1
    index[v], low[v] = count, count
    stack[#stack + 1], on_stack[v] = v, true
    for _, w in ipairs(sorted_keys(graph[v] or {})) do
      if not index[w] then
        visit(w)
        low[v] = math.min(low[v], low[w])
      elseif on_stack[w] then
        low[v] = math.min(low[v], index[w])
      end
    end
    if low[v] == index[v] then
      local circle, w = {}
      repeat
        w = table.remove(stack)
        on_stack[w] = nil
        circle[#circle + 1] = w
      until w == v
      if #circle > 1 then
        table.sort(circle)
        found[#found + 1] = circle
      end
    end
  end
  for _, v in ipairs(sorted_keys(graph)) do
    if not index[v] then
      visit(v)
    end
  end
  return found
end

--- Returns for each folder { name, files, lines, uses = { folders } }, sorted by name.
function M.folders(tree)
  local folders = {}
  local function folder_at(path)
    local name = M.folder(path)
    folders[name] = folders[name] or { name = name, files = 0, lines = 0, uses = {} }
    return folders[name]
  end
  for path, text in pairs(tree) do
    local folder = folder_at(path)
    folder.files = folder.files + 1
    folder.lines = folder.lines + select(2, text:gsub("\n", ""))
  end
  for _, arrow in ipairs((M.arrows(tree))) do
    local used = M.folder(arrow[2])
    if used ~= M.folder(arrow[1]) then
      folder_at(arrow[1]).uses[used] = true
    end
  end
  local list = {}
  for _, name in ipairs(sorted_keys(folders)) do
    folders[name].uses = sorted_keys(folders[name].uses)
    list[#list + 1] = folders[name]
  end
  return list
end

return M
