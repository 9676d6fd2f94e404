--- The Lua side of the interactive session: what is there as a global, how results print, and what
--- a word may be completed to. Only runtime/command/repl.c and lineedit.c use it.

local core = require "wrun.core"
local help = require "wrun.help"
local literal = require "wrun.literal"
local own_names = require "wrun.names"
local timer = require "wrun.timer"
local wrun = require "wrun"

local M = {}

-- Globals --------------------------------------------------------------------

-- What `help` gives: a text that the session may show page by page.
local Page = { __name = "Page" }

function Page:__tostring()
  return self.text
end

local function page(...)
  return setmetatable({ text = help.help(...) }, Page)
end

-- Called or not, it says the same.
local helper = setmetatable({}, {
  __name = "help",
  __call = function(_, ...)
    return page(...)
  end,
  __tostring = function()
    return help.help()
  end,
})

-- What `exit` and `quit` are; called or not, they end the session.
local Leave = { __name = "exit" }

function Leave:__call(status)
  self.exit(status == nil or status, true)
end

function Leave.__tostring()
  return "exit, or Ctrl-D, ends the session"
end

--- Puts what examples use into the table of globals, where no script has put anything of that name.
---@param globals table
---@param exit function  os.exit
function M.start(globals, exit)
  local leave = setmetatable({ exit = exit }, Leave)
  local names = {
    wrun = wrun, nn = wrun.nn, optim = wrun.optim, data = wrun.data, init = wrun.nn.init,
    help = helper, exit = leave, quit = leave, timeit = timer.timeit,
  }
  for name, value in pairs(names) do
    if rawget(globals, name) == nil then
      rawset(globals, name, value)
    end
  end
end

-- Results --------------------------------------------------------------------

-- A plain table as Lua; all else as print shows it.
local function shown(value)
  local is_plain = type(value) == "table" and debug.getmetatable(value) == nil
  return is_plain and literal.text(value) or value
end

--- Returns whether the session goes on, a text to show page by page or nil, and the results of a
--- line as print should get them. The first is the global `_` from here on.
---@return boolean
---@return string?
---@return any ...
function M.results(globals, ...)
  local count, first = select("#", ...), (...)
  if first ~= nil then
    rawset(globals, "_", first)
  end
  local metatable = debug.getmetatable(first)
  if count == 1 and metatable == Leave then
    return false
  elseif count == 1 and (rawequal(first, helper) or metatable == Page) then
    return true, tostring(first) .. "\n"
  end
  local values = table.pack(...)
  for i = 1, count do
    values[i] = shown(values[i])
  end
  return true, nil, table.unpack(values, 1, count)
end

-- Completion -----------------------------------------------------------------

-- The text between quotes in which the last line ends, nil where it ends outside.
local function open_quote(text)
  local line, quote, first, at = text:match("[^\n]*$"), nil, nil, 1
  while at <= #line do
    local c = line:sub(at, at)
    if quote and c == "\\" then
      at = at + 1
    elseif quote then
      quote = c ~= quote and quote or nil
    elseif c == '"' or c == "'" then
      quote, first = c, at + 1
    elseif line:find("^%-%-", at) then
      return nil
    end
    at = at + 1
  end
  return quote and line:sub(first)
end

-- What stands before the innermost bracket that is open, and that bracket.
local function open_bracket(line)
  local depth = 0
  for at = #line, 1, -1 do
    local c = line:sub(at, at)
    if c:find("[%)%]}]") then
      depth = depth + 1
    elseif c:find("[%(%[{]") then
      depth = depth - 1
      if depth < 0 then
        return line:sub(1, at - 1), c
      end
    end
  end
end

-- A name that a line ends with, with all that it is read from: "wrun.nn.Li", "model[1].weight:su".
local function last_name(line)
  local first = #line + 1
  while first > 1 do
    local before = line:sub(1, first - 1)
    local index = before:match("()%[%-?%d+%]$")
    if index then
      first = index
    elseif before:find("[%w_.:]$") then
      first = first - 1
    else
      break
    end
  end
  return line:sub(first):match("[%a_].*$") or ""
end

local function read(value, key)
  return value[key]
end

