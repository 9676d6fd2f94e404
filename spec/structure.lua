--- Prints the structure of the code: for each folder its files, lines and the folders it uses, the
--- arrows that run up, the circles, and the share of comments. `make structure` runs it.

local source = require "spec.support.source"
local structure = require "spec.support.structure"

local tree = source.tree()
local _, graph = structure.arrows(tree)
local upward, circles = structure.upward(tree), structure.circles(graph)

print(("%-28s %5s %6s  %s"):format("folder", "files", "lines", "uses"))
for _, folder in ipairs(structure.folders(tree)) do
  print(("%-28s %5d %6d  %s"):format(folder.name, folder.files, folder.lines,
    table.concat(folder.uses, " ")))
end

print(("\narrows that run up: %d"):format(#upward))
for _, text in ipairs(upward) do
  print("  " .. text)
end
print(("circles: %d"):format(#circles))
for _, circle in ipairs(circles) do
  print("  " .. table.concat(circle, " "))
end

-- Lines that are only a comment, of all.
local function comments(pattern, is_comment)
  local lines, found = 0, 0
  for _, path in ipairs(source.paths(tree, pattern)) do
    for line in tree[path]:gmatch("([^\n]*)\n") do
      lines = lines + 1
      found = found + (is_comment(line) and 1 or 0)
    end
  end
  return lines, found
end

local function lua_comment(line)
  return line:find("^%s*%-%-") ~= nil
end

for name, pattern in pairs { library = "^lua/", scripts = "^scripts/.*%.lua$" } do
  local lines, found = comments(pattern, lua_comment)
  print(("%s: %d of %d lines are comments, %.1f %%"):format(name, found, lines,
    100 * found / lines))
end
