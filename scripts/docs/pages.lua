--- Writes the reference for Sphinx: `wrun scripts/docs/pages.lua FOLDER`.
---
--- What wrun.reference finds becomes a page for each part of the library, for each topic of tensors
--- and for each class, in the directives of scripts/docs/conf.py. `make docs` renders them.

local core = require "wrun.core"
local formula = dofile((arg[0]:gsub("[^/]*$", "formula.lua")))
local reference = require "wrun.reference"

local folder = arg[1]
local faces = reference.faces()
local items = reference.items(faces)

-- Text -----------------------------------------------------------------------

local function escape(text)
  return (text:gsub("%p", "\\%0"))
end

--- running text, in which what stands between backquotes is code
local function prose(text)
  local out = {}
  for _, piece in ipairs(formula.pieces(text)) do
    out[#out + 1] = piece.tex and ("\\ :math:`%s`\\ "):format(piece.tex)
    if piece.text then
      local plain = piece.text:gsub("([^`]*)(`?)([^`]*)(`?)", function(before, open, code, close)
        local literal = close ~= "" and ("\\ ``%s``\\ "):format(code)
        return escape(before) .. (literal or escape(open .. code))
      end)
      out[#out + 1] = plain
    end
  end
  return table.concat(out)
end

--- the pieces of a text between semicolons outside brackets and backquotes
local function semicolon_list(text)
  local list, depth, first, is_code = {}, 0, 1, false
  for i = 1, #text do
    local c = text:sub(i, i)
    if c == "`" then
      is_code = not is_code
    elseif c:find("[%(%[{]") then
      depth = depth + 1
    elseif c:find("[%)%]}]") then
      depth = depth - 1
    elseif c == ";" and depth == 0 and not is_code then
      list[#list + 1] = text:sub(first, i - 1):match("^%s*(.-)%s*$")
      first = i + 1
    end
  end
  list[#list + 1] = text:sub(first):match("^%s*(.-)%s*$")
  return list
end

-- Pages ----------------------------------------------------------------------
-- A page is a list of lines; `indent` stands before those of an entry.

local function new_page(name, title)
  return { name = name, indent = "", ".. lua:page:: " .. name, "", title, ("="):rep(#title), "" }
end

local function add(page, text)
  for line in (text .. "\n"):gmatch("(.-)\n") do
    page[#page + 1] = line == "" and "" or page.indent .. line
  end
end

local function add_block(page, text)
  add(page, text)
  add(page, "")
end

local function indented(page, write)
  local before = page.indent
  page.indent = before .. "   "
  write()
  page.indent = before
end

local function write_page(page)
  local file = assert(io.open(("%s/%s.rst"):format(folder, page.name), "w"))
  assert(file:write(table.concat(page, "\n"), "\n"))
  assert(file:close())
end

local function add_heading(page, title)
  add_block(page, title .. "\n" .. ("-"):rep(#title))
end

--- pages that the sidebar shows below this one
local function add_contents(page, names)
  if #names > 0 then
    add_block(page, ".. toctree::\n   :hidden:\n\n   " .. table.concat(names, "\n   "))
  end
end

--- names with what each is in a sentence
local function add_table(page, rows)
  add(page, ".. list-table::\n   :widths: 35 65\n")
  for _, row in ipairs(rows) do
    add(page, ("   * - ``%s``\n     - %s"):format(row[1], prose(row[2])))
  end
  add(page, "")
end

-- Entries --------------------------------------------------------------------

--- a comment's text: paragraphs; lists of names, indented by two; formulas, indented by four
local function add_text(page, lines)
  local i = 1
  while lines[i] do
    local kind = lines[i]:match("^ *")
    local block = {}
    if #kind >= 4 then
      while lines[i] and lines[i]:find("^    ") do
        block[#block + 1] = lines[i]
        i = i + 1
      end
      add_block(page, ".. math::\n\n   " .. formula.display(block):gsub("\n", "\n   "))
    elseif #kind > 0 then
      while lines[i] and lines[i]:find("^ ") do
        local name, text = lines[i]:match("^  (%S+)  +(.*)$")
        if name then
          block[#block + 1] = { name, text }
        elseif #block > 0 then
          block[#block][2] = block[#block][2] .. " " .. lines[i]:match("^ *(.*)$")
        end
        i = i + 1
      end
      for _, row in ipairs(block) do
        add(page, ("* ``%s`` %s"):format(row[1], prose(row[2])))
      end
      add(page, "")
    elseif lines[i] == "" then
      i = i + 1
    else
      while lines[i] and lines[i]:find("^%S") do
        block[#block + 1] = lines[i]
        i = i + 1
      end
      add_block(page, prose(table.concat(block, " ")))
    end
  end
end

local function typed(name, value)
  local text = value.text ~= "" and " " .. prose(value.text) or ""
  return ("%s``%s``%s"):format(name and ("**%s** "):format(escape(name)) or "", value.type, text)
end

--- a field of the list below an entry: one text, or a list
local function add_field(page, name, texts)
  if #texts == 1 then
    add(page, (":%s: %s"):format(name, texts[1]))
  elseif #texts > 1 then
    add(page, (":%s:"):format(name))
    for _, text in ipairs(texts) do
      add(page, "   * " .. text)
    end
  end
end

--- the option's name as code, and the rest
local function option_text(text)
  local name, rest = text:match("^([%a_][%w_]*)(.*)$")
  return name and ("``%s``%s"):format(name, prose(rest)) or prose(text)
end

local function add_fields(page, entry)
  local function each(list, write)
    local texts = {}
    for i, value in ipairs(list) do
      texts[i] = write(value)
    end
    return texts
  end
  add_field(page, "Parameters", each(entry.params, function(param)
    local kind = param.optional and param.name ~= "..." and param.type .. "?" or param.type
    return typed(param.name, { type = kind, text = param.text })
  end))
  add_field(page, "Returns", each(entry.returns, function(result)
    return typed(nil, result)
  end))
  add_field(page, "Fields", each(entry.fields, function(field)
    return typed(field.name, field)
  end))
  local parts = entry.parts
  add_field(page, "Shapes", { parts.shapes and ("``%s``"):format(parts.shapes:gsub("`", "")) })
  add_field(page, "Domain", { parts.domain and prose(parts.domain) })
  add_field(page, "Options", each(parts.options and semicolon_list(parts.options) or {},
    option_text))
  local raises = parts.raises ~= "nothing" and parts.raises
  add_field(page, "Raises", each(raises and semicolon_list(raises) or {}, prose))
  add_field(page, "Cost", { parts.cost and prose(parts.cost) })
  add_field(page, "Source", { parts.source and prose(parts.source) })
  add(page, "")
end

local function add_entry(page, entry)
  indented(page, function()
    add_block(page, prose(entry.summary))
    add_text(page, entry.text)
    if entry.example then
      add_block(page, ".. code-block:: lua\n\n   " .. entry.example:gsub("\n", "\n   "))
    end
    add_fields(page, entry)
  end)
end

--- whether a function of wrun is a method of tensors, also under a name
local function is_method(item)
  return core.methods[item.name:match("^wrun%.([%w_]+)$")] == item.value and item.value ~= nil
end

--- every way to call an item
local function signatures(item, entry)
  local is_of_tensors = item.kind == "method" and item.owner == "Tensor"
  local list = { item.name .. reference.argument_names(entry, is_of_tensors) }
  local name = item.name:match("^wrun%.([%w_]+)$")
  if name and item.value then
    local twin = core.elementwise[name .. "_"]
    if is_method(item) then
      list[2] = "x:" .. name .. reference.argument_names(entry, true)
    end
    if twin and not items[twin] and core.methods[name .. "_"] == twin then
      list[#list + 1] = "x:" .. name .. "_" .. reference.argument_names(entry, true)
    end
  end
  return list
end

local function add_item(page, item, kind)
  local entry = reference.documentation(items, item)
  if entry then
    add_block(page, (".. lua:%s:: "):format(kind or item.kind)
      .. table.concat(signatures(item, entry), "\n   "))
    add_entry(page, entry)
  end
end

local function summary_of(item)
  local entry = reference.documentation(items, item)
  return entry and entry.summary or ""
end

local function rows_of(list)
  local rows = {}
  for i, item in ipairs(list) do
    rows[i] = { item.name, summary_of(item) }
  end
  return rows
end

-- Classes --------------------------------------------------------------------

--- the items of the classes above one, the nearest first
local function bases(class)
  local list, value = {}, class.value and class.value.super
  while value do
    list[#list + 1] = items[value]
    value = value.super
  end
  return list
end

--- the methods that a class has from those above it
local function add_inherited(page, class)
  local seen = {}
  for _, method in ipairs(class.members) do
    seen[method.name:match("[%w_]+$")] = true
  end
  for _, base in ipairs(bases(class)) do
    local rows = {}
    for _, method in ipairs(base.members) do
      local name = method.name:match("[%w_]+$")
      if not seen[name] then
        seen[name] = true
        rows[#rows + 1] = { method.name, summary_of(method) }
      end
    end
    if #rows > 0 then
      add_heading(page, "Inherited from " .. base.name)
      add_table(page, rows)
    end
  end
end

--- the functions of wrun that are methods of tensors, by the pages on which they stand
local function add_tensor_methods(page)
  for _, topic in ipairs(page.topics) do
    local rows = {}
    for _, item in ipairs(topic.items) do
      if is_method(item) then
        rows[#rows + 1] = { item.name:gsub("^wrun%.", "x:"), summary_of(item) }
      end
    end
    if #rows > 0 then
      add_heading(page, topic.title)
      add_table(page, rows)
    end
  end
end

local function write_class(class, topics)
  local page = new_page(class.name, class.name)
  local entry = reference.documentation(items, class)
  page.topics = topics
  if #bases(class) > 0 then
    local above = {}
    for i, base in ipairs(bases(class)) do
      above[i] = ("``%s``"):format(base.name)
    end
    add_block(page, "A class below " .. table.concat(above, ", itself below ") .. ".")
  end
  if entry and class.value then
    add_item(page, class)
  elseif entry then
    indented(page, function() end)
    add_block(page, ".. lua:class:: " .. class.name)
    add_entry(page, entry)
  end
  local own = class.name == "Tensor" and page.topics.own or class.members
  if #own > 0 then
    add_heading(page, "Methods")
  end
  for _, method in ipairs(own) do
    add_item(page, method, "method")
  end
  if class.name == "Tensor" then
    add_tensor_methods(page)
  end
  add_inherited(page, class)
  write_page(page)
end

-- Parts ----------------------------------------------------------------------

--- a title of a file's head: the beginning of its first sentence
local function title_of(module)
  local summary = reference.heads()[module].summary
  return module == "wrun" and "Settings" or (summary:match("^[^:;,]+"):gsub("%.$", ""))
end

--- the functions of a face by the file that documents them
local function topics_of(face)
  local topics, of = { own = {} }, {}
  for _, item in ipairs(face.members) do
    if item.kind == "method" then
      table.insert(topics.own, item)
    elseif item.kind ~= "class" and item.entry then
      local module = item.entry.module:gsub("^runtime/kernels/ops.def$", "wrun.tensor.elementwise")
      if not of[module] then
        of[module] = {
          module = module, title = title_of(module), head = reference.heads()[module], items = {},
        }
        topics[#topics + 1] = of[module]
      end
      table.insert(of[module].items, item)
    end
  end
  table.sort(topics, function(a, b)
    return a.title < b.title
  end)
  return topics
end

local function add_topic(page, topic)
  if topic.head then
    add_block(page, prose(topic.head.summary))
  end
  if #topic.items > 3 then
    add_table(page, rows_of(topic.items))
  end
  for _, item in ipairs(topic.items) do
    add_item(page, item, "function")
  end
end

--- wrun itself: a page for each topic, since they are many
local function write_topics(topics)
  local names = {}
  for i, topic in ipairs(topics) do
    local page = new_page("topic." .. topic.module:match("[%w_]+$"), topic.title)
    add_topic(page, topic)
    write_page(page)
    names[i] = page.name
  end
  return names
end

local function write_face(face)
  local page, topics = new_page(face.name, face.name), topics_of(face)
  local classes, below = {}, {}
  if face.entry then
    add_block(page, prose(face.entry.summary))
    add_text(page, face.entry.text)
  end
  for _, item in ipairs(face.members) do
    if item.kind == "class" then
      write_class(item, topics)
      classes[#classes + 1] = item
      below[#below + 1] = item.name
    end
  end
  if face.name == "wrun" then
    local names = write_topics(topics)
    for i, topic in ipairs(topics) do
      add_heading(page, topic.title)
      add_table(page, rows_of(topic.items))
      table.insert(below, i, names[i])
    end
  end
  if #classes > 0 then
    add_heading(page, "Classes")
    add_table(page, rows_of(classes))
  end
  for _, topic in ipairs(face.name == "wrun" and {} or topics) do
    if #topics > 1 or #classes > 0 then
      add_heading(page, topic.title)
    end
    add_topic(page, topic)
  end
  add_contents(page, below)
  write_page(page)
end

local names = {}
for i, face in ipairs(faces) do
  write_face(face)
  names[i] = face.name
end
local index = new_page("index", "Reference")
local rows = {}
for i, face in ipairs(faces) do
  rows[i] = { face.name, face.entry and face.entry.summary or "" }
end
add_table(index, rows)
add_contents(index, names)
write_page(index)
