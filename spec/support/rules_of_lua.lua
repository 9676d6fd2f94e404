--- The rules for lua/ and for files of any kind: each takes a tree { path = text } and returns what
--- breaks it, a line each.

local source = require "spec.support.source"

local M = {}

-- part -> the parts it must not know; what is no part stands below them and knows none
local STRANGERS = {
  data = "nn optim rbm dbn",
  dbn = "optim",
  mpi = "dbn nn optim rbm",
  nn = "data dbn optim rbm",
  optim = "data dbn nn rbm",
  rbm = "nn",
}
local PARTS = "data dbn mpi nn optim rbm"

-- Tables load their parts when they are first touched; the reference, all there is.
local LOADS_BY_TABLE = { ["lua/wrun/names.lua"] = true, ["lua/wrun/reference.lua"] = true }

-- Who writes to standard error, and why.
local WRITES_ERRORS = {
  ["lua/wrun/progress.lua"] = "the progress bar",
  ["lua/wrun/data/images.lua"] = "the notice that another data set stands in for the one asked for",
  ["lua/wrun/mpi/world.lua"] = "the notice of how many ranks and threads there are",
}

-- Who ends the process, and why.
local EXITS = { ["lua/wrun/sweep.lua"] = "a process of a study ends when its run has" }

local WRITING = {
  "%f[%w_.]print%f[^%w_]", "io%s*%.%s*write", "io%s*%.%s*stdout", "os%s*%.%s*exit",
}

local function library(tree)
  return source.paths(tree, "^lua/.*%.lua$")
end

-- "lua/wrun/nn/linear.lua" and "wrun.nn.linear" belong to nn.
local function part(name)
  return name:match("^lua/wrun/([%w_]+)") or name:match("^wrun%.([%w_]+)")
end

--- The parts of the library know only the parts they may, and say by name whom they need, be it
--- when they are touched.
function M.requires(tree)
  local broken = {}
  for _, path in ipairs(library(tree)) do
    local names, unnamed = source.requires(tree[path])
    local closed = part(path) and source.code(tree[path], "lua", true):match("closed%(.*") or ""
    for name in closed:gmatch('[%s{]"(wrun%.[%w_.]+)" *[,}]') do
      names[#names + 1] = name
    end
    local strangers = STRANGERS[part(path)] or PARTS
    for _, name in ipairs(names) do
      if part(name) and strangers:find("%f[%w_]" .. part(name) .. "%f[^%w_]") then
        broken[#broken + 1] = ("%s: requires %s"):format(path, name)
      end
    end
    if unnamed > 0 and not LOADS_BY_TABLE[path] then
      broken[#broken + 1] = path .. ": requires something without its name"
    end
  end
  return broken
end

--- Scripts print; the library returns.
function M.printing(tree)
  local broken = {}
  for _, path in ipairs(library(tree)) do
    local code = source.code(tree[path], "lua")
    for _, pattern in ipairs(WRITING) do
      local word = code:match(pattern)
      if word and not (word:find("exit") and EXITS[path]) then
        broken[#broken + 1] = ("%s: uses %s"):format(path, word)
      end
    end
    if code:find("io%s*%.%s*stderr") and not WRITES_ERRORS[path] then
      broken[#broken + 1] = path .. ": uses io.stderr"
    end
  end
  return broken
end

--- Each Lua file begins with a sentence that says what it is.
function M.comments(tree)
  local broken = {}
  for _, path in ipairs(source.paths(tree, "%.lua$")) do
    if not tree[path]:gsub("^#![^\n]*\n", ""):find("^%-%-%- ?%S") then
      broken[#broken + 1] = path .. ": does not begin with a --- comment"
    end
  end
  return broken
end

--- What begins a section is a line `-- Section ---...` that ends in column 79; in Python `#`.
function M.rulers(tree)
  local broken = {}
  for _, path in ipairs(source.paths(tree, "%.%l+$")) do
    for line in tree[path]:gmatch("[^\n]+") do
      local is_ruler = line:find("^%-%- .*%-%-%-%-$") or line:find("^# .*%-%-%-%-$")
      if is_ruler and not (#line == 79 and line:find("^%S+ %w[^-]* %-+$")) then
        broken[#broken + 1] = ("%s: %s"):format(path, line)
      end
    end
  end
  return broken
end

local TIMES = { "clock%(%) *%- *%w+", "seconds", "passed", "elapsed" }

--- The lines of specs that demand speed, which a busy machine does not have.
function M.haste(tree)
  local broken = {}
  for _, path in ipairs(source.paths(tree, "^spec/.*_spec%.lua$")) do
    for line in tree[path]:gmatch("[^\n]+") do
      for _, time in ipairs(TIMES) do
        if line:find("^%s*assert") and line:find(time .. "%)? *<=? *%d") then
          broken[#broken + 1] = ("%s: %s"):format(path, line)
        end
      end
    end
  end
  return broken
end

-- The folders of the library whose specs stand in a folder of the same name.
local MIRRORED = { "tensor", "nn", "optim", "data", "rbm", "image", "mpi", "plot", "reference" }

-- The module of lua/wrun that a spec covers, by its name or by that and an aspect: of the modules
-- whose name it begins with, the one with the longest.
local function covered(tree, folder, name)
  while name do
    local path = ("lua/wrun/%s%s.lua"):format(folder, name)
    if tree[path] then
      return path
    end
    name = name:match("^(.*)_[^_]*$")
  end
end

--- Each module of lua/wrun has a spec, NAME_spec.lua or NAME_ASPECT_spec.lua in the same folder
--- below spec/; and each spec of a folder of the library covers a module.
function M.specs(tree)
  local broken, has_spec = {}, {}
  for _, path in ipairs(source.paths(tree, "^spec/.*_spec%.lua$")) do
    local folder, name = path:match("^spec/(.-)([^/]+)_spec%.lua$")
    local module = covered(tree, folder, name)
    has_spec[module or ""] = true
    for _, mirrored in ipairs(MIRRORED) do
      if not module and folder:find("^" .. mirrored .. "/") then
        broken[#broken + 1] = path .. ": covers no module of its name"
      end
    end
  end
  for _, path in ipairs(source.paths(tree, "^lua/wrun/.*%.lua$")) do
    if not has_spec[path] then
      broken[#broken + 1] = path .. ": has no spec of its name"
    end
  end
  table.sort(broken)
  return broken
end

return M
