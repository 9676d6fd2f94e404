--- The doc comments of Lua sources, taken apart.
--- A comment is a run of lines that begin with three dashes, followed by what it describes. It has
--- a summary and more text; parts, such as `raises`, whose further lines are indented by two
--- blanks; an example, indented by four, after a part or a sentence; and the tags of LuaCATS. The
--- part `as` names another entry, which says whatever this one does not; `options` are listed with
--- a semicolon between them, each beginning with its name. A tag goes on in lines indented by two.
---
--- An argument needs a tag only where it is not what its name means everywhere (ARGUMENTS) or what
--- the function checks (reference/arguments.lua), and a result where it is not the tensor, or the
--- named tensors, that the arrow of `shapes` or the "_" of the name promises, nor the boolean that
--- answers a question or is said to tell whether. What no script calls has tags where a type needs words.

local M = {}

---@class wrun.reference.Param
---@field name string
---@field type string
---@field text string
---@field optional boolean
---@field is_usual boolean? whether it has no tag, but a name in ARGUMENTS

---@class wrun.reference.Entry
---@field module string where it stands
---@field line integer the line that it describes
---@field path string? what that line defines: "M.cat", "Linear:forward"
---@field summary string its first sentence
---@field text string[] the lines after that
---@field parts table<string, string> what PARTS lists
---@field example string? Lua
---@field params wrun.reference.Param[]
---@field returns { type: string, text: string }[]
---@field fields { name: string, type: string, text: string }[]
---@field class string? the name that a tag @class gives
---@field base string? that class's own
---@field alias string? the name that a tag @alias gives
---@field arguments string[]? the names between the brackets of a definition
---@field is_bare boolean? whether there is no comment

--- The parts of a comment, in the order in which they are shown.
M.PARTS = { "shapes", "domain", "options", "raises", "cost", "source" }

local IS_PART = { as = true }
for _, part in ipairs(M.PARTS) do
  IS_PART[part] = true
end

-- What an argument of this name is, as its tag would say it.
local ARGUMENTS = {
  ["..."] = "any", a = "wrun.Tensor", b = "wrun.Tensor", batch = "wrun.Tensor",
  closure = "fun(): wrun.Tensor",
  columns = "integer", count = "integer", d = "integer", data = "wrun.Tensor", dataset = "table",
  default = "any", dims = "integer|integer[]?  all dimensions", dtype = "string",
  elements = "wrun.Tensor|number", entry = "wrun.reference.Entry",
  expected = "wrun.Tensor|number|table", f = "function", fname = "string",
  generator = "wrun.Generator?", got = "wrun.Tensor|number|table", group = "table",
  h = "wrun.Tensor", index = "integer", indices = "wrun.Tensor", input = "wrun.Tensor",
  item = "any", keepdim = "boolean?  false", key = "integer|wrun.Tensor|table",
  list = "wrun.Tensor[]", mask = "wrun.Tensor", max_norm = "number", mean = "wrun.Tensor|number",
  model = "wrun.nn.Module", module = "wrun.nn.Module", n = "integer", name = "string",
  normalized_shape = "integer|integer[]", optimizer = "wrun.optim.Optimizer", options = "table?",
  others = "wrun.Tensor|number", output = "wrun.Tensor", parameter = "wrun.Tensor",
  parameters = "wrun.Tensor|wrun.Tensor[]", path = "string", rows = "integer",
  rule = "wrun.check.Rule", rules = "table<string, wrun.check.Rule>", saved = "table",
  seed = "integer", self = "wrun.nn.Module", sizes = "integer[]", state = "table",
  std = "wrun.Tensor|number", target = "wrun.Tensor", tensor = "wrun.Tensor", text = "string",
  topic = "table", v = "wrun.Tensor", value = "any", values = "wrun.Tensor|number",
  vector = "wrun.Tensor", weight = "wrun.Tensor", x = "wrun.Tensor", y = "wrun.Tensor",
}

-- Tags -----------------------------------------------------------------------

--- a type at the start of s, and what follows it; blanks in brackets or after : , | belong to it
local function split_type(s)
  local depth, last = 0, ""
  for i = 1, #s do
    local c = s:sub(i, i)
    if c:find("[%(%[{<]") then
      depth = depth + 1
    elseif c:find("[%)%]}>]") then
      depth = depth - 1
    elseif c == " " and depth == 0 and not last:find("[:,|]") then
      return s:sub(1, i - 1), s:sub(i)
    end
    last = c ~= " " and c or last
  end
  return s, ""
end

local function trim(s)
  return (s:gsub("^%s+", ""):gsub("%s+$", ""))
