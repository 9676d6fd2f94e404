--- Saves tensors, and tables of them with what stands between, to safetensors files.
--- A table whose values are all tensors becomes a plain safetensors file of those names. Any other
--- tree becomes one too: tensors are named by their keys, joined with dots, and the tree itself is
--- JSON in the file's metadata (`TREE`). Lists, tables of names, numbers, booleans and texts are
--- JSON's own; what JSON lacks is an object of one name that begins with a dollar:
---
---     {"$tensor": "a.b"}             the tensor of this name
---     {"$float": "-inf"}             inf, -inf, nan or -nan
---     {"$bytes": "ff00"}             a string that is no text, in hexadecimal
---     {"$pairs": [[1, "a"], ...]}    a table with integers among its keys, or with a dollar first
---     {"$same": 3}                   the third table of the tree, as they begin, once more

local check = require "wrun.check"
local core = require "wrun.core"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

local TREE = "wrun.tree"
local DEEPEST = 100
local PATH = check.path()

-- the name of what `key` leads to
local function joined(path, key)
  return path == "" and tostring(key) or path .. "." .. key
end

-- Out ------------------------------------------------------------------------

-- numbers first, then texts
local function is_before(a, b)
  if math.type(a) == math.type(b) then
    return a < b
  end
  return type(a) == "number"
end

local function is_text(value)
  return type(value) == "string" and utf8.len(value) and not value:find("\0", 1, true)
end

-- The keys in order. A list has the keys 1 to their number, a record texts without a dollar first.
local function keys_of(path, t)
  for key in pairs(t) do
    if math.type(key) ~= "integer" and not is_text(key) then
      fail("save: argument 2: expected texts and integers as keys, got %s in %s",
        check.describe(key), path == "" and "the table" or path)
    end
  end
  local keys = check.sorted_keys(t, is_before)
  local is_list, is_record = #keys > 0, true
  for i, key in ipairs(keys) do
    is_list = is_list and key == i
    is_record = is_record and type(key) == "string" and key:sub(1, 1) ~= "$"
  end
  return keys, is_list, is_record
end

local function text_of_string(text)
  if not is_text(text) then
    return ('{"$bytes":"%s"}'):format(text:gsub(".", function(byte)
      return ("%02x"):format(byte:byte())
    end))
  end
  return '"' .. text:gsub('[%c"\\]', function(character)
    return ("\\u%04x"):format(character:byte())
  end) .. '"'
end

-- With as few digits as bring it back, and with a point in every locale.
local function text_of_float(number)
  if number ~= number or number == math.huge or number == -math.huge then
    return ('{"$float":"%s"}'):format(("%f"):format(number))
  end
  local text = core.number_text(number)
  return text:find("[.e]") and text or text .. ".0"
end

local function text_of_scalar(path, value)
  local kind = math.type(value) or type(value)
  if kind == "integer" or kind == "boolean" then
    return tostring(value)
  elseif kind == "float" then
    return text_of_float(value)
  elseif kind == "string" then
    return text_of_string(value)
  end
  fail("save: argument 2: %s: expected a tensor, a table, a number, a boolean or a text, got %s",
    path, check.describe(value))
end

-- Refuses a module, an optimiser and what else has a state of its own.
local function check_plain(path, t)
  if getmetatable(t) ~= nil and type(t.state_dict) == "function" then
    fail("save: argument 2:%s expected tables of tensors, got %s; write object:state_dict()",
      path ~= "" and " " .. path .. ":" or "", check.describe(t))
  end
end

local encode

