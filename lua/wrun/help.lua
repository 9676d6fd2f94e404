--- help(x): what the reference says of a function, a class, a part or a name, as text.

local check = require "wrun.check"
local comments = require "wrun.reference.comments"
local core = require "wrun.core"
local distance = require("wrun.names").distance
local reference = require "wrun.reference"
local wrun = require "wrun"

local M = {}

local WIDTH = 79
local LABEL = 10 -- columns of the names of parts and parameters

-- Text -----------------------------------------------------------------------

--- words in lines of at most WIDTH columns, the first after `label`, the others below it
local function wrapped(label, text, indent)
  local lines, line = {}, label .. (" "):rep(indent - #label)
  local is_empty = true
  for word in text:gmatch("%S+") do
    if not is_empty and #line + 1 + #word > WIDTH then
      lines[#lines + 1] = line
      line, is_empty = (" "):rep(indent), true
    end
    line = line .. (is_empty and "" or " ") .. word
    is_empty = false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- the lines of a comment's text, in paragraphs; indented lines stay as they are
local function paragraphs(lines)
  local out, words = {}, {}
  local function flush()
    if #words > 0 then
      out[#out + 1] = wrapped("", table.concat(words, " "), 2)
      words = {}
    end
  end
  for _, line in ipairs(lines) do
    if line == "" or line:find("^ ") then
      flush()
      out[#out + 1] = line == "" and "" or "  " .. line
    else
      words[#words + 1] = line
    end
  end
  flush()
  return out
end

--- how an item is called; a function of tensors in both of its ways
local function heading(item, entry)
  if item.kind == "face" then
    return item.name
  end
  local text = item.name
  if entry and (#entry.params > 0 or entry.arguments) then
    text = text .. reference.argument_names(entry, item.kind == "method" and item.owner == "Tensor")
  end
  local name = item.name:match("^wrun%.([%w_]+)$")
  local takes_tensor = entry and entry.params[1] and entry.params[1].type:find("Tensor%f[^%w%[]")
  if name and takes_tensor and core.methods[name] == item.value then
    text = text .. "   or   x:" .. name .. reference.argument_names(entry, true)
  end
  if item.kind == "class" and item.entry and item.entry.base then
    text = text .. "   a class, below " .. item.entry.base:gsub("^wrun%.", "")
  end
  return text
end

local function add_entry(lines, entry)
  lines[#lines + 1] = ""
  lines[#lines + 1] = wrapped("", entry.summary, 2)
  for _, line in ipairs(paragraphs(entry.text)) do
    lines[#lines + 1] = line
  end
  lines[#lines + 1] = ""
  for _, part in ipairs(comments.PARTS) do
    if entry.parts[part] then
      lines[#lines + 1] = wrapped("  " .. part, entry.parts[part], LABEL + 2)
    end
  end
  local function add_typed(label, typed)
    local text = typed.type .. (typed.text ~= "" and ", " .. typed.text or "")
    lines[#lines + 1] = wrapped("  " .. label .. " ", text, math.max(LABEL + 2, #label + 4))
  end
  for _, param in ipairs(entry.params) do
    add_typed(param.name .. (param.optional and "?" or ""), param)
  end
  for _, result in ipairs(entry.returns) do
    add_typed("returns", result)
  end
  for _, field in ipairs(entry.fields) do
    add_typed("." .. field.name, field)
  end
  if entry.example then
    lines[#lines + 1] = ""
    lines[#lines + 1] = "      " .. entry.example:gsub("\n", "\n      ")
  end
end

--- names and summaries; the parts of wrun stand before its functions
local function add_members(lines, items, item)
  local members = {}
  for _, face in ipairs(item.name == "wrun" and reference.faces() or {}) do
    members[#members + 1] = face ~= item and face or nil
  end
  table.move(item.members or {}, 1, #(item.members or {}), #members + 1, members)
  for i, member in ipairs(members) do
    local entry = reference.documentation(items, member)
    local name = member.name:match(":([^:]+)$") or member.name
    if i == 1 or (member.kind ~= "face" and members[i - 1].kind == "face") then
      lines[#lines + 1] = ""
    end
    lines[#lines + 1] = wrapped("  " .. name .. " ", entry and entry.summary or "",
      math.max(22, #name + 3))
  end
end

local function text_of(items, item)
  local entry = reference.documentation(items, item)
  local lines = { heading(item, entry) }
  if entry then
    add_entry(lines, entry)
  end
  add_members(lines, items, item)
  return (table.concat(lines, "\n"):gsub(" +\n", "\n"):gsub("\n\n\n+", "\n\n"):gsub("%s+$", ""))
end

-- Names that are nearly right ------------------------------------------------

local function last_name(name)
  return name:match("[%w_]+$"):lower()
end

local MOST = 8

--- the names that are most like `name`, or contain it
local function alike(items, name)
  local wanted, found = last_name(name), {}
  for other, item in pairs(items) do
    if type(other) == "string" then
      local last = last_name(other)
      local far = distance(wanted, last)
      if #wanted >= 3 and last:find(wanted, 1, true) then
        far = math.min(far, 1.5)
      end
      if far <= math.max(1, #wanted // 3) + 0.5 then
        found[#found + 1] = { far = far, name = item.name }
      end
    end
  end
  table.sort(found, function(a, b)
    return a.far < b.far or (a.far == b.far and a.name < b.name)
  end)
  local names = {}
  for i = 1, math.min(#found, MOST) do
    names[i] = found[i].name
  end
  return names
end

-- What is asked for ----------------------------------------------------------

-- what Lua's operators call
local OPERATORS = {
  ["+"] = "add", ["-"] = "sub", ["*"] = "mul", ["/"] = "div", ["//"] = "floor_divide",
  ["%"] = "remainder", ["^"] = "pow", ["[]"] = "index", ["[]="] = "assign",
}

--- the item of a name such as "cat", "wrun.cat", "nn.Linear.forward", "x:item" or "Linear"
local function named(items, name)
  name = OPERATORS[name] or name
  local plain = name:gsub("^wrun%.(.)", "%1"):gsub("%.([%w_]+)$", ":%1")
  local dotted = name:gsub("^wrun%.(.)", "%1"):gsub(":", ".")
  local in_place = dotted:match("^(.*)_$")
  for _, candidate in ipairs { dotted, plain, "wrun." .. dotted, "x:" .. dotted } do
    if items[candidate] then
      return items[candidate]
    end
  end
  local tensor_function = dotted:match("^x%.(.*)$") or dotted:match("^Tensor%.(.*)$")
  if tensor_function and items["wrun." .. tensor_function] then
    return items["wrun." .. tensor_function]
  elseif in_place and core.elementwise[dotted] and items["wrun." .. in_place] then
    return items["wrun." .. in_place]
  end
  local only, ending = nil, "." .. dotted
  for other, item in pairs(items) do
    if type(other) == "string" and other:gsub(":", "."):sub(-#ending) == ending then
      if only and only ~= item then
        return nil
      end
      only = item
    end
  end
  return only
end

--- the item whose own comment, or whose init's, is that of a function
local function documented_by(items, f)
  local entry = reference.entry_of(f)
  for _, item in pairs(items) do
    if entry and (item.entry == entry or item.start == entry) then
      return item
    end
  end
end

--- the class of an object that no face holds, by one of its methods
local function class_of_methods(items, class)
  for _, method in pairs(class) do
    local item = type(method) == "function" and documented_by(items, method)
    if item then
      return items[item.owner] and items[item.owner].kind == "class" and items[item.owner] or item
    end
  end
end

--- Returns the item of a value: a function, a class or an instance of one, a part, a tensor, a
--- generator; nil where it is none of these.
---@param items table<any, wrun.reference.Item> as wrun.reference.items returns them
---@param x any
---@return wrun.reference.Item?
function M.item(items, x)
  if check.is_tensor(x) then
    return items.Tensor
  elseif type(x) == "userdata" then
    return getmetatable(x) == getmetatable(core.default_generator) and items.Generator or nil
  elseif items[x] then
    return items[x]
  elseif type(x) == "function" then
    return documented_by(items, x)
  elseif type(x) == "table" then
    local class = getmetatable(x)
    while class do
      local item = items[class] or class_of_methods(items, class)
      if item then
        return item
      end
      class = rawget(class, "super")
    end
  end
end

local OVERVIEW = [[
help(x) says what x is: a function, a class, an object, a part, or a name: help "nn.Linear".
help(wrun) lists all functions of tensors, help "TOPIC" those of a topic:
%s

help(wrun.nn), or the name of another part, lists what is in it:
%s]]

local NIL = [[
help: got nil, which nothing is known of. Is it a name that is misspelt, or not set yet? In quotes,
help "NAME", names that are nearly right are found. help() lists the topics.]]

local TOPIC = "^wrun%.tensor%.([%w_]+)$"

local function overview()
  local topics, parts = {}, {}
  for module in pairs(reference.heads()) do
    topics[#topics + 1] = module:match(TOPIC)
  end
  table.sort(topics)
  for _, face in ipairs(reference.faces()) do
    if face.entry and rawget(wrun, face.name) ~= nil then
      parts[#parts + 1] = ("  %-12s%s"):format(face.name, face.entry.summary:match("^[^:;,.]+"))
    end
  end
  return OVERVIEW:format(wrapped("", table.concat(topics, " "), 2), table.concat(parts, "\n"))
end

--- the functions of a topic of tensors; nil where there is no such topic
local function topic(items, name)
  local head = reference.heads()["wrun.tensor." .. name]
  if not head then
    return nil
  end
  local members = {}
  for _, item in ipairs(items.wrun.members) do
    local entry = reference.documentation(items, item)
    local is_row = name == "elementwise" and core.elementwise[item.name:match("[%w_]+$")]
    if is_row or entry and entry.module == "wrun.tensor." .. name then
      members[#members + 1] = item
    end
  end
  local lines = { ("The topic %s"):format(name), "", wrapped("", head.summary, 2) }
  add_members(lines, items, { name = name, members = members })
  return table.concat(lines, "\n")
end

--- Returns what the reference says of x, as text; without x, the topics.
--- domain  a function, a class or an instance of one, a part such as wrun.nn, a tensor, or a name,
---   such as "cat", "nn.Linear", "x:item", "+" or a topic; names that are nearly right are answered
---   with others
--- raises  `help: argument 1: expected a string without zero bytes`
---     print(wrun.help(wrun.cat))
---     print(wrun.help("nn.Linear"))
---@param ... any x
---@return string
function M.help(...)
  local x = ...
  if x == nil then
    return select("#", ...) == 0 and overview() or NIL
  end
  local items = reference.items(reference.faces())
  local item, of_topic
  if type(x) == "string" then
    item = named(items, check.argument("help", 1, x, check.string()))
    of_topic = topic(items, x)
  else
    item = M.item(items, x)
  end
  if item or of_topic then
    local texts = { item and text_of(items, item) or of_topic, item and of_topic }
    return table.concat(texts, "\n\n")
  elseif type(x) ~= "string" then
    return ("help: nothing is known of %s"):format(check.describe(x))
  end
  local names = x:find("[%w_]+$") and alike(items, x) or {}
  return ("help: nothing has the name %s"):format(check.escape(x))
    .. (#names > 0 and "; is it " .. table.concat(names, ", ") .. "?" or "")
end

return M
