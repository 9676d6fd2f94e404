--- Writes the reference as input for LDoc: `wrun scripts/docs/ldoc.lua FOLDER PAGES`, where PAGES
--- is the folder that LDoc will render to.
---
--- LDoc does not read the tags of LuaCATS; so what wrun.reference finds is written in LDoc's own, a
--- file for each part of the library and for each class. `make docs` renders them.

local reference = require "wrun.reference"

local folder, pages = arg[1], arg[2]

-- Text as HTML ---------------------------------------------------------------

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"))
end

--- one piece of running text; what stands between backquotes is code
local function markup(text)
  return (escape(text):gsub("`([^`]+)`", "<code>%1</code>"))
end

--- a comment's text: paragraphs, and indented lines as they are
local function paragraphs(lines)
  local out, mode = {}, nil
  local function switch(wanted)
    if mode ~= wanted then
      out[#out + 1] = mode and "</" .. mode .. ">" or nil
      out[#out + 1] = wanted and "<" .. wanted .. ">" or nil
      mode = wanted
    end
  end
  for _, line in ipairs(lines) do
    if line == "" then
      switch(nil)
    else
      switch(line:find("^ ") and "pre" or "p")
      out[#out + 1] = line:find("^ ") and escape(line) or markup(line)
    end
  end
  switch(nil)
  return out
end

-- Entries as LDoc's comments -------------------------------------------------

local TAG_OF = {
  shapes = "shapes", domain = "domain", options = "options", raises = "raise", cost = "cost",
  source = "source",
}
local ORDER = { "shapes", "domain", "options", "cost", "source", "raises" }

local function typed_text(typed)
  local text = typed.text ~= "" and " " .. markup(typed.text) or ""
  return ("<code>%s</code>%s"):format(escape(typed.type), text)
end

--- the lines of a comment: text, what it is, and its tags
local function comment_of(entry, what)
  local lines = { markup(entry.summary) }
  table.move(paragraphs(entry.text), 1, #paragraphs(entry.text), 2, lines)
  lines[#lines + 1] = what
  for _, part in ipairs(ORDER) do
    if entry.parts[part] then
      lines[#lines + 1] = ("@%s %s"):format(TAG_OF[part], markup(entry.parts[part]))
    end
  end
  for _, param in ipairs(entry.params) do
    lines[#lines + 1] = ("@param%s %s %s"):format(param.optional and "[opt]" or "", param.name,
      typed_text(param))
  end
  for _, result in ipairs(entry.returns) do
    lines[#lines + 1] = "@return " .. typed_text(result)
  end
  if entry.example then
    lines[#lines + 1] = "@usage"
    lines[#lines + 1] = entry.example
  end
  return lines
end

local function add_comment(out, lines)
  local text = table.concat(lines, "\n"):gsub("\n", "\n-- ")
  out[#out + 1] = "--- " .. text .. "\n"
end

--- the text of a module or class itself, with its fields as a list
local function add_head(out, entry, what)
  local lines = { markup(entry.summary) }
  table.move(paragraphs(entry.text), 1, #paragraphs(entry.text), 2, lines)
  if #entry.fields > 0 then
    lines[#lines + 1] = "<ul>"
    for _, field in ipairs(entry.fields) do
      lines[#lines + 1] = ("<li><b>%s</b> %s</li>"):format(field.name, typed_text(field))
    end
    lines[#lines + 1] = "</ul>"
  end
  lines[#lines + 1] = what
  add_comment(out, lines)
end

-- Files ----------------------------------------------------------------------

local function write(name, out)
  local file = assert(io.open(("%s/%s.lua"):format(folder, name), "w"))
  assert(file:write(table.concat(out, "\n"), "\n"))
  assert(file:close())
end

local EMPTY = { summary = "", text = {}, fields = {}, parts = {}, params = {}, returns = {} }

--- the class's page: what it is, how it is made, its methods
local function write_class(items, class)
  local entry, out = reference.documentation(items, class) or EMPTY, {}
  add_head(out, entry, "@classmod " .. class.name)
  if class.start or next(entry.parts) or #entry.params > 0 then
    add_comment(out, comment_of(setmetatable({ text = {} }, { __index = entry }),
      "@function " .. class.name:match("[^.]+$")))
  end
  for _, method in ipairs(class.members) do
    local documentation = reference.documentation(items, method)
    if documentation then
      add_comment(out, comment_of(documentation, "@function " .. method.name:match("[^.]+$")))
    end
  end
  write(class.name, out)
end

--- the sections of a face: functions by the file that documents them
local function sections_of(face)
  local by_module, order = {}, {}
  for _, item in ipairs(face.members) do
    if item.kind ~= "class" and item.entry then
      local module = item.entry.module
      if not by_module[module] then
        by_module[module] = {}
        order[#order + 1] = module
      end
      table.insert(by_module[module], item)
    end
  end
  table.sort(order)
  return by_module, order
end

--- what stands above a section: the beginning of a file's head as a sentence, then all of that
local function section_of(module, head)
  if module == "runtime/kernels/ops.def" then
    return { "Elementwise operations." }
  elseif module == "wrun" then
    return { "Settings." }
  end
  return { markup(head.summary:match("^[^:;,]+"):gsub("%.$", "")) .. ".", markup(head.summary) }
end

local function write_face(items, heads, face)
  local out = {}
  add_head(out, face.entry or EMPTY, "@module " .. face.name)
  local by_module, order = sections_of(face)
  for i, module in ipairs(order) do
    if #order > 1 then
      local lines = section_of(module, heads[module])
      lines[#lines + 1] = "@section s" .. i
      add_comment(out, lines)
    end
    for _, item in ipairs(by_module[module]) do
      add_comment(out, comment_of(reference.documentation(items, item),
        "@function " .. item.name:match("[^.]+$")))
    end
  end
  write(face.name, out)
end

local CONFIG = [[
project = "wrun"
title = "wrun: the reference"
description = "What the library offers, from its doc comments; help(x) shows the same."
file = %q
dir = %q
format = "plain"
custom_display_name_handler = function(item, default) -- a class is called by its own name
  return (default(item):gsub("^([%%w_.]-)([%%w_]+):%%2 ", "%%1%%2 "))
end
custom_tags = {
  { "shapes", title = "Shapes" },
  { "domain", title = "Domain" },
  { "options", title = "Options" },
  { "cost", title = "Cost" },
  { "source", title = "Source" },
}
]]

local faces = reference.faces()
local items = reference.items(faces)
for _, face in ipairs(faces) do
  write_face(items, reference.heads(), face)
  for _, item in ipairs(face.members) do
    if item.kind == "class" then
      write_class(items, item)
    end
  end
end
local file = assert(io.open(folder .. "/config.ld", "w"))
file:write(CONFIG:format(folder, pages))
file:close()