end

local function add_param(entry, rest)
  local name, optional, type_and_text = rest:match("^([%w_.]+)(%??)%s+(.*)$")
  local kind, text = split_type(type_and_text or "")
  entry.params[#entry.params + 1] = {
    name = name or rest,
    type = kind:gsub("%?$", ""),
    text = trim(text),
    optional = optional == "?" or kind:find("%?$") ~= nil,
  }
end

--- the pieces of s between commas outside brackets
local function list_of(s)
  local pieces, depth, first = {}, 0, 1
  for i = 1, #s do
    local c = s:sub(i, i)
    if c:find("[%(%[{<]") then
      depth = depth + 1
    elseif c:find("[%)%]}>]") then
      depth = depth - 1
    elseif c == "," and depth == 0 then
      pieces[#pieces + 1] = trim(s:sub(first, i - 1))
      first = i + 1
    end
  end
  local last = trim(s:sub(first))
  if last ~= "" then
    pieces[#pieces + 1] = last
  end
  return pieces
end

local TAGS = {
  param = add_param,
  ["return"] = function(entry, rest)
    local kind, text = split_type(rest)
    entry.returns[#entry.returns + 1] = { type = kind, text = trim(text) }
  end,
  class = function(entry, rest)
    local name, base = rest:match("^([%w_.]+):?%s*([%w_.]*)")
    entry.class, entry.base = name, base ~= "" and base or nil
  end,
  alias = function(entry, rest)
    entry.alias = rest:match("^[%w_.]+")
  end,
  field = function(entry, rest)
    local name, optional, type_and_text = rest:match("^(%b[])(%??)%s+(.*)$")
    if not name then
      name, optional, type_and_text = rest:match("^([%w_]+)(%??)%s+(.*)$")
    end
    local kind, text = split_type(type_and_text or "")
    entry.fields[#entry.fields + 1] = { name = name, type = kind .. optional, text = trim(text) }
  end,
  -- ---@type fun(x: Tensor, d?: integer): Tensor
  type = function(entry, rest)
    local arguments, results = rest:match("^fun(%b())%s*:?%s*(.*)$")
    for _, argument in ipairs(arguments and list_of(arguments:sub(2, -2)) or {}) do
      local name, kind = argument:match("^([%w_.]+%??):%s*(.*)$")
      if (name or argument) ~= "self" then
        add_param(entry, name and name .. " " .. kind or argument .. " any")
      end
    end
    for _, kind in ipairs(list_of(results or "")) do
      entry.returns[#entry.returns + 1] = { type = kind, text = "" }
    end
    entry.is_typed = arguments ~= nil
  end,
}

-- Text -----------------------------------------------------------------------

--- moves the first sentence of the text to the summary
local function take_summary(entry)
  local paragraph, count = {}, 0
  for _, line in ipairs(entry.text) do
    if line == "" or line:find("^ ") then
      break
    end
    count = count + 1
    paragraph[count] = line
  end
  local text = table.concat(paragraph, " ")
  local last = text:find("[.?]%s+[%u`\"-]") or #text
  entry.summary = text:sub(1, last)
  local at, whole = -1, 0 -- where the last line ends that the sentence reaches
  while at < last and whole < count do
    whole = whole + 1
    at = at + #paragraph[whole] + 1
  end
  local rest = trim(text:sub(last + 1))
  local lines = { rest ~= "" and rest or nil }
  if at == last then
    lines = table.move(paragraph, whole + 1, count, 1, {})
  end
  table.move(entry.text, count + 1, #entry.text, #lines + 1, lines)
  while lines[1] == "" do
    table.remove(lines, 1)
  end
  while lines[#lines] == "" do
    lines[#lines] = nil
  end
  entry.text = lines
end

--- the entry that the lines of a comment make, without the dashes
local function entry_of(lines)
  local entry = { text = {}, parts = {}, params = {}, returns = {}, fields = {} }
  local part, after_sentence, example = nil, false, {}
  local i = 0
  while lines[i + 1] do
    i = i + 1
    local line = lines[i]
    local tag, rest = line:match("^@(%a+)%s*(.*)$")
    line = line:gsub("^ ", "")
    local name, words = line:match("^(%l+)  +(.*)$")
    if tag then
      part = nil
      while (lines[i + 1] or ""):find("^   %S") do
        i = i + 1
        rest = rest .. " " .. trim(lines[i])
      end
      if TAGS[tag] then
        TAGS[tag](entry, rest)
      end
    elseif IS_PART[name] then
      part = name
      entry.parts[part] = entry.parts[part] and entry.parts[part] .. " " .. words or words
    elseif part and line:find("^  %S") then
      entry.parts[part] = entry.parts[part] .. " " .. trim(line)
    elseif line:find("^    ") and (part or after_sentence or #example > 0) then
      part = nil
      example[#example + 1] = line:sub(5)
    else
      part = nil
      entry.text[#entry.text + 1] = line
    end
    after_sentence = line == "" or line:find("[.?]$") ~= nil
  end
  entry.example = #example > 0 and table.concat(example, "\n") or nil
  take_summary(entry)
  return entry
end

-- What a comment describes ---------------------------------------------------

local DEFINITIONS = {
  "^local function ([%w_]+)(.*)$",
  "^function ([%w_.:]+)(.*)$",
  "^local ([%w_]+) = (.*)$",
  "^([%w_.]+) = (.*)$",
}

--- the tensors of "u [m, k], s [k], vh [k, n]", or the one of any other shape
local function add_results(entry, shapes)
  local names = {}
  for name in (", " .. shapes:match("^%s*(.*)")):gmatch(", ([%a_]+) %[") do
    names[#names + 1] = name
  end
  for i = 1, math.max(#names, 1) do
    entry.returns[i] = { type = "wrun.Tensor", text = #names > 1 and names[i] or "" }
  end
end

--- the tags of the definition's arguments and results, with those that go without saying
local function add_usual_tags(entry)
  local tagged, usual, seen = {}, { params = {} }, 0
  for _, param in ipairs(entry.params) do
    tagged[param.name] = param
  end
  for _, name in ipairs(entry.arguments) do
    seen = tagged[name] and seen + 1 or seen
    if not tagged[name] and ARGUMENTS[name] then
      add_param(usual, name .. " " .. ARGUMENTS[name])
      usual.params[#usual.params].is_usual = true
    else
      usual.params[#usual.params + 1] = tagged[name]
    end
  end
  if seen == #entry.params then -- tags of other names stay, to be found wrong
    entry.params = usual.params
  end
  if #entry.returns == 0 then
    local first = entry.params[1]
    if entry.path:find("_$") and first and first.type == "wrun.Tensor" then
      entry.returns[1] = { type = "wrun.Tensor", text = first.name }
    elseif entry.parts.shapes and entry.parts.shapes:find("->", 1, true) then
      add_results(entry, entry.parts.shapes:match("->([^;]*)"))
    elseif entry.summary:find("^Returns whether ")
      or entry.summary:find("^Says whether ") or entry.summary:find("%?$") then
      entry.returns[1] = { type = "boolean", text = "" }
    end
  end
end

--- sets what the line that follows the comment defines
local function set_definition(entry, lines, number)
  for _, pattern in ipairs(DEFINITIONS) do
    local path, rest = lines[number]:match(pattern)
    if path then
      entry.path = path
      local from = number
      while rest:find("%(") and not rest:find("%b()") and lines[from + 1] do
        from = from + 1
        rest = rest .. " " .. trim(lines[from])
      end
      local brackets = rest:match("^(%b())") or rest:match("^function(%b())")
      entry.arguments = brackets and list_of(brackets:sub(2, -2))
      return
    end
  end
end

--- Returns the entries of a source, the comment at its head, and the name that it returns. A
--- function without a comment has an entry too, which says `is_bare`.
---@param module string its name
---@return wrun.reference.Entry? head
---@return string? returned
function M.parse(text, module)
  local lines, entries, head, returned = {}, {}, nil, nil
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
    returned = line:match("^return ([%w_]+)$")
      or line:match('^return names%.closed%("[%w.]+", ([%w_]+)[,)]') or returned
  end
  local number = 1
  while number <= #lines do
    local pattern = number == 1 and "^%-%-%-?( ?.*)$" or "^%s*%-%-%-([^%-].*)$"
    local first = number
    local comment = {}
    while lines[number] and (lines[number]:find(pattern) or lines[number]:find("^%s*%-%-%-$")) do
      comment[#comment + 1] = lines[number]:match(pattern) or ""
      number = number + 1
    end
    if #comment > 0 or (lines[number] or ""):find("^function ") then
      local entry = entry_of(comment)
      entry.module, entry.line, entry.is_bare = module, number, #comment == 0 or nil
      if first == 1 and #comment > 0 then
        head = entry
      else
        set_definition(entry, lines, number)
        if entry.arguments and not entry.is_typed then
          add_usual_tags(entry)
        end
        entries[#entries + 1] = entry
      end
    end
    number = number + 1
  end
  return entries, head, returned
end

return M
