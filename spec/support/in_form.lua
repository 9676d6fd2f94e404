--- What is wrong with the message of a refusal. In form it stands at the script's line, begins with
--- the name of what was called, and says what was expected and what came, or else why not.

-- The names of chunks whose lines may be blamed, with a line: those of the specs' own scripts.
local SCRIPTS = { "script%.lua:1", "example:%d+" }

-- Words that only Lua's own messages have.
local OF_LUA = {
  "attempt to ", "bad argument", "has no integer representation", "stack overflow", "invalid order",
  "invalid option", "invalid format", "number expected", "string expected", "table expected",
  "wrong number of arguments", "resulting string too large", "C stack", "malformed",
  "too many results", "string slice too long", "nil value",
}

-- What is said of an argument that is refused.
local EXPECTED = { "expected ", ": unknown; " }

-- What is said otherwise: what there is not, what cannot be, or what the system says.
local REASONS = {
  " no name ", " cannot ", " ha[sd] no ", " have no ", "no tensor; ", "no gradient flows",
  "has a NaN; ", "was walked already", "not defined; ", " is closed", " have gradients, got ",
  "changed in place", "does not ", "do not ", "not enough memory", "the sizes overflow",
  "No such file", "Is a directory", "would bypass; ", " is singular", " is not positive definite",
  " is negative: ", "stands among the elements; ",
  ": nothing to ", " is not on this machine", ": missing ",
  "nothing holds its guard", "; write ", " is empty, got ", ", which has the shape ",
  ", which no tensor has", ": not an? ", "Not a directory",
}

local function has(text, patterns, is_plain)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern, 1, is_plain) then
      return true
    end
  end
  return false
end

--- Returns what is wrong with a message, nil where it is in form.
---@param message any
---@param is_of_argument boolean? whether an argument was refused, and nothing else can be said
---@return string?
return function(message, is_of_argument)
  if message == "not enough memory" then
    return nil -- Lua says no line then
  end
  local text
  for _, place in ipairs(SCRIPTS) do
    text = text or tostring(message):match("^" .. place .. ": (.*)$")
  end
  if not text then
    return "blames another line"
  elseif has(text, OF_LUA, true) then
    return "is Lua's own"
  elseif not text:find("^[%w_.#\\]+[^:]*: ") then
    return "does not begin with a name"
  elseif not has(text, EXPECTED, true) and (is_of_argument or not has(text, REASONS, false)) then
    return "does not say what was expected"
  elseif text:find("%c") and text:find("[%z\1-\8\11-\31\127]") then
    return "has control characters"
  end
end