-- The value of a name such as "model[1].weight", by what is there, nil where there is nothing.
local function value_of(globals, name)
  local value, at = globals, 1
  name = "." .. name
  while at <= #name do
    local key, after = name:match("^[.:]([%a_][%w_]*)()", at)
    local index, behind = name:match("^%[(%-?%d+)%]()", at)
    local ok
    ok, value = pcall(read, value, key or math.tointeger(tonumber(index)))
    if not ok or value == nil then
      return nil
    end
    at = after or behind
  end
  return value
end

-- Names of tensors' fields; their methods are in core.methods.
local FIELDS = { "shape", "dtype", "ndim", "requires_grad", "grad", "grad_fn", "is_leaf" }

local function above(value)
  return type(value) == "table" and rawget(value, "super") or nil
end

-- Returns where Lua looks for what a value does not have, a function excepted.
local function behind(value)
  local metatable = debug.getmetatable(value)
  local index = metatable and metatable.__index
  return above(value) or type(index) ~= "table" and above(metatable) and metatable or index
end

-- Adds every name that reading from `value` may find.
local function add_names(names, value)
  if core.is_tensor(value) then
    for _, name in ipairs(FIELDS) do
      names[name] = false
    end
    value = core.methods
  end
  for _ = 1, 20 do -- a value, the table behind it, and so on
    if type(value) == "table" then
      for name, member in own_names.pairs(value) do
        if type(name) == "string" and names[name] == nil then
          local metatable = debug.getmetatable(member)
          names[name] = type(member) == "function" or metatable ~= nil and metatable.__call ~= nil
        end
      end
    end
    value = behind(value)
    if type(value) ~= "table" then
      return
    end
  end
end

-- The candidates among names -> is it called?, sorted; after a colon only what is called.
local function matching(names, start, called_only)
  local list = {}
  for name, is_called in pairs(names) do
    local is_asked = name:sub(1, #start) == start and (start ~= "" or name:sub(1, 1) ~= "_")
    if is_asked and name:find("^[%a_][%w_]*$") and (is_called or not called_only) then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- The options of what is called around a line that ends inside { }, each with its " = ".
local function options(globals, line)
  local before, bracket = open_bracket(line)
  if bracket ~= "{" or not line:sub(#before + 2):find("^%s*[%w_]*$")
    and not line:find("[{,;]%s*[%w_]*$") then
    return nil
  end
  local callee = before:match("([%w_.:%[%]]+)%s*$")
  if not callee then
    local outer, kind = open_bracket(before)
    callee = kind == "(" and outer:match("([%w_.:%[%]]+)%s*$") or nil
  end
  local value = callee and value_of(globals, last_name(callee))
  local reference = require "wrun.reference"
  local items = reference.items(reference.faces())
  local item = value ~= nil and help.item(items, value)
  if not item then
    return nil
  end
  local start, list = line:match("[%w_]*$"), {}
  for _, name in ipairs(reference.options(items, item)) do
    if name:sub(1, #start) == start then
      list[#list + 1] = name .. " = "
    end
  end
  return #list > 0 and list or nil
end

local function complete(globals, line, files)
  local path = open_quote(line)
  if path then
    return files(path), #line - #path
  end
  local word = line:match("[%w_]*$")
  local found = options(globals, line)
  if found then
    return found, #line - #word
  end
  local name = last_name(line)
  local owner, mark, start = name:match("^(.*)([.:])([%w_]*)$")
  local names = {}
  add_names(names, owner and value_of(globals, owner) or globals)
  if owner and next(names) == nil then
    return {}, #line
  end
  return matching(names, start or name, mark == ":"), #line - #(start or name)
end

--- Returns what the end of a line from `first` on may become, each once. What the line means is
--- looked up and never called, but for `__index`.
--- domain  files(path) returns the paths that begin so
---@param line string  up to the cursor
---@param first integer  bytes of the line before the word to complete
---@param files fun(path: string): string[]
---@return string[]
function M.complete(globals, line, first, files)
  local candidates, from = complete(globals, line, files)
  local seen, list = {}, {}
  for _, candidate in ipairs(candidates) do
    local text = from >= first and line:sub(first + 1, from) .. candidate
      or candidate:sub(first - from + 1)
    if not seen[text] then
      seen[text] = true
      list[#list + 1] = text
    end
  end
  return list
end

return M
