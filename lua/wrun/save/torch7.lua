--- What Torch7's torch.save writes in binary form: objects, each the number of its kind and what that
--- needs, in the order of a walk through tables and tensors [torch7]. What stands in two places is
--- written once, with a number by which it is named again.

local check = require "wrun.check"
local core = require "wrun.core"
local tree = require "wrun.save.tree"

local fail = check.fail

local M = {}

local DEEPEST = 100

-- class of a tensor or a storage -> what its elements are
local ELEMENTS = {
  Byte = "U8", Char = "I8", Short = "I16", Int = "I32", Long = "I64", Half = "F16", Float = "F32",
  Double = "F64",
}
local WIDTHS = { U8 = 1, I8 = 1, I16 = 2, I32 = 4, I64 = 8, F16 = 2, F32 = 4, F64 = 8 }

-- How many bytes there are from where the reader stands.
local function left(reader)
  return reader.size - reader.at
end

local function take_text(reader, size)
  if size < 0 or size > left(reader) then
    tree.damaged(reader)
  end
  local text = size == 0 and "" or reader.file:read(size)
  if not text or #text < size then
    tree.damaged(reader)
  end
  reader.at = reader.at + size
  return text
end

local function take(reader, format, size)
  return (string.unpack(format, take_text(reader, size)))
end

local function take_int(reader)
  return take(reader, "<i4", 4)
end

local function take_longs(reader, count)
  if count < 0 or count > left(reader) // 8 then
    tree.damaged(reader)
  end
  local list = {}
  for i = 1, count do
    list[i] = take(reader, "<i8", 8)
  end
  return list
end

local function take_string(reader)
  return take_text(reader, take_int(reader))
end

local read_object

local function read_table(reader, node, depth)
  node.kind, node.keys, node.values = "table", {}, {}
  for i = 1, take_int(reader) do
    local key = read_object(reader, depth)
    if type(key) ~= "string" and type(key) ~= "number" and type(key) ~= "boolean" or key ~= key then
      fail("load: %s: expected texts, numbers and booleans as keys, got %s", reader.path,
        type(key) == "table" and "a " .. key.kind or tostring(key))
    end
    node.keys[i], node.values[i] = key, read_object(reader, depth)
  end
end

local function read_storage(reader, node, encoding)
  local count = take(reader, "<i8", 8)
  if count < 0 or count > left(reader) // WIDTHS[encoding] then
    tree.damaged(reader)
  end
  local elements, message = core.elements_read(reader.path, encoding, reader.at, count)
  if not elements then
    fail("load: %s", message)
  end
  reader.at = reader.at + count * WIDTHS[encoding]
  reader.file:seek("set", reader.at)
  node.kind, node.elements, node.encoding = "storage", elements, encoding
end

local function read_tensor(reader, node, encoding, depth)
  local ndim = take_int(reader)
  node.kind, node.shape, node.stride = "tensor", take_longs(reader, ndim), take_longs(reader, ndim)
  node.offset = take(reader, "<i8", 8) - 1
  local storage = read_object(reader, depth)
  if type(storage) == "table" and storage.encoding ~= encoding then
    tree.damaged(reader)
  end
  node.storage = storage
  node.encoding = encoding
end

local function read_torch(reader, node, depth)
  local version = take_string(reader)
  local class = version:find("^V %d+$") and take_string(reader) or version
  local name, what = class:match("^torch%.(%u%l+)(%u%l+)$")
  local encoding = ELEMENTS[name]
  if what == "Tensor" and encoding then
    read_tensor(reader, node, encoding, depth)
  elseif what == "Storage" and encoding then
    read_storage(reader, node, encoding)
  else
    fail("load: %s: holds an object of %s; tensors and tables of them are read, such as "
      .. "model:getParameters():float()", reader.path, tree.shown(class))
  end
end

-- kind of an object -> its reading, which returns its value
local KINDS = {
  [0] = function() return nil end,
  [1] = function(reader) return take(reader, "<d", 8) end,
  [2] = take_string,
  [5] = function(reader) return take_int(reader) ~= 0 end,
}

-- what is numbered -> its reading into a new node
local NUMBERED = { [3] = read_table, [4] = read_torch }

function read_object(reader, depth)
  local kind = take_int(reader)
  if KINDS[kind] then
    return KINDS[kind](reader)
  elseif not NUMBERED[kind] then
    fail("load: %s: holds a function or an object of an unknown kind, %d", reader.path, kind)
  elseif depth == DEEPEST then
    fail("load: %s: holds more than %d tables inside each other", reader.path, DEEPEST)
  end
  local number = take_int(reader)
  local node = reader.nodes[number]
  if not node then
    node = {}
    reader.nodes[number] = node
    NUMBERED[kind](reader, node, depth + 1)
  end
  return node
end

local MAKE = {}

function MAKE.table(node, _, convert)
  local t = {}
  for i, key in ipairs(node.keys) do
    t[key] = convert(node.values[i])
  end
  return t
end

function MAKE.storage(node)
  return node.elements
end

function MAKE.tensor(node, reader, convert)
  local storage = convert(node.storage)
  if storage == nil then
    storage = core.elements_read(reader.path, node.encoding, 0, 0)
  end
  -- Torch7 has no tensors without dimensions: one of none is empty
  local is_empty = #node.shape == 0
  return tree.strided(reader, storage, is_empty and { 0 } or node.shape,
    is_empty and { 1 } or node.stride, is_empty and 0 or node.offset)
end

--- Returns the tensors and tables in a file of Torch7.
function M.read(path)
  local file <close>, message = io.open(path, "rb")
  if not file then
    fail("load: %s", message)
  end
  local reader = { path = path, file = file, at = 0, size = file:seek("end"), nodes = {} }
  file:seek("set", 0)
  local root = read_object(reader, 0)
  if left(reader) > 0 then
    fail("load: %s: holds bytes after its object", path)
  end
  return tree.made(reader, root, MAKE)
end

return M
