--- Writes the types of the library for editors: `wrun scripts/docs/luacats.lua FILE`.
---
--- The file is a definition file of LuaCATS, which lua-language-server reads and nobody runs: every
--- public function, class and method with its documentation, from what wrun.reference finds. Tables
--- of options become classes, whose fields an editor completes and checks. `make types` writes it.

local original = require("wrun.method").original
local reference = require "wrun.reference"
local wrun = require "wrun"

local faces = reference.faces()
local items = reference.items(faces)
local out = {}

local function add(text, ...)
  out[#out + 1] = select("#", ...) > 0 and text:format(...) or text
end

-- What stands in a definition of LuaCATS after a type.
local function remark(text)
  return text and text ~= "" and " # " .. text or ""
end

-- Documentation --------------------------------------------------------------

local PARTS = { "shapes", "domain", "raises", "cost", "source" }

local function add_text(entry)
  if entry.summary ~= "" then
    add("---" .. entry.summary)
  end
  for i, line in ipairs(entry.text) do
    add((i == 1 and "---\n---" or "---") .. line)
  end
  for _, part in ipairs(PARTS) do
    if entry.parts[part] then
      add("---\n---*%s*: %s", part, entry.parts[part])
    end
  end
  if entry.example then
    add("---\n---```lua\n---%s\n---```", (entry.example:gsub("\n", "\n---")))
  end
end

-- Functions ------------------------------------------------------------------

-- "wrun.nn.Linear" of "nn.Linear", "wrun.Tensor.sum" of "x:sum"
local function type_name(name)
  name = name:gsub("^wrun%.", ""):gsub("^x:", "Tensor."):gsub(":", ".")
  return "wrun." .. name
end

-- Pieces of "a: x, b: y" between commas outside brackets.
local function each_field(text)
  local rest = text .. ","
  return function()
    local depth = 0
    for i = 1, #rest do
      local c = rest:sub(i, i)
      depth = depth + (c:find("[%(%[{<]") and 1 or c:find("[%)%]}>]") and -1 or 0)
      if c == "," and depth == 0 then
        local piece = rest:sub(1, i - 1)
        rest = rest:sub(i + 1)
        return piece:match("^%s*([%w_]+)%??%s*:%s*(.-)%??%s*$")
      end
    end
  end
end

-- The class of a table of options, of which any may be missing; other types as they are.
local function option_type(param, owner)
  local fields = param.name == "options" and param.type:match("^{(.*)}$")
  if not fields then
    return param.type
  end
  local name = owner .. ".Options"
  add("---@class (exact) " .. name)
  for field, kind in each_field(fields) do
    add("---@field %s? %s", field, kind)
  end
  add("")
  return name
end

-- Copies of parameters from `first` on, their types those that editors shall see.
local function params_of(entry, name, first)
  local params = {}
  for i = first or 1, #entry.params do
    local param = entry.params[i]
    params[#params + 1] = {
      name = param.name, optional = param.optional, text = param.text,
      type = option_type(param, type_name(name)),
    }
  end
  return params
end

-- "fun(x: wrun.Tensor, d?: integer): wrun.Tensor"
local function signature(params, results)
  local arguments, kinds = {}, {}
  for i, param in ipairs(params) do
    arguments[i] = ("%s%s: %s"):format(param.name, param.optional and "?" or "", param.type)
  end
  for i, result in ipairs(results) do
    kinds[i] = result.type
  end
  local text = ("fun(%s)"):format(table.concat(arguments, ", "))
  return #kinds > 0 and text .. ": " .. table.concat(kinds, ", ") or text
end

-- Whether the name with "_" is the same operation in place, which its entry documents too.
local function has_twin(item)
  local name = item.name:match("^wrun%.([%w_]+)$")
  local twin = name and rawget(wrun, name .. "_")
  return twin ~= nil and items[twin] == nil
end

-- A definition; `at` is what it is defined as, "wrun.cat" or "Tensor:sum".
local function add_function(entry, name, at, first)
  local params, names = params_of(entry, name, first), {}
  add_text(entry)
  for i, param in ipairs(params) do
    names[i] = param.name
    local optional = param.optional and param.name ~= "..." and "?" or ""
    add("---@param %s%s %s%s", param.name, optional, param.type, remark(param.text))
  end
  for _, result in ipairs(entry.returns) do
    add("---@return %s%s", result.type, remark(result.text))
  end
  local before, separator, last = at:match("^(.*)([.:])([%w_]+)$")
  if load("local " .. last) then
    add("function %s(%s) end\n", at, table.concat(names, ", "))
  else -- a word of Lua
    if separator == ":" then
      table.insert(names, 1, "self")
    end
    add("%s[%q] = function(%s) end\n", before, last, table.concat(names, ", "))
  end
end

-- Classes --------------------------------------------------------------------

local function add_fields(fields)
  for _, field in ipairs(fields) do
    add("---@field %s %s%s", field.name, field.type, remark(field.text))
  end
end

-- The class above: what the tag says, else the next one above the value that has a name.
local function base_of(item)
  local base, super = item.entry and item.entry.base, item.value and item.value.super
  while not base and super do
    local entry = reference.entry_of(super)
    base = items[super] and type_name(items[super].name) or entry and entry.class
    super = super.super
  end
  return base
end

-- Whether a method is called with ":", and the first of its parameters that is then written.
local function calling(item, entry)
  local first = entry.params[1]
  if (entry.path or ""):find(":") then
    return ":", 1
  elseif first and (first.type == type_name(item.owner) or first.name == "self") then
    return ":", 2
  end
  local named = #entry.params - (#entry.params > 0 and entry.params[#entry.params].name == "..."
    and 1 or 0)
  local is_static = not entry.is_typed and named > 0
    and debug.getinfo(original(item.value), "u").nparams == named
  return is_static and "." or ":", 1
