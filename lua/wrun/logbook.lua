--- The log of a run: a row of named values a line, as comma-separated values or as JSON lines.
--- Every row goes to the system at once, so that a run that is killed keeps the rows it had.

local check = require "wrun.check"
local closed = require("wrun.names").closed
local core = require "wrun.core"
local json = require "wrun.json"
local method = require "wrun.method"
local ranks = require "wrun.ranks"

local fail = check.fail

local M = {}

local NO_SUCH_FILE = 2 -- errno of io.open

-- Values ---------------------------------------------------------------------

-- As few digits as bring the number back; a point or an exponent tells a float from an integer.
local function float_text(value)
  local text = core.number_text(value)
  return text:find("[.e]") and text or text .. ".0"
end

local function is_text(value)
  return type(value) == "string" and utf8.len(value) ~= nil
end

local function is_name(value)
  return is_text(value) and value ~= "" and not value:find("\0", 1, true)
end

-- The number, text or boolean that a row's value stands for.
local function plain(name, value)
  if check.is_tensor(value) and value:numel() == 1 then
    value = value:item()
  end
  if type(value) ~= "number" and type(value) ~= "boolean" and not is_text(value) then
    fail("write: field %s: expected a number, a boolean, UTF-8 text or a tensor of one element, "
      .. "got %s", name, check.describe(value))
  end
  return value
end

local function is_finite(value)
  return value - value == 0
end

-- Formats --------------------------------------------------------------------
-- How a row becomes a line, and what must be true of a file to go on with it.

local csv, jsonl = {}, {}

-- Blanks at the ends and empty texts are quoted too: readers strip and skip them.
local function csv_text(text)
  if text == "" or text:find('[",\r\n]') or text:find("^[ \t]") or text:find("[ \t]$") then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

local function csv_value(value)
  if type(value) == "boolean" then
    return value and "1" or "0"
  elseif type(value) == "string" then
    return csv_text(value)
  elseif math.type(value) == "integer" then
    return ("%d"):format(value)
  elseif value ~= value then
    return "nan"
  end
  return is_finite(value) and float_text(value) or value > 0 and "inf" or "-inf"
end

function csv.line(values, names)
  local fields = {}
  for i, name in ipairs(names) do
    fields[i] = values[name] == nil and "" or csv_value(values[name])
  end
  return table.concat(fields, ",")
end

