--- The source tree as text: its files, their code without comments and strings, and what they name.

local lfs = require "lfs"

local M = {}

local IS_SOURCE = { c = true, h = true, def = true, lua = true, py = true }

local function add(files, folder)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if lfs.attributes(path, "mode") == "directory" then
      if name:sub(1, 1) ~= "." then
        add(files, path)
      end
    elseif IS_SOURCE[name:match("%.(%w+)$")] then
      local file = assert(io.open(path))
      files[path] = file:read("a")
      file:close()
    end
  end
end

--- Returns the text of every source file of the tree, by path.
function M.tree()
  local files = {}
  for _, folder in ipairs({ "runtime", "lua", "scripts", "spec" }) do
    add(files, folder)
  end
  return files
end

--- Returns the names of what lies at the top of the tree, hidden files left out, sorted.
function M.top()
  local names = {}
  for name in lfs.dir(".") do
    if name:sub(1, 1) ~= "." then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

--- Returns the paths of a tree that match a pattern, sorted.
function M.paths(tree, pattern)
  local paths = {}
  for path in pairs(tree) do
    if path:find(pattern) then
      paths[#paths + 1] = path
    end
  end
  table.sort(paths)
  return paths
end

-- Comments and strings. Each function finds the last byte of one that begins at i, or nothing.

local function long_bracket(text, i)
  local equals = text:match("^%[(=*)%[", i)
  return equals and select(2, text:find("]" .. equals .. "]", i, true))
end

local function to_line_end(text, i)
  return text:find("%f[\n\0]", i + 1) - 1
end

local function quoted(text, i)
  local quote = text:match("^[\"']", i)
  while quote do
    i = text:find("[\\" .. quote .. "]", i + 1)
    if text:sub(i, i) == quote then
      return i
    end
    i = i + 1
  end
end

local COMMENT, STRING = {}, {}

function COMMENT.c(text, i)
  if text:find("^/%*", i) then
    return select(2, text:find("*/", i + 2, true))
  end
  return text:find("^//", i) and to_line_end(text, i)
end

function COMMENT.lua(text, i)
  return text:find("^%-%-", i) and (long_bracket(text, i + 2) or to_line_end(text, i))
end

STRING.c = quoted

function STRING.lua(text, i)
  return quoted(text, i) or long_bracket(text, i)
end

--- Returns `text` in language "c" or "lua" without its comments, and without what its strings say
--- unless `keep` is set.
function M.code(text, language, keep)
  local parts, from, i = {}, 1, 1
  while true do
    i = text:find("[-/\"'%[]", i)
    if not i then
      parts[#parts + 1] = text:sub(from)
      return table.concat(parts)
    end
    local comment, string_end = COMMENT[language](text, i), STRING[language](text, i)
    if comment or (string_end and not keep) then
      parts[#parts + 1] = text:sub(from, i - 1)
      parts[#parts + 1] = comment and " " or '""'
      from = (comment or string_end) + 1
    end
    i = (comment or string_end or i) + 1
  end
end

--- Returns what a C file includes, in order.
function M.includes(text)
  local names = {}
  for name in ("\n" .. text):gmatch('\n[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]') do
    names[#names + 1] = name
  end
  return names
end

--- Returns the modules that Lua code requires by name, and how many requires do not say which.
function M.requires(text)
  local names, unnamed = {}, 0
  local code = M.code(text, "lua", true)
  for rest in code:gmatch("%f[%w_]require%f[^%w_](%s*%(?%s*[\"']?[%w_.]*)") do
    local name = rest:match("[\"']([%w_.]+)$")
    names[#names + 1] = name
    unnamed = unnamed + (name and 0 or 1)
  end
  return names, unnamed
end

return M
