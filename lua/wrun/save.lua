--- Saves tensors, and tables of them with what stands between, to safetensors files.
---
--- A table whose values are all tensors becomes a plain safetensors file of those names. Any other
--- tree becomes one too: tensors are named by their keys, joined with dots, and the rest - which
--- keys lead where, numbers, booleans and strings - is a text in the file's metadata (`TREE`), in
--- bencode: `d` key value ... `e` for tables, `i12e`, `5:hello`; to which are added `f0x1p-3;`,
--- `b1`, `b0`, and `t` for the tensor of this path.

local check = require "wrun.check"
local core = require "wrun.core"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

local TREE = "wrun.tree"
local DEEPEST = 100
local PATH = check.string()

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

local function check_keys(path, t)
  for key in pairs(t) do
    local is_key = math.type(key) == "integer"
      or type(key) == "string" and utf8.len(key) and not key:find("\0", 1, true)
    if not is_key then
      fail("save: argument 2: expected texts and integers as keys, got %s in %s",
        check.describe(key), path == "" and "the table" or path)
    end
  end
end

local encode

local function encode_scalar(path, value)
  local kind = math.type(value) or type(value)
  if kind == "integer" then
    return ("i%de"):format(value)
  elseif kind == "float" then
    return ("f%a;"):format(value)
  elseif kind == "boolean" then
    return value and "b1" or "b0"
  elseif kind == "string" and utf8.len(value) and not value:find("\0", 1, true) then
    return ("%d:%s"):format(#value, value)
  end
  fail("save: argument 2: %s: expected a tensor, a table, a number, a boolean or a text, got %s",
    path, check.describe(value))
end

local function encode_table(out, path, t, depth)
  if depth > DEEPEST then
    fail("save: argument 2: expected at most %d tables inside each other", DEEPEST)
  end
  check_keys(path, t)
  out.text[#out.text + 1] = "d"
  for _, key in ipairs(check.sorted_keys(t, is_before)) do
    out.text[#out.text + 1] = encode_scalar(path, key)
    encode(out, joined(path, key), t[key], depth + 1)
  end
  out.text[#out.text + 1] = "e"
end

function encode(out, path, value, depth)
  if check.is_tensor(value) then
    if out.tensors[path] then
      fail("save: argument 2: two tensors would be named %s", path)
    end
    out.names[#out.names + 1] = path
    out.tensors[path] = value
    out.text[#out.text + 1] = "t"
  elseif type(value) == "table" then
    out.is_plain = out.is_plain and depth == 0
    encode_table(out, path, value, depth)
  else
    out.is_plain = false
    out.text[#out.text + 1] = encode_scalar(path, value)
  end
end

local function metadata_list(metadata)
  local list = {}
  for _, name in ipairs(check.sorted_keys(metadata, is_before)) do
    local value = metadata[name]
    if type(name) ~= "string" or type(value) ~= "string" or name == TREE then
      fail("save: argument 3: expected a table of name and text, got %s = %s",
        check.describe(name), check.describe(value))
    end
    list[#list + 1], list[#list + 2] = name, value
  end
  return list
end

--- Writes a tensor tree to a safetensors file: a table of tensors, or of tables of them, as deep as
--- you like, with numbers, booleans and strings anywhere - so a model's and an optimiser's
--- `state_dict()`, an epoch number and a note go into one file.
--- shapes  any; views are saved with what they show alone
--- domain  any dtype; keys are texts and integers. A tensor below keys a, b is named `a.b`, so any
---   safetensors reader finds it; a flat table makes the very bytes that the reference
---   implementation would. The file is on the disk before it takes the place of an older one: a run
---   that is killed leaves the old file or the new
--- raises  `save: argument N: expected`; `save: argument 2: two tensors would be named`;
---   `save: PATH: ...` when it cannot be written
--- source  the safetensors format; see lua/wrun/save.lua for what is not a tensor
---     local path, model = os.tmpname(), nn.Linear(2, 3)
---     wrun.save(path, { model = model:state_dict(), epoch = 7 }, { note = "a first try" })
---     print(wrun.load(path).model.weight, wrun.load(path).epoch, os.remove(path))
---@param tree table
---@param metadata table<string, string>?  shown to other readers as the file's `__metadata__`
function M.save(path, tree, metadata)
  check.argument("save", 1, path, PATH)
  check.argument("save", 2, tree, check.table())
  local texts = metadata_list(check.argument("save", 3, metadata, check.table({})))
  local out = { names = {}, tensors = {}, text = {}, is_plain = true }
  encode(out, "", tree, 0)
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
end

-- In -------------------------------------------------------------------------

-- What C writes and Lua does not read.
local NO_NUMBERS = { inf = math.huge, ["-inf"] = -math.huge, nan = 0 / 0, ["-nan"] = 0 / 0 }

-- What a mark looks like, and the value of what stands in it, nil when that is none.
local SCALARS = {
  {
    "^i(%-?%d+)e()",
    function(text)
      return math.tointeger(tonumber(text))
    end,
  },
  {
    "^f([^;]+);()",
    function(text)
      local number = NO_NUMBERS[text] or tonumber(text)
      return math.type(number) == "float" and number or nil
    end,
  },
  {
    "^b([01])()",
    function(digit)
      return digit == "1"
    end,
  },
}

local decode

local function damaged(reader, at)
  fail("load: %s: its tree is damaged at character %d of the metadata %s", reader.path, at, TREE)
end

local function decode_scalar(reader, at)
  local length, start = reader.text:match("^(%d+):()", at)
  if length then
    local stop = start + (math.tointeger(tonumber(length)) or #reader.text)
    if stop > #reader.text + 1 then
      damaged(reader, at)
    end
    return reader.text:sub(start, stop - 1), stop
  end
  for _, scalar in ipairs(SCALARS) do
    local text, after = reader.text:match(scalar[1], at)
    local value = text and scalar[2](text)
    if value ~= nil then
      return value, after
    end
  end
  damaged(reader, at)
end

local function decode_table(reader, path, at, depth)
  local t = {}
  while reader.text:sub(at, at) ~= "e" do
    local key, after = decode_scalar(reader, at)
    if type(key) == "boolean" or key ~= key or depth > DEEPEST then
      damaged(reader, at)
    end
    t[key], at = decode(reader, joined(path, key), after, depth + 1)
  end
  return t, at + 1
end

function decode(reader, path, at, depth)
  local mark = reader.text:sub(at, at)
  if mark == "d" then
    return decode_table(reader, path, at + 1, depth)
  elseif mark == "t" then
    local tensor = reader.tensors[path]
    if tensor == nil then
      fail("load: %s: tensor '%s' is missing", reader.path, path)
    end
    return tensor, at + 1
  end
  return decode_scalar(reader, at)
end

--- Returns what `save` wrote, or the tensors of any other safetensors file by their names; and the
--- file's metadata.
--- domain  BOOL, U8, I32, I64, F32 and F64 stay as they are; other integers become int64, F16 and
---   BF16 float32; other types are refused. Tensors require no gradient
--- raises  `load: argument 1: expected a string`; `load: PATH: ...` for a missing or bad file
--- cost    a file that is bad takes no more memory than its size and 64 MB
---     local path = os.tmpname()
---     wrun.save(path, { weight = wrun.ones(2, 2), steps = { 1, 2.5, "three" } })
---     local tree = wrun.load(path)
---     print(tree.weight:sum(), tree.steps[3], os.remove(path))
---@return table tree
---@return table<string, string> metadata
function M.load(path)
  check.argument("load", 1, path, PATH)
  local tensors, metadata = core.safetensors_read(path)
  if not tensors then
    fail("load: %s", metadata)
  end
  local text = metadata[TREE]
  if text == nil then
    return tensors, metadata
  end
  metadata[TREE] = nil
  local reader = { path = path, text = text, tensors = tensors }
  local tree, after = decode(reader, "", 1, 0)
  if after ~= #text + 1 or type(tree) ~= "table" then
    damaged(reader, after)
  end
  return tree, metadata
end

return M
