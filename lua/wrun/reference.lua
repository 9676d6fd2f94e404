--- The reference: what is public, under which names, and the comment that documents each.
--- Public is what the faces hold: wrun and its parts, their functions, their classes and the
--- methods of these, and every class of a part that a tag @class names. An entry is found for a
--- value by the line that defines it, or else by the assignment that published it. Elementwise
--- operations are documented by their rows of runtime/kernels/ops.def.
---
--- What follows from another entry is not written again (reference/derived.lua). A method says what
--- the one that it replaces does, and a class what its init does. `add_` follows from `add`,
--- `zeros_like` from `zeros`, `nn.functional.mse_loss` from `nn.MSELoss`, `nn.ReLU` from `relu`. A
--- comment with the part `as NAME` says only what differs from NAME. The `options` of a base class
--- are those of every class below; where a class has `rules`, these say which options it has, their
--- defaults and what they must be, and the `options` of it and of those above what they mean. What
--- a function takes and raises is read from its source (reference/arguments.lua, errors.lua); its
--- comment says only what does not stand there. Where nothing is found, nothing is raised, but that
--- a function of tensors refuses what is none; where nothing is said of its domain, it takes any
--- dtype.

local arguments = require "wrun.reference.arguments"
local check = require "wrun.check"
local comments = require "wrun.reference.comments"
local core = require "wrun.core"
local derived = require "wrun.reference.derived"
local elementwise = require "wrun.reference.elementwise"
local errors = require "wrun.reference.errors"
local original = require("wrun.method").original
local sources = require "wrun.sources"
local wrun = require "wrun"

local M = {}

---@class wrun.reference.Item
---@field name string "wrun.cat", "nn.Linear", "nn.Linear:forward", "x:item"
---@field kind string "function", "method", "class" or "face"
---@field entry wrun.reference.Entry? nil where there is no comment
---@field value any nil where only a name is known
---@field owner string? the class of a method, the face of a function
---@field members wrun.reference.Item[]? of a class or a face, sorted by name
---@field start wrun.reference.Entry? of a class: the comment of its init
---@field in_place boolean? whether the name with "_" is the same operation in place

-- Entries by what they document ----------------------------------------------

--- the value that a file's `path` has, where it can be reached from what the file returns
local function resolve(entry, module, returned)
  local first, rest = entry.path:match("^([%w_]+)(.*)$")
  if first ~= returned then
    return nil
  end
  local value = module
  for name in rest:gmatch("[%w_]+") do
    value = type(value) == "table" and rawget(value, name) or nil
  end
  return value
end

--- the module's value, nil where what it needs is not on this machine (busted, for wrun.testing)
local function load_module(name)
  local ok, module = pcall(require, name)
  return ok and module or nil
end

local function line_key(module, line)
  return module .. ":" .. line
end

--- the source of a module, from inside the program or from the folder that WRUN_LUA names
local function source_of(name)
  local text, path = sources.text(name)
  local file = path and io.open(path)
  if file then
    text = file:read("a")
    file:close()
  end
  return text or ""
end

--- the sources as wrun.reference.errors takes them apart, each when it is asked for
local parsed = setmetatable({}, {
  __index = function(self, name)
    self[name] = errors.parse(source_of(name))
    return self[name]
  end,
})