end

local function add_method(item, variable)
  local entry = reference.documentation(items, item)
  if entry then
    local separator, first = calling(item, entry)
    add_function(entry, item.name, variable .. separator .. item.name:match("[%w_]+$"), first)
  end
end

-- How instances are called, as the method forward is.
local function add_forward(class)
  local forward = items[class.name .. ":forward"]
  local entry = forward and reference.documentation(items, forward)
  if entry then
    add("---@overload " .. signature(entry.params, entry.returns))
  end
end

-- The operators that the metatable of tensors has, but for indexing.
local OPERATORS = {
  { "add", "(wrun.Tensor|number)" }, { "sub", "(wrun.Tensor|number)" },
  { "mul", "(wrun.Tensor|number)" }, { "div", "(wrun.Tensor|number)" },
  { "idiv", "(wrun.Tensor|number)" }, { "mod", "(wrun.Tensor|number)" },
  { "pow", "(wrun.Tensor|number)" }, { "unm", "" }, { "len", "", "integer" },
}

local function add_operators()
  local metatable = debug.getmetatable(wrun.zeros(1))
  for _, operator in ipairs(OPERATORS) do
    local name, operand, result = table.unpack(operator)
    if metatable["__" .. name] then
      add("---@operator %s%s: %s", name, operand, result or "wrun.Tensor")
    end
  end
end

-- Methods of tensors: their own, and the functions of wrun that are methods too.
local function add_tensor_methods()
  local methods = require("wrun.core").methods
  for _, item in ipairs(faces[1].members) do
    local name, entry = item.name:match("[%w_]+$"), reference.documentation(items, item)
    if item.kind == "method" then
      add_function(entry, item.name, "Tensor:" .. name, 2)
    elseif item.kind == "function" and methods[name] == item.value then
      add_function(entry, "x:" .. name, "Tensor:" .. name, 2)
      if has_twin(item) then
        add_function(entry, "x:" .. name .. "_", "Tensor:" .. name .. "_", 2)
      end
    end
  end
end

-- A class, as its instances are typed; and the class itself, which is called to make one.
local function add_class(item)
  local entry, base = item.entry, base_of(item)
  local name = type_name(item.name)
  local documentation = reference.documentation(items, item)
  local start = item.value and documentation and params_of(documentation, item.name)
  local alias = entry and entry.alias
  if documentation then
    add_text(documentation)
  end
  add("---@class %s%s", alias and entry.class or name, base and ": " .. base or "")
  add_fields(entry and entry.fields or {})
  add_forward(item)
  if name == "wrun.Tensor" then
    add_operators()
    add("---@field [any] any")
  end
  local variable = item.name:match("[%w_]+$")
  add("local %s = {}\n", variable)
  if alias then
    add("---@alias %s %s\n", alias, entry.class)
  end
  if name == "wrun.Tensor" then
    add_tensor_methods()
  end
  for _, method in ipairs(item.members) do
    add_method(method, variable)
  end
  if item.value then
    local parent = item.name:match("^(.*)%.")
    add("---@class %s.class: %s", name, name)
    add("---@overload " .. signature(start or {}, { { type = name } }))
    add("%s = {}\n", parent and "wrun." .. item.name or name)
  end
end

-- Faces ----------------------------------------------------------------------

-- Whether scripts reach it through wrun.
local function is_part(face)
  local value = wrun
  for name in face.name:gsub("^wrun%.?", ""):gmatch("[^.]+") do
    value = value and rawget(value, name)
  end
  return value == face.value
end

-- The entries of faces that are called themselves, by the name of the face.
local callable = {}
for _, face in ipairs(faces) do
  for _, item in ipairs(face.members) do
    if item.kind == "function" and not item.value then
      callable[item.name] = reference.documentation(items, item)
    end
  end
end

local function add_face(face)
  local name = face.value == wrun and "wrun" or "wrun." .. face.name
  if face.entry then
    add_text(face.entry)
  end
  add("---@class %s", name)
  local call = callable[face.name]
  if call then
    add("---@overload " .. signature(call.params, call.returns))
  end
  add("%s%s = {}\n", name == "wrun" and "local " or "", name)
  for _, item in ipairs(face.members) do
    if item.kind == "function" and not callable[item.name] then
      local entry, at = reference.documentation(items, item), type_name(item.name)
      add_function(entry, item.name, at)
      if has_twin(item) then
        add_function(entry, item.name .. "_", at .. "_")
      end
    end
  end
end

-- The types that are named in what stands above, and that no face holds.
local function add_other_types()
  local text, known = table.concat(out, "\n"), {}
  reference.each(faces, function(item)
    known[item.entry and item.entry.class or false] = true
  end)
  for _, entry in ipairs(reference.entries()) do
    local name = entry.class
    local word = name and "%f[%w_.]" .. name:gsub("%.", "%%.") .. "%f[^%w_.]"
    if name and not known[name] and text:find(word) then
      add("---@class %s%s", name, entry.base and ": " .. entry.base or "")
      add_fields(entry.fields)
      add("")
    end
  end
end

add("---@meta wrun\n")
for _, face in ipairs(faces) do
  if is_part(face) then
    add_face(face)
  end
end
add("---The generator that serves where no other is named.\n---@type wrun.Generator")
add("wrun.default_generator = nil\n")
add("---@type string\nwrun._VERSION = nil\n")
for _, face in ipairs(faces) do
  for _, item in ipairs(is_part(face) and face.members or {}) do
    if item.kind == "class" then
      add("do")
      add_class(item)
      add("end\n")
    end
  end
end
add_other_types()
add("return wrun")

local file = assert(io.open(arg[1], "w"))
assert(file:write(table.concat(out, "\n"), "\n"))
assert(file:close())