function csv.header(names)
  local fields = {}
  for i, name in ipairs(names) do
    if #name > core.csv_field then
      fail("write: argument 1: expected names of at most %d bytes, got one of %d", core.csv_field,
        #name)
    end
    fields[i] = csv_text(name)
  end
  return table.concat(fields, ",") .. "\n"
end

-- The names in a header, nil where the text begins with none.
function csv.names(text)
  local names, position = {}, 1
  repeat
    local quoted, after = text:match('^"(.-)"()[,\r\n]', position)
    while quoted and select(2, quoted:gsub('"', "")) % 2 == 1 do -- that was the first of a pair
      local more, next_after = text:match('^(.-)"()[,\r\n]', after)
      quoted, after = more and quoted .. text:sub(after - 1, after - 1) .. more, next_after
    end
    if not quoted then
      quoted, after = text:match("^([^,\r\n]*)()[,\r\n]", position)
    end
    if not quoted then
      return nil
    end
    names[#names + 1] = quoted:gsub('""', '"')
    position = after + 1
  until text:sub(after, after) ~= ","
  return names
end

function csv.is_whole(text)
  return text:sub(-1) == "\n" and select(2, text:gsub('"', "")) % 2 == 0
end

local function json_value(value)
  if type(value) == "string" then
    return json.text(value)
  elseif math.type(value) == "float" then
    return is_finite(value) and float_text(value) or "null"
  end
  return tostring(value)
end

function jsonl.line(values, names)
  local pairs_of_row = {}
  for _, name in ipairs(names) do
    if values[name] ~= nil then
      pairs_of_row[#pairs_of_row + 1] = json.text(name) .. ": " .. json_value(values[name])
    end
  end
  return "{" .. table.concat(pairs_of_row, ", ") .. "}"
end

function jsonl.is_whole(text)
  return text:sub(-1) == "\n"
end

local FORMATS = { csv = csv, jsonl = jsonl }

-- The log --------------------------------------------------------------------

---@class wrun.logbook.Log
---@field path string
---@field fields string[]? the names of a row's values, nil while they are open
--- A log that is open, made by `wrun.logbook.open`.
local Log = method.object("Log")

-- The values of a row by name, each checked, and the names in order.
local function values_of(log, row)
  local values, names, known = {}, {}, {}
  for _, name in ipairs(log.fields or {}) do
    known[name] = true
  end
  for name, value in pairs(row) do
    if not is_name(name) then
      fail("write: argument 1: expected names of fields, got %s", check.describe(name))
    elseif log.fields and not known[name] then
      fail("write: field %s: unknown; the fields are %s", name, table.concat(log.fields, ", "))
    end
    values[name] = plain(name, value)
    names[#names + 1] = name
  end
  if #names == 0 then
    fail("write: argument 1: expected at least one field, got {}")
  end
  table.sort(names)
  return values, log.fields or names
end

local function put(log, text)
  local ok, message = log.file:write(text)
  if ok then
    ok, message = log.file:flush()
  end
  if not ok then
    fail("write: %s: %s", log.path, message)
  end
end

--- Writes one row, a table of names and values, and flushes it.
--- domain  numbers, booleans, UTF-8 texts and tensors of one element; floats with as many digits as
---   bring them back. In CSV, booleans are 1 and 0, missing fields are empty, and the first row,
---   where no fields were given, decides which there are, in sorted order. JSON has no NaN and no
---   infinities: they become null, and missing fields are left out
--- raises  `write: field NAME: expected`; `write: PATH: ...` when it cannot be written
---     local path = os.tmpname()
---     local log <close> = wrun.logbook.open(path, { format = "jsonl" })
---     log:write { epoch = 1, loss = 0.5, note = "x" }
---     print(io.open(path):read("a"), os.remove(path))
---@param row table<string, any>
function Log:write(row)
  check.argument("write", 1, row, check.table())
  if not self.file then
    fail("write: the log %s is closed", self.path)
  end
  local values, names = values_of(self, row)
  local header = self.format.header and not self.has_header and self.format.header(names) or ""
  local line = self.format.line(values, names)
  put(self, header .. (line == "" and '""' or line) .. "\n")
  if self.format.header then
    self.fields, self.has_header = names, true
  end
end

--- Closes the file; a variable declared `<close>` does it by itself.
--- domain  may be called twice
---     local path = os.tmpname()
---     local log = wrun.logbook.open(path, { format = "csv" })
---     log:close()
---     print(pcall(log.write, log, { epoch = 1 }), os.remove(path))
function Log:close()
  if self.file then
    self.file:close()
    self.file = nil
  end
end

Log.__close = Log.close

-- "Log(run.csv: epoch, loss)"
function Log:__tostring()
  local names = self.fields and ": " .. table.concat(self.fields, ", ") or ""
  return check.escape(("Log(%s%s%s)"):format(self.path, names, self.file and "" or "; closed"))
end

-- Opening --------------------------------------------------------------------

local FIELDS = check.rule(nil, "a list of different names", function(value)
  local seen = {}
  for i = 1, type(value) == "table" and rawlen(value) or 0 do
    local name = rawget(value, i)
    if not is_name(name) or seen[name] then
      return nil
    end
    seen[name] = true
  end
  return next(seen) and check.list(value) or nil
end)

local OPEN = {
  format = check.optional(check.choice(nil, { "csv", "jsonl" })),
  fields = check.optional(FIELDS),
  append = check.boolean(false),
}

-- The names in the header of a file that is to be continued, nil where there is none yet.
local function continued(path, format, fields)
  local file, message, errno = io.open(path, "rb")
  if not file and errno ~= NO_SUCH_FILE then
    fail("open: %s", message)
  end
  local text = file and (file:read("a") or ""):gsub("^\xEF\xBB\xBF", "") or ""
  if file then
    file:close()
  end
  if text == "" then
    return nil
  elseif not format.is_whole(text) then
    fail("open: %s: its last row is not complete; remove it to go on", path)
  end
  local names = format.names and format.names(text)
  local expected = names and fields and format.header(fields)
  if expected and expected ~= format.header(names) then
    fail("open: %s: expected the header %s, found %s", path, expected:sub(1, -2),
      format.header(names):sub(1, -2))
  elseif not format.names and text:sub(1, 1) ~= "{" then
    fail("open: %s: expected JSON objects, one a line", path)
  end
  return names
end

--- Returns a log that writes a row a line to a file.
--- Options:
---   format  "csv", with a header, fields quoted where they must be, or "jsonl", a JSON object a
---           line (by the ending of the path)
---   fields  the names of a row's values, in order (those of the first row, sorted; JSON lines
---           without them may each have other names)
---   append  go on with a file that is there, of the same header (false: it begins anew)
--- domain  `data.csv` reads back the columns of numbers. Of several ranks only the first writes
--- raises  `open: PATH: ...` when it cannot be opened
--- source  [RFC4180], [RFC8259]
---     local path = os.tmpname()
---     local log <close> = wrun.logbook.open(path, { format = "csv" })
---     for epoch = 1, 2 do log:write { epoch = epoch, loss = 1 / epoch } end
---     print(data.csv(path, { header = true }), os.remove(path))
---@param options { format: string, fields: string[], append: boolean }?
---@return wrun.logbook.Log
function M.open(path, options)
  check.argument("open", 1, path, check.path())
  local o = check.options("open", options, OPEN)
  local format = FORMATS[o.format or path:match("%.(%w+)$")]
  if not format then
    fail("open: option format: expected csv or jsonl, as %s ends in neither, got nil", path)
  end
  local names = o.append and continued(path, format, o.fields)
  local file, message = io.open(ranks.is_first() and path or "/dev/null", o.append and "ab" or "wb")
  if not file then
    fail("open: %s", message)
  end
  return setmetatable({
    path = path, format = format, file = file, fields = names or o.fields,
    has_header = names and true or false,
  }, Log)
end

return closed("logbook", M)
