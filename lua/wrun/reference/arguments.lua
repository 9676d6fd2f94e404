--- What a function's arguments are, as its source says it: by the rules that check them there, or in
--- the functions of its file that it hands them to.

local errors = require "wrun.reference.errors"

local M = {}

local DEPTH = 3 -- of calls that are followed

local TYPES = {
  ["true or false"] = "boolean", ["a string"] = "string", ["a function"] = "function",
  ["a table"] = "table", ["a tensor"] = "wrun.Tensor",
}

-- what a rule whose bounds are known in the call only accepts, by what makes it
local MAKERS = { integer = "integer", number = "number", choice = "string", string = "string" }

local LITERALS = { ["true"] = true, ["false"] = false }

--- the value of `-1`, `"fro"` or `true`
local function literal(text)
  return tonumber(text) or (text or ""):match('^"([^"]*)"$') or LITERALS[text]
end

--- Returns the type that a rule asks for, from its words.
function M.type_of(rule)
  local word = rule.expected:match("^an? (%a+)")
  if word == "function" and rule.expected:find("the name of one", 1, true) then
    return "function|string"
  end
  return TYPES[rule.expected] or (word == "number" or word == "integer") and word or "string"
end

--- does a rule take this value? One that needs more of its file than is known here takes none
local function takes(rule, value)
  local ok, accepted = pcall(rule.accept, value)
  return ok and accepted ~= nil
end

--- Returns whether the words of a rule say its type.
function M.has_type(rule)
  local is_choice = takes(rule, rule.expected:match("^[%w_]+")) and not takes(rule, "")
  return M.type_of(rule) ~= "string" or TYPES[rule.expected] ~= nil or is_choice
end

--- what a rule says, { type, default, optional }, nil where it does not say the type
local function of_rule(expression, source)
  local rule = errors.evaluate(expression, source)
  if type(rule) == "table" and rule.expected then
    return M.has_type(rule) and {
      type = M.type_of(rule), default = rule.default,
      optional = rule.optional or rule.default ~= nil,
    } or nil
  end
  local maker, brackets = expression:match("^check%.(%a+)(%b())$")
  local default = maker and errors.pieces_of(brackets:sub(2, -2))[1] or "nil"
  if MAKERS[maker] then
    return { type = MAKERS[maker], default = literal(default), optional = default ~= "nil" }
  end
end

--- the argument in `d`, `d or -1` or `d == nil and -1 or d`, and what stands for it when it is nil
local function given(expression)
  local name, default = expression:match("^([%w_]+) or (%S+)$")
  if not name then
    name, default = expression:match("^([%w_]+) == nil and (%S+) or [%w_]+$")
  end
  return name or expression, literal(default)
end

--- what one call says of an argument: its name, and { type, default, optional }
local function of_call(name, pieces, source)
  local checked = name:match("^check%.([%a_]+)$")
  if checked == "argument" and pieces[4] then
    local argument, default = given(pieces[3])
    local found = of_rule(pieces[4], source)
    if found and default ~= nil then
      found.default, found.optional = default, true
    end
    return argument, found
  elseif checked == "flag" and pieces[3] then
    return pieces[3], { type = "boolean", default = pieces[4] == "true", optional = true }
  elseif checked == "dimension" and pieces[3] then
    local argument, default = given(pieces[3])
    return argument, { type = "integer", default = default, optional = default ~= nil }
  elseif checked == "tensor_argument" or checked == "float_argument" then
    return pieces[3], { type = "wrun.Tensor" }
  end
end

local function collect(path, source, depth)
  local f, found = source.functions[path], {}
  for name, brackets in errors.calls(f and f.body or "") do
    local pieces = errors.pieces_of(brackets:sub(2, -2))
    local argument, said = of_call(name, pieces, source)
    local called = source.functions[name]
    if said and not found[argument] then
      found[argument] = said
    elseif called and called ~= f and depth < DEPTH then
      local inner = collect(name, source, depth + 1)
      for i, inner_name in ipairs(called.arguments) do
        local outer, default = given(pieces[i] or "")
        local passed = inner[inner_name]
        if passed and default ~= nil then
          passed.default, passed.optional = default, true
        end
        found[outer] = found[outer] or passed
      end
    end
  end
  return found
end

--- Returns what a function's checks say of its arguments, by their names.
function M.of(source, path)
  local f, found = source.functions[path], {}
  local all = f and collect(path, source, 1) or {}
  for _, name in ipairs(f and f.arguments or {}) do
    found[name] = all[name]
  end
  return found
end

--- Returns whether a method's last statement returns the object.
function M.returns_self(source, path)
  local f = source.functions[path]
  local is_method = f and (f.class or f.arguments[1] == "self")
  return is_method and f.body:find("return self%s+end%s*$") ~= nil or false
end

return M