--- reads all sources; returns the entries by line and by value, those of classes by tag, and heads
local function read_sources()
  local found = { by_line = {}, by_value = {}, by_class = {}, heads = {}, head_of = {}, all = {} }
  for _, name in ipairs(sources.names()) do
    local entries, head, returned = comments.parse(source_of(name), name)
    local module = load_module(name)
    found.head_of[name] = head
    if module and head then
      found.heads[module] = head
    end
    for _, entry in ipairs(entries) do
      found.all[#found.all + 1] = entry
      if not entry.is_bare or entry.path:find(":init$") then -- a class speaks for its init
        found.by_line[line_key(name, entry.line)] = entry
        local value = original(entry.path and resolve(entry, module, returned))
        if value ~= nil then -- of two names for one value the first documents it
          found.by_value[value] = found.by_value[value] or entry
        end
        if entry.class then
          found.by_class[entry.class] = entry
        end
      end
    end
  end
  for _, row in ipairs(core.elementwise_rows()) do
    local entry, in_place = elementwise.entry(row), core.elementwise[row.name .. "_"]
    found.by_value[core.elementwise[row.name]] = entry
    if in_place then
      found.by_value[in_place] = entry
    end
  end
  return found
end

--- the comment above a function's definition, above the assignment that published it, or inside
--- the function that makes many of its kind
local function entry_of(found, value)
  local at_line
  value = original(value)
  if type(value) == "function" then
    local info = debug.getinfo(value, "S")
    at_line = found.by_line[line_key(info.source:sub(2), info.linedefined)]
  end
  return at_line and at_line.path and at_line or found.by_value[value] or at_line
end

-- What is public -------------------------------------------------------------

local function is_public(name)
  return type(name) == "string" and name:sub(1, 1) ~= "_"
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    names[#names + 1] = is_public(name) and name or nil
  end
  table.sort(names)
  return names
end

local function sort_items(items)
  table.sort(items, function(a, b)
    return a.name < b.name
  end)
  return items
end

local function is_class(value)
  return type(value) == "table" and rawget(value, "__name") ~= nil
    and type(value.extend) == "function"
end

local function class_item(found, name, class)
  local entry, items = entry_of(found, class) or found.by_class["wrun." .. name], {}
  for _, method in ipairs(sorted_names(class)) do
    if type(class[method]) == "function" and method ~= "init" then
      items[#items + 1] = {
        name = name .. ":" .. method,
        kind = "method",
        owner = name,
        value = class[method],
        entry = entry_of(found, class[method]),
      }
    end
  end
  local init = rawget(class, "init")
  return {
    name = name,
    kind = "class",
    value = class,
    entry = entry,
    start = init and entry_of(found, init),
    members = sort_items(items),
  }
end

--- the classes that no face holds: instances come from functions (a loader, chains, a tensor)
local function tagged_class(found, name, entry)
  local variable, items, start = entry.path, {}, nil
  for _, other in ipairs(found.all) do
    local owner, method = (other.path or ""):match("^([%w_]+)[.:]([%w_]+)$")
    if other.module == entry.module and owner == variable and is_public(method) then
      local documented = not other.is_bare and other or nil
      if method == "init" then
        start = documented
      else
        items[#items + 1] = {
          name = name .. ":" .. method,
          kind = "method",
          owner = name,
          entry = documented,
        }
      end
    end
  end
  return {
    name = name, kind = "class", entry = entry, start = start, members = sort_items(items),
  }
end

local function add_face(found, faces, prefix, face)
  local item = {
    name = prefix == "" and "wrun" or prefix,
    kind = "face",
    value = face,
    entry = found.heads[face] or entry_of(found, face),
    members = {},
  }
  faces[#faces + 1] = item
  for _, name in ipairs(sorted_names(face)) do
    local value, full = face[name], prefix == "" and name or prefix .. "." .. name
    local metatable = type(value) == "table" and getmetatable(value)
    if is_class(value) then
      item.members[#item.members + 1] = class_item(found, full, value)
    elseif type(value) == "function" then
      local plain = name:match("^(.*)_$")
      local base = plain and rawget(face, plain)
      local in_place = base and core.elementwise[name] == value and prefix == ""
        and entry_of(found, value) ~= nil and entry_of(found, value) == entry_of(found, base)
      if not in_place then
        item.members[#item.members + 1] = {
          name = prefix == "" and "wrun." .. name or full,
          kind = "function",
          owner = item.name,
          value = value,
          entry = entry_of(found, value),
        }
      end
    elseif type(value) == "table" and value ~= face then
      add_face(found, faces, full, value)
      if metatable and metatable.__call then
        item.members[#item.members + 1] = {
          name = full,
          kind = "function",
          owner = item.name,
          entry = entry_of(found, metatable.__call),
        }
      end
    end
  end
  sort_items(item.members)
end

local function add_tagged_classes(found, faces)
  local face_of, known = {}, {}
  for _, face in ipairs(faces) do
    face_of[face.name] = face
    for _, item in ipairs(face.members) do
      known[item.name] = true
    end
  end
  for tag, entry in pairs(found.by_class) do
    local name = tag:gsub("^wrun%.", "")
    local face = face_of[name:match("^(.*)%.[^.]*$") or "wrun"]
    if face and not known[name] then
      face.members[#face.members + 1] = tagged_class(found, name, entry)
    end
  end
end

--- methods of tensors that are no functions of wrun
local function add_tensor_methods(found, face)
  for _, name in ipairs(sorted_names(core.methods)) do
    local f = core.methods[name]
    if rawget(wrun, name) ~= f then
      face.members[#face.members + 1] = {
        name = "x:" .. name, kind = "method", owner = "Tensor", value = f,
        entry = entry_of(found, f),
      }
    end
  end
end

local function load_all()
  local found, faces = read_sources(), {}
  add_face(found, faces, "", wrun)
  local testing = load_module("wrun.testing")
  if testing then
    add_face(found, faces, "testing", testing)
  end
  add_tagged_classes(found, faces)
  add_tensor_methods(found, faces[1])
  for _, face in ipairs(faces) do
    sort_items(face.members)
  end
  return faces, found
end

local loaded, sources_found

--- Returns the faces, wrun first, each with its functions and classes.
--- cost    some 50 ms at first
function M.faces()
  if not loaded then
    loaded, sources_found = load_all()
    local items = M.items(loaded)
    M.each(loaded, function(item)
      if not item.entry and (item.kind == "function" or item.kind == "class") then
        item.entry = M.documentation(items, item)
      end
    end)
  end
  return loaded
end

--- Returns every comment of the library, of what is public and of what is not.
--- domain  elementwise operations have none
function M.entries()
  M.faces()
  return sources_found.all
end

--- Returns the comments at the heads of the sources, by the name of the module.
function M.heads()
  M.faces()
  return sources_found.head_of
end

--- Returns the comment that documents a value, by what published it or where it is defined.
function M.entry_of(value)
  M.faces()
  return entry_of(sources_found, value)
end

-- What is said of an item ----------------------------------------------------
-- Its own comment, and what a class or a method has from elsewhere.

--- the errors of found that text does not name, and text
local function joined(found, text)
  local list = {}
  for _, message in ipairs(found) do
    list[#list + 1] = not (text and text:find(message:sub(2, -2), 1, true)) and message or nil
  end
  list[#list + 1] = text ~= "nothing" and text or nil
  return #list > 0 and table.concat(list, "; ") or text
end

--- the entry of a function with what its source says of its arguments, of its options, of what it
--- raises and, for the method of a class `owner`, whether it returns the object
local function with_source(entry, owner)
  local source = entry and entry.path and parsed[entry.module]
  if source and entry.arguments and not entry.is_typed then
    entry = derived.with_arguments(entry, arguments.of(source, entry.path))
  end
  if source and owner and #entry.returns == 0 and arguments.returns_self(source, entry.path) then
    entry = derived.completed(entry, {
      parts = {}, returns = { { type = "wrun." .. owner, text = "" } },
    })
  end
  local rules = source and errors.rules(source, entry.path)
  entry = rules and derived.with_options_type(entry, rules) or entry
  local found = entry and entry.path and errors.of(parsed, entry.module, entry.path) or {}
  if #found == 0 or entry.parts.raises == "nothing" then
    return entry
  end
  return derived.with_errors(entry, joined(found, entry.parts.raises))
end

--- the entry of what a method replaces in the classes above its own
local function replaced(items, item)
  local class, method = items[item.owner].value, item.name:match("[^:]+$")
  class = class and class.super
  while class do
    local value = rawget(class, method)
    if value ~= nil then
      local entry = items[value] and with_source(items[value].entry)
      local is_abstract = entry and (entry.parts.raises or ""):find(": not defined`$")
      return is_abstract and derived.with_errors(entry, "nothing") or entry
    end
    class = class.super
  end
end

--- the item that another's comment names: of its own face or class, of wrun, or by its whole name
local function named(items, item, name)
  local prefix = item.name:match("^(.*[.:])") or ""
  return items[prefix .. name] or items["wrun." .. name] or items["x:" .. name] or items[name]
    or error(("reference: %s: as %s: nothing has this name"):format(item.name, name))
end

--- the class whose functional form an item is
local function loss_of(items, item)
  for _, other in pairs(items) do
    local class = other.kind == "class" and other.value
    if class and item.name == "nn.functional." .. tostring(rawget(class, "function_name")) then
      return other
    end
  end
end

--- what an item's entry follows from, by its name or by what it is made of
local function followed(items, item)
  local prefix, name = item.name:match("^(.-)([%w_]+)$")
  local function of(other)
    return other and other ~= item and M.documentation(items, other)
  end
  local plain, made = items[prefix .. name:gsub("_$", "")], items[prefix .. name:gsub("_like$", "")]
  if name:find("_$") and of(plain) then
    return derived.in_place(of(plain), plain.name:match("[%w_]+$"))
  elseif name:find("_like$") and of(made) then
    return derived.like(of(made), made.name:match("[%w_]+$"))
  end
  local loss = loss_of(items, item)
  if loss then
    return derived.functional(of(loss), loss.name, name, loss.value.tensors)
  end
end

local function same_arguments(entry, other)
  return table.concat(entry.arguments or {}, ", ") == table.concat(other.arguments or {}, ", ")
end

--- of a class: what its init says and those that it replaces, or the function that it applies
local function of_class(items, item)
  local start, class = with_source(item.start), item.value
  if class and rawget(class, "applies") then
    local applied = M.documentation(items, items["wrun." .. class.applies])
    return derived.layer(applied, item.name, class.applies, class.settings)
  end
  while class and class.super do
    class = class.super
    local above = items[class] and with_source(items[class].start)
    if above and start and not item.start.parts.raises and start.parts.raises then
      above = derived.with_errors(above, joined({ start.parts.raises }, above.parts.raises))
      start = derived.with_errors(start, above.parts.raises)
    end
    if above and (not start or same_arguments(start, above)) then
      start = derived.completed(start, above)
    end
  end
  return start
end

--- a class's entry with the options that its rules name, or those that the classes above it share
local function with_options(entry, start, class)
  local comments_above, base = { entry }, class and class.super
  while base do
    comments_above[#comments_above + 1] = M.entry_of(base)
    base = base.super
  end
  if entry and class and class.rules then
    return derived.with_rules(entry, start, class, comments_above)
  end
  for i, shared in ipairs(entry and comments_above or {}) do
    if i > 1 and shared.parts.options then
      entry = derived.with_options(entry, shared)
    end
  end
  return entry
end

-- the domains of functions with one argument of this type
local DOMAINS = { any = "any value", ["function"] = "any function" }

local X = { name = "x", type = "wrun.Tensor", text = "", optional = false }

--- what goes without saying: a function of tensors takes any dtype and refuses what is no tensor,
--- one of the core takes x, and one in place tensors of any shape; all others raise nothing
local function usual(item, entry)
  local name = item.name:match("^wrun%.([%w_]+)$") or item.name:match("^linalg%.([%w_]+)$")
    or item.name:match("^x:([%w_]+)$")
  local is_of_core = name and not entry.arguments and core.methods[name] == item.value
  local first = entry.params[1] or is_of_core and X or nil
  if name and first and first.type:find("^wrun%.Tensor") then
    local second = entry.params[2]
    local is_one = not (second and second.type == "wrun.Tensor")
    local refusal = ("`%s: argument %s: expected a tensor`"):format(name, is_one and "1" or "N")
    local is_in_place = name:find("_$") ~= nil
    for i, param in ipairs(entry.is_typed and entry.params or {}) do
      if param.name == "d" then
        refusal = refusal .. ("; `%s: argument %d: expected a dimension`"):format(name, i)
      end
    end
    local gives_tensor = is_in_place or (entry.parts.shapes or ""):find("-> [%[s]")
    return {
      params = { first },
      returns = gives_tensor and { { type = X.type, text = is_in_place and "x" or "" } } or {},
      parts = {
        shapes = is_in_place and "any" or nil,
        domain = is_one and "any dtype" or "any dtypes",
        raises = first.type == "wrun.Tensor" and refusal or "nothing",
      },
    }
  end
  local is_called = item.kind == "function" or item.kind == "method"
    or item.kind == "class" and item.value ~= nil
  local takes_function = first and first.name == "f" and DOMAINS[first.type]
  local of_generator = item.name:match("^Generator:([%w_]+)$")
  return {
    parts = {
      domain = first and DOMAINS[first.type],
      raises = of_generator and ("`%s: argument 1: expected a generator`"):format(of_generator)
        or takes_function and "what f raises" or is_called and "nothing" or nil,
    },
  }
end

--- Returns all that is said of an item: its own comment, and where that is silent, what it follows
--- from.
---@param items table<any, wrun.reference.Item> as `items` returns them
function M.documentation(items, item)
  local own, other = item.entry, nil
  if item.kind == "function" or item.kind == "method" or own and not own.class then
    own = with_source(own, item.kind == "method" and item.owner)
  end
  local source = own and own.parts.as
  if source then
    local from = named(items, item, source)
    other = derived.under_name(M.documentation(items, from), from.name:match("[%w_]+$"),
      item.name:match("[%w_]+$"))
    if not item.entry.parts.raises and own.parts.raises then
      own = derived.with_errors(own, joined({ other.parts.raises }, own.parts.raises))
    end
  elseif item.kind == "class" then
    other = of_class(items, item)
  elseif item.kind == "method" and items[item.owner] then
    other = replaced(items, item)
  elseif item.kind == "function" then
    other = followed(items, item)
  end
  local entry = derived.completed(own, other)
  if item.kind == "class" then
    entry = with_options(entry, other, item.value)
  end
  local said = entry and usual(item, entry)
  if said and said.parts.raises ~= "nothing" and not (item.entry and item.entry.parts.raises)
    and entry.parts.raises and not entry.parts.raises:find("expected a .-tensor") then
    local refusals = {}
    for message in (said.parts.raises or ""):gmatch("`[^`]*`") do
      refusals[#refusals + 1] = message
    end
    entry = derived.with_errors(entry, joined(refusals, entry.parts.raises))
  end
  return entry and derived.completed(entry, said)
end

--- Returns the arguments of a call in their brackets, without the first where it stands before a
--- colon: the tags' names, or else the definition's.
---@param entry wrun.reference.Entry
---@return string
function M.argument_names(entry, without_first)
  local names = {}
  for i, param in ipairs(entry.params) do
    names[i] = param.name .. (param.optional and "?" or "")
  end
  if #names == 0 then
    table.move(entry.arguments or {}, 1, #(entry.arguments or {}), 1, names)
  end
  if without_first then
    table.remove(names, 1)
  end
  return "(" .. table.concat(names, ", ") .. ")"
end

local MAKERS = { ["wrun.tensor.create"] = true, ["wrun.tensor.random"] = true }

--- what a function that makes or draws tensors in C, where no source tells its options, says when it
--- is asked for one that there is not
local function told_by(f, entry)
  if not (entry and MAKERS[entry.module]) or debug.getinfo(f, "S").what ~= "C" then
    return ""
  end
  local unknown = { ["?"] = true }
  local x = wrun.empty(0)
  for _, given in ipairs { { { 0 } }, { { 0 }, 0 }, { 0, 1, { 0 } }, { x }, { x, 0, 1 } } do
    given[#given + 1] = unknown
    local ok, message = pcall(f, table.unpack(given))
    local told = not ok and type(message) == "string" and message:match("the options are (.*)$")
    if told then
      return told
    end
  end
  return ""
end

--- Returns the names of the options that a function or a class takes, sorted.
--- domain  an item; of a class those of its rules, else what the sources check under its name
---@param items table<any, wrun.reference.Item> as `items` returns them
---@param item wrun.reference.Item
---@return string[]
function M.options(items, item)
  local names, class = {}, item.kind == "class" and item.value or nil
  while class do
    for name in pairs(rawget(class, "rules") or {}) do
      names[name] = true
    end
    class = class.super
  end
  if next(names) ~= nil then
    return check.sorted_keys(names)
  end
  for _, module in ipairs(sources.names()) do
    for _, name in ipairs { item.name, item.name:match("[%w_]+$") } do
      errors.add_options(parsed[module], name, names)
    end
  end
  local entry = M.documentation(items, item)
  for option in ("; " .. (entry and entry.parts.options or "")):gmatch("; ([%a_][%w_]*)") do
    names[option] = true
  end
  for option in (entry and entry.parts.raises or ""):gmatch(": option (%l[%w_]*):") do
    names[option] = true
  end
  for _, param in ipairs(entry and entry.params or {}) do
    for option in (param.name == "options" and param.type or ""):gmatch("([%a_][%w_]*)%??:") do
      names[option] = true
    end
  end
  for option in told_by(item.value, entry):gmatch("[%a_][%w_]*") do
    names[option] = true
  end
  return check.sorted_keys(names)
end

--- Returns every item by its name and by its value.
function M.items(faces)
  local items = {}
  M.each(faces, function(item)
    items[item.name] = items[item.name] or item
    if item.value ~= nil then
      items[item.value] = items[item.value] or item
    end
  end)
  return items
end

--- Calls visit(item) for every face, function, class and method.
function M.each(faces, visit)
  for _, item in ipairs(faces) do
    visit(item)
    M.each(item.members or {}, visit)
  end
end

return M
