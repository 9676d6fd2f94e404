--- Prints, for each folder of runtime/, how many lines of C the specs have run, from what gcov tells
--- of a build: `wrun spec/coverage.lua build/coverage`. `make coverage` runs it.
---
--- A header is compiled into many objects, and a function for several processors: a line was run
--- where any of them ran it.

local child = require "spec.support.child"
local source = require "spec.support.source"
local structure = require "spec.support.structure"

local build = arg[1]

-- path -> line -> whether it was run; lines without code are missing
local function lines_run()
  local found, path = {}, nil
  local command = ("find %s -name '*.gcda' -exec gcov --stdout {} +"):format(child.quote(build))
  for line in assert(io.popen(command)):lines() do
    local count, number, text = line:match("^%s*([^:]+):%s*(%d+):(.*)$")
    if number == "0" then
      path = text:match("^Source:(.*)$") or path
      found[path] = found[path] or {}
    elseif number and count ~= "-" then
      number = tonumber(number)
      found[path][number] = found[path][number] or count:find("^%d") ~= nil
    end
  end
  return found
end

local function row(folder, lines, run)
  local percent = lines > 0 and ("%.1f %%"):format(100 * run / lines) or ""
  print(("%-18s %6d lines %6d run %8s"):format(folder, lines, run, percent))
end

local folders, names, found = {}, {}, lines_run()
for _, path in ipairs(source.paths(source.tree(), "^runtime/")) do
  local name = structure.folder(path)
  if not folders[name] then
    folders[name] = { lines = 0, run = 0 }
    names[#names + 1] = name
  end
  for _, was_run in pairs(found[path] or {}) do
    folders[name].lines = folders[name].lines + 1
    folders[name].run = folders[name].run + (was_run and 1 or 0)
  end
end

local total = { lines = 0, run = 0 }
for _, name in ipairs(names) do
  local folder = folders[name]
  row(name, folder.lines, folder.run)
  total.lines, total.run = total.lines + folder.lines, total.run + folder.run
end
row("all", total.lines, total.run)
