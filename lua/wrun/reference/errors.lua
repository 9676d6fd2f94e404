--- What a function raises, as its source says it: the messages of the calls of `fail` in it, in the
--- checks that it calls, and in the other functions that it hands its name to. What a message is
--- filled with is shown where it is a literal, and as a word in capitals where it is not.

local check = require "wrun.check"

local M = {}

---@class wrun.reference.Source
---@field functions table<string, { arguments: string[], body: string, class: string? }>
---@field constants table<string, string> what the file's own names are set to, as text
---@field modules table<string, string> the modules that it requires, by their names in it

local DEPTH = 6 -- of calls that are followed
local FEW = 3 -- options that are listed one by one
local ANYTHING = check.passed_on().expected

--- Returns the pieces of a list, cut at the commas outside of brackets and strings.
function M.pieces_of(text)
  local pieces, depth, first, quote, at = {}, 0, 1, nil, 1
  while at <= #text do
    local c = text:sub(at, at)
    if quote then
      at = c == "\\" and at + 1 or at
      quote = c ~= quote and quote or nil
    elseif c == '"' or c == "'" then
      quote = c
    elseif c:find("[%(%[{]") then
      depth = depth + 1
    elseif c:find("[%)%]}]") then
      depth = depth - 1
    elseif c == "," and depth == 0 then
      pieces[#pieces + 1] = text:sub(first, at - 1)
      first = at + 1
    end
    at = at + 1
  end
  pieces[#pieces + 1] = text:sub(first)
  for i, piece in ipairs(pieces) do
    pieces[i] = piece:match("^%s*(.-)%s*$")
  end
  return pieces
end

local pieces_of = M.pieces_of

--- Iterates over the names and the brackets of the calls in a body, also of those in brackets.
function M.calls(body)
  local at = 1
  return function()
    local first, last, name, brackets = body:find("([%a_][%w_.:]*)(%b())", at)
    at = first and last - #brackets + 1
    return name, brackets
  end
end

--- Returns the functions, the constants and the modules that a source names at its left edge.
function M.parse(text)
  local source = { functions = {}, constants = {}, modules = {} }
  local code = ("\n" .. text):gsub("%-%-[^\n]*", "")
  code = code:gsub("\n([%a_]+)", function(word)
    return word ~= "end" and "\n\0" .. word or nil
  end)
  for statement in code:gmatch("(%Z+)") do
    local path, rest = statement:match("^local function ([%w_]+)(.*)$")
    if not path then
      path, rest = statement:match("^function ([%w_.:]+)(.*)$")
    end
    local name, value = statement:match("^local ([%w_]+) = (.*)$")
    if not name then
      name, value = statement:match("^([%w_.]+) = (.*)$")
    end
    if path then
      local brackets, body = rest:match("^(%b())(.*)$")
      source.functions[path] = {
        arguments = pieces_of(brackets:sub(2, -2)), body = body, class = path:match("^(.*):"),
      }
    elseif name then
      source.constants[name] = value
      source.modules[name] = value:match('^%l+ "([%w_.]+)"%s*$') -- what a module is required by
      local brackets, body = value:match("^function(%b())(.*)$")
      source.functions[name] = source.functions[name] or {
        arguments = brackets and pieces_of(brackets:sub(2, -2)) or {}, body = body or value,
      }
    end
  end
  return source
end

--- Returns the value of an expression of constants and rules, nil where it needs more.
function M.evaluate(expression, source)
  expression = source.constants[expression] or expression -- `Linear.rules`
  local names = setmetatable({ check = check }, {
    __index = function(_, name)
      return source.constants[name] and M.evaluate(source.constants[name], source) or _G[name]
    end,
  })
  local chunk = load("return " .. expression, "=rule", "t", names)
  local ok, value = pcall(chunk or error)
  return ok and value or nil
end

local evaluate = M.evaluate

--- the words in capitals for what is not known before the call
local function placeholder(expression, is_number)
  if is_number then
    return "N"
  elseif expression:find("shape") or expression:find("size") then
    return "SHAPE"
  elseif expression:find("dtype") then
    return "DTYPE"
  end
  local word = expression:match("^[%w_.]-([%w_]+)$")
  return word and word:gsub("^fname$", "name"):upper() or "..."
end

--- the text of an expression, nil where it is not known before the call
local function text_of(expression, scope)
  local bound = scope.bound[expression]
  if bound then
    return bound
  elseif expression == "self.__name" then
    return "NAME"
  end
  local literal = expression:match('^"([^"]*)"$') or expression:match("^%-?[%d.]+$")
  local first, second = expression:match("^(.-) %.%. (.*)$")
  local usual, other = expression:match("^([%w_.]+) or (.*)$")
  if literal then
    return literal
  elseif first then
    return (text_of(first, scope) or placeholder(first))
      .. (text_of(second, scope) or placeholder(second))
  elseif usual then
    return scope.bound[usual] or text_of(other, scope)
  end
  local constant = scope.source.constants[expression]
  return constant and constant:match('^"([^"]*)"%s*$')
end

--- what a call of `fail` says, up to what was given instead
local function message_of(arguments, scope)
  local format, next_argument = text_of(arguments[1], scope), 1
  if not format or not format:find("^%%?[%w_.]+[%[%]%%%w]*: ") then
    return nil
  end
  local is_named = format:find("^%%s: ")
  local text = format:gsub("%%([%d.]*%a)", function(letter)
    next_argument = next_argument + 1
    local expression = arguments[next_argument] or ""
    local is_name = is_named and next_argument == 2
    return text_of(expression, scope) or is_name and "NAME"
      or placeholder(expression, letter == "d")
  end)
  text = text:gsub("%%%%", "%%"):gsub("\\[%d%a]+", ""):gsub(", got .*$", ""):gsub(";.*$", "")
  return not text:find(": [%u_]+$") and text or nil
end

--- what a call of `check.argument`, `check.options` or `check.dimension` says
local function rule_messages(kind, arguments, scope, add)
  local name = text_of(arguments[1], scope)
  if kind == "dimension" then
    local index = text_of(arguments[2], scope) or "N"
    local noun = index:find("%l") and "option" or "argument"
    add(("%s: %s %s: expected a dimension"):format(name or "NAME", noun, index))
    return
  end
  if kind == "argument" then
    local rule = scope.bound[arguments[4]] or evaluate(arguments[4], scope.source)
    local expected = type(rule) == "table" and rule.expected and " " .. rule.expected or ""
    add(("%s: argument %s: expected%s"):format(name or "NAME",
      text_of(arguments[2], scope) or "N", expected))
    return
  end
  local rules = evaluate(arguments[3], scope.source)
  local names = type(rules) == "table" and check.sorted_keys(rules) or {}
  if #names > FEW or #names == 0 then
    names = { name and name ~= "NAME" and "NAME" or "OPTION" }
  end
  for _, option in ipairs(names) do
    local rule = type(rules) == "table" and rules[option]
    if not rule or rule.expected ~= ANYTHING then
      add(("%s: option %s: expected%s"):format(name or "NAME", option,
        rule and " " .. rule.expected or ""))
    end
  end
end

local visit

--- what a function that is called there says of its own, in terms of the arguments of the call
local function visit_call(name, arguments, scope, sources, add)
  local module, path = scope.source, name
  local alias, rest = name:match("^([%w_]+)%.([%w_]+)$")
  if alias and module.modules[alias] then
    module, path = sources[module.modules[alias]], "M." .. rest
  elseif scope.class then
    path = name:gsub("^self:", scope.class .. ":")
  end
  local f = module and module.functions[path]
  if f and not scope.hidden[name] and scope.depth < DEPTH then
    local bound, is_named = {}, not path:find("^M%.")
    for i, argument in ipairs(f.arguments) do
      local text = arguments[i] and text_of(arguments[i], scope)
      bound[argument], is_named = text, is_named or text ~= nil and text:find("%a") ~= nil
    end
    if not is_named then -- what it raises, it raises under its own name
      return
    end
    visit(f, { source = module, bound = bound, depth = scope.depth + 1 }, sources, add)
  end
end

function visit(f, scope, sources, add)
  scope.class, scope.hidden = f.class, {}
  for _, argument in ipairs(f.arguments) do
    scope.hidden[argument] = true
  end
  for name, text in f.body:gmatch('local ([%w_]+) = "([^"\n]*)"\n') do
    scope.bound[name] = text
  end
  for name, brackets in M.calls(f.body) do
    local arguments = pieces_of(brackets:sub(2, -2))
    local checked = name:match("^check%.(%a+)$")
    if name == "fail" or name == "check.fail" then
      local text = message_of(arguments, scope)
      if text then
        add(text)
      end
    elseif checked == "argument" or checked == "options" or checked == "dimension" then
      rule_messages(checked, arguments, scope, add)
    else
      visit_call(name, arguments, scope, sources, add)
    end
  end
end

--- Returns the rules by which a function checks its argument `options`, nil where it does not do so
--- itself.
function M.rules(source, path)
  local f = source.functions[path]
  for brackets in (f and f.body or ""):gmatch("check%.options(%b())") do
    local arguments = pieces_of(brackets:sub(2, -2))
    if arguments[2] == "options" then
      return evaluate(arguments[3], source)
    end
  end
end

--- Adds to `names` those of the options that functions named `name` check in a source, by their
--- rules: the names are keys.
---@param source wrun.reference.Source
---@param name string  as errors call the function
---@param names table<string, boolean>
function M.add_options(source, name, names)
  for _, f in pairs(source.functions) do
    for brackets in f.body:gmatch("check%.options(%b())") do
      local arguments = pieces_of(brackets:sub(2, -2))
      if arguments[1] == '"' .. name .. '"' then
        local rules = source.constants[arguments[3]] or arguments[3] or ""
        for _, piece in ipairs(pieces_of((rules:match("^{(.*)}%s*$") or ""))) do
          local option = piece:match("^([%a_][%w_]*) =")
          names[option or ""] = option and true or nil
        end
      end
    end
  end
end

--- Returns the messages of what a function raises, arguments first; of several arguments that
--- are refused alike as of argument N.
--- domain  a path that the source defines, as `parse` names it; of another there are none
---@param sources table<string, wrun.reference.Source> by the names of the modules
function M.of(sources, module, path)
  local list, indices, source = {}, {}, sources[module]
  local f = source and source.functions[path]
  if f then
    visit(f, { source = source, bound = {}, depth = 1 }, sources, function(text)
      text = "`" .. text:gsub("%s+", " "):gsub("`", "'"):gsub("[:,%. ]+$", "") .. "`"
      local alike = text:gsub(": argument %d+:", ": argument N:")
      local index = indices[alike]
      if not index then
        indices[alike], list[#list + 1] = #list + 1, text
      elseif list[index] ~= text then
        list[index] = alike
      end
    end)
  end
  local sorted = {}
  for _, is_argument in ipairs { true, false } do
    for _, text in ipairs(list) do
      local is_one = text:find(": argument ", 1, true) ~= nil
      sorted[#sorted + 1] = is_one == is_argument and text or nil
    end
  end
  return sorted
end

return M