local function encode_table(out, path, t, depth)
  if out.open[t] then
    fail("save: argument 2: %s: expected no table inside itself", path)
  elseif depth > DEEPEST then
    fail("save: argument 2: expected at most %d tables inside each other", DEEPEST)
  end
  check_plain(path, t)
  local keys, is_list, is_record = keys_of(path, t)
  local opening, closing = '{"$pairs":[', "]}"
  if is_list then
    opening, closing = "[", "]"
  elseif is_record then
    opening, closing = "{", "}"
  end
  out.is_plain = out.is_plain and depth == 0 and is_record
  out.count = out.count + 1
  out.number_of[t], out.open[t] = out.count, true
  local text = out.text
  text[#text + 1] = opening
  for i, key in ipairs(keys) do
    text[#text + 1] = i > 1 and "," or ""
    if not is_list then
      text[#text + 1] = (is_record and "%s:" or "[%s,"):format(text_of_scalar(path, key))
    end
    encode(out, joined(path, key), t[key], depth + 1)
    text[#text + 1] = (is_list or is_record) and "" or "]"
  end
  text[#text + 1] = closing
  out.open[t] = nil
end

function encode(out, path, value, depth)
  if check.is_tensor(value) then
    if out.tensors[path] then
      fail("save: argument 2: two tensors would be named %s", path)
    end
    out.names[#out.names + 1] = path
    out.tensors[path] = value
    out.text[#out.text + 1] = ('{"$tensor":%s}'):format(text_of_string(path))
  elseif type(value) ~= "table" then
    out.is_plain = false
    out.text[#out.text + 1] = text_of_scalar(path, value)
  elseif out.number_of[value] and not out.open[value] then
    out.text[#out.text + 1] = ('{"$same":%d}'):format(out.number_of[value])
  else
    encode_table(out, path, value, depth)
  end
end

local function metadata_list(metadata)
  local list = {}
  for _, name in ipairs(check.sorted_keys(metadata)) do
    local value = metadata[name]
    if type(name) ~= "string" or type(value) ~= "string" or name == TREE
      or (name .. value):find("\0", 1, true) then
      fail("save: argument 3: expected a table of name and text, got %s = %s",
        check.describe(name), check.describe(value))
    end
    list[#list + 1], list[#list + 2] = name, value
  end
  return list
end

-- A tree as pieces of JSON in `text`, and the tensors in it by the names that stand there for them.
local function encoded(tree)
  local out = {
    names = {}, tensors = {}, text = {}, is_plain = true, count = 0, number_of = {}, open = {},
  }
  encode(out, "", tree, 0)
  return out
end

--- Returns a tree as the JSON text that stands in a file, the names in that of its tensors, and
--- these by name.
---@param tree table
---@return string
---@return string[]
---@return table<string, wrun.Tensor>
function M.encode(tree)
  local out = encoded(tree)
  return table.concat(out.text), out.names, out.tensors
end

--- Writes a tensor tree to a safetensors file: a table of tensors, or of tables of them, as deep as
--- you like, with numbers, booleans and strings anywhere - so a model's and an optimiser's
--- `state_dict()`, an epoch number and a note go into one file.
--- shapes  any; views are saved with what they show alone
--- domain  any dtype; keys are texts and integers; strings may hold any bytes. A table that stands
---   in two places comes back as one, and is refused inside itself. A tensor below keys a, b is named `a.b`, so any
---   safetensors reader finds it; a flat table makes the very bytes that the reference
---   implementation would. The file is on the disk before it takes the place of an older one: a run
---   that is killed leaves the old file or the new
--- raises  `save: PATH: ...` when it cannot be written
--- source  the safetensors format; see lua/wrun/save.lua for what is not a tensor
---     local path, model = os.tmpname(), nn.Linear(2, 3)
---     wrun.save(path, { model = model:state_dict(), epoch = 7 }, { note = "a first try" })
---     print(wrun.load(path).model.weight, wrun.load(path).epoch, os.remove(path))
---@param metadata table<string, string>?  shown to other readers as the file's `__metadata__`
function M.save(path, tree, metadata)
  check.argument("save", 1, path, PATH)
  check.argument("save", 2, tree, check.table())
  local texts = metadata_list(check.argument("save", 3, metadata, check.table({})))
  local out = encoded(tree)
  if not out.is_plain then
    texts[#texts + 1], texts[#texts + 2] = TREE, table.concat(out.text)
  end
  local list = {}
  for i, name in ipairs(out.names) do
    list[i] = unrecorded.contiguous(out.tensors[name])
  end
  local ok, message = core.safetensors_save(path, out.names, list, texts)
  if not ok then
    fail("save: %s", message)
  end
  M.last_path = path -- for the command, where it is interrupted
end

-- In -------------------------------------------------------------------------

-- A reader is { path, what, text, at, tensors, tables, count }; each of these takes what stands at
-- `at`.

local function damaged(reader)
  fail("load: %s: its tree is damaged at character %d of %s", reader.path, reader.at, reader.what)
end

-- What a pattern that begins with blanks and captures finds here, or nil.
local function match(reader, pattern)
  local found, after = reader.text:match("^[ \t\r\n]*" .. pattern .. "()", reader.at)
  reader.at = found and after or reader.at
  return found
end

local function expect(reader, pattern)
  return match(reader, pattern) or damaged(reader)
end

local SHORT = {
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
}

-- The text between quotes; a character beyond four hexadecimal digits is a pair of them.
local function decode_string(reader)
  local first = reader.at
  expect(reader, '(")')
  local parts = {}
  while reader.text:sub(reader.at, reader.at) ~= '"' do
    local plain, after = reader.text:match('^([^"\\]+)()', reader.at)
    if plain then
      parts[#parts + 1], reader.at = plain, after
    else
      local hex = reader.text:match("^\\u(%x%x%x%x)", reader.at)
      local short = SHORT[reader.text:match("^\\(.)", reader.at)]
      if not hex and not short then
        reader.at = first
        damaged(reader)
      end
      local code, low = hex and tonumber(hex, 16), nil
      if hex and code >= 0xD800 and code < 0xDC00 then
        low = reader.text:match("^\\u([dD][c-fC-F]%x%x)", reader.at + 6)
        code = low and 0x10000 + ((code & 0x3FF) << 10) + (tonumber(low, 16) & 0x3FF) or code
      end
      parts[#parts + 1] = hex and utf8.char(code) or short
      reader.at = reader.at + (low and 12 or hex and 6 or 2)
    end
  end
  reader.at = reader.at + 1
  return table.concat(parts)
end

local NAN = 0 / 0
local FLOATS = {
  inf = math.huge, ["-inf"] = -math.huge,
  [("%f"):format(NAN)] = NAN, [("%f"):format(-NAN)] = -NAN,
}

local decode

-- Takes parts by `take` up to the closing mark, with commas between them.
local function decode_parts(reader, closing, take)
  local is_first = true
  while not match(reader, closing) do
    if not is_first then
      expect(reader, "(,)")
    end
    is_first = false
    take()
  end
end

-- A table, filled by `fill(table, next part)` for each part up to the closing mark.
local function decode_table(reader, closing, depth, fill)
  if depth > DEEPEST then
    damaged(reader)
  end
  local t, number = {}, reader.count + 1
  reader.count = number
  decode_parts(reader, closing, function()
    fill(t)
  end)
  reader.tables[number] = t
  return t
end

-- What an object of a name with a dollar means.
local MARKED = {}

MARKED["$tensor"] = function(reader)
  local name = decode_string(reader)
  return reader.tensors[name] or fail("load: %s: tensor '%s' is missing", reader.path, name)
end

MARKED["$float"] = function(reader)
  return FLOATS[decode_string(reader)]
end

MARKED["$bytes"] = function(reader)
  local hex = decode_string(reader)
  return not hex:find("%X") and #hex % 2 == 0 and hex:gsub("..", function(byte)
    return string.char(tonumber(byte, 16))
  end) or nil
end

MARKED["$same"] = function(reader)
  return reader.tables[tonumber(expect(reader, "(%d+)"))]
end

MARKED["$pairs"] = function(reader, depth)
  expect(reader, "(%[)")
  return decode_table(reader, "(%])", depth, function(t)
    expect(reader, "(%[)")
    local key = decode(reader, depth + 1)
    if type(key) ~= "string" and math.type(key) ~= "integer" then
      damaged(reader)
    end
    expect(reader, "(,)")
    t[key] = decode(reader, depth + 1)
    expect(reader, "(%])")
  end)
end

local function decode_object(reader, depth)
  local marked = MARKED[match(reader, '"(%$%a+)"')]
  if marked then
    expect(reader, "(:)")
    local value = marked(reader, depth)
    if value == nil then
      damaged(reader)
    end
    expect(reader, "(})")
    return value
  end
  return decode_table(reader, "(})", depth, function(t)
    local key = decode_string(reader)
    expect(reader, "(:)")
    t[key] = decode(reader, depth + 1)
  end)
end

local BOOLEANS = { ["true"] = true, ["false"] = false }

local function decode_scalar(reader)
  if reader.text:find('^[ \t\r\n]*"', reader.at) then
    return decode_string(reader)
  end
  local word = expect(reader, "([%w.+-]+)")
  if word == "null" and reader.has_nulls then
    return nil
  end
  local value = BOOLEANS[word]
  if value == nil and not word:find("[^%d.eE+-]") then
    value = tonumber(word)
  end
  -- an integer that int64 does not hold would come back as a float
  if value == nil or math.type(value) == "float" and not word:find("[.eE]") then
    damaged(reader)
  end
  return value
end

function decode(reader, depth)
  if match(reader, "({)") then
    return decode_object(reader, depth)
  elseif match(reader, "(%[)") then
    return decode_table(reader, "(%])", depth, function(t)
      t[#t + 1] = decode(reader, depth + 1)
    end)
  end
  return decode_scalar(reader)
end

local function decoded(path, what, text, tensors)
  local reader = {
    path = path, what = what or "it", text = text, at = 1, tensors = tensors, tables = {},
    count = 0, has_nulls = not what,
  }
  local tree = decode(reader, 0)
  if not reader.text:find("^[ \t\r\n]*$", reader.at) or type(tree) ~= "table" then
    damaged(reader)
  end
  return tree
end

-- Readers of what other libraries write, by what the file begins with.
local FOREIGN = {
  torch = function(path) return require("wrun.save.pickle").read(path) end,
  torch7 = function(path) return require("wrun.save.torch7").read(path) end,
}

--- Returns what `save` wrote, or the tensors of any other safetensors file by their names; and the
--- file's metadata. It also reads what PyTorch's `torch.save` wrote, a `state_dict` say, and the
--- binary files of Torch7.
---
--- Of PyTorch it reads tensors, and dictionaries, lists, numbers and texts with them: nothing in the
--- file is ever called, and anything else is refused by its name. None becomes nil, a tuple a list,
--- a dtype its name; tensors that share a storage still do. Of Torch7 it reads tensors and tables.
--- shapes  as in the file
--- domain  BOOL, U8, I32, I64, F32 and F64 stay as they are; other integers become int64, F16 and
---   BF16 float32; other types are refused. Tensors require no gradient
--- raises  `load: PATH: ...` for a missing or bad file
--- source  the safetensors format; pickletools of Python, torch/serialization.py; File.lua of Torch7
--- cost    a bad header, of at most 100 MB, takes no more memory than a few times its size and 64 MB
---     local path = os.tmpname()
---     wrun.save(path, { weight = wrun.ones(2, 2), steps = { 1, 2.5, "three" } })
---     local tree = wrun.load(path)
---     print(tree.weight:sum(), tree.steps[3], os.remove(path))
---@return table|wrun.Tensor tree
---@return table<string, string> metadata
function M.load(path)
  check.argument("load", 1, path, PATH)
  local tensors, metadata, format = core.safetensors_read(path)
  if format then
    return FOREIGN[format](path), {}
  elseif not tensors then
    fail("load: %s", metadata)
  end
  local text = metadata[TREE]
  if text == nil then
    return tensors, metadata
  end
  metadata[TREE] = nil
  return decoded(path, "the metadata " .. TREE, text, tensors), metadata
end

--- Returns the table that a text of JSON holds, without what is null in it.
--- raises  `load: PATH: its tree is damaged at character`
---@param path string  where the text comes from
---@param text string
---@param tensors table<string, wrun.Tensor>?  those that `encode` gave with the text
---@return table
function M.decode(path, text, tensors)
  return decoded(path, nil, text, tensors or {})
end

return M
