--- What PyTorch's torch.save writes: a ZIP archive of storages and of a pickle that says what lies in
--- them. A pickle is a program for a machine with a stack [pickletools]. This one knows the few
--- instructions of dictionaries, lists, numbers, texts and tensors, calls nothing, and refuses all
--- else by name; what it makes are nodes, `{ kind = , ... }`, of which Lua's tables are made last.

local check = require "wrun.check"
local core = require "wrun.core"
local tree = require "wrun.save.tree"

local fail = check.fail

local M = {}

local NONE = { kind = "none" }

-- Global names ---------------------------------------------------------------

-- storage or dtype -> what its elements are; nil for what is refused by its name
local ELEMENTS = {
  BoolStorage = "BOOL", ByteStorage = "U8", CharStorage = "I8", ShortStorage = "I16",
  IntStorage = "I32", LongStorage = "I64", HalfStorage = "F16", BFloat16Storage = "BF16",
  FloatStorage = "F32", DoubleStorage = "F64",
  bool = "BOOL", uint8 = "U8", int8 = "I8", int16 = "I16", int32 = "I32", int64 = "I64",
  uint16 = "U16", uint32 = "U32", uint64 = "U64", float16 = "F16", bfloat16 = "BF16",
  float32 = "F32", float64 = "F64",
}

local function elements_of(machine, global)
  if type(global) ~= "table" or global.kind ~= "global" then
    tree.damaged(machine)
  end
  return ELEMENTS[global.name:match("^torch%.([%w_]+)$")]
    or fail("load: %s: holds elements of %s, which wrun has no type for", machine.path,
      tree.shown(global.name))
end

-- The storage `key`, of so many elements; an untyped one, of which a dtype tells, has them as nil.
local function storage(machine, list)
  local kind, global, key, _, count = table.unpack(list, 1, 5)
  if kind ~= "storage" or type(global) ~= "table" or global.kind ~= "global"
    or type(key) ~= "string" or math.type(count) ~= "integer" then
    tree.damaged(machine)
  end
  local known = machine.storages[key]
  if not known then
    local is_untyped = global.name == "torch.storage.UntypedStorage"
    known = { kind = "storage", key = key, count = count, bytes = is_untyped and count or nil,
      encoding = not is_untyped and elements_of(machine, global) or nil }
    machine.storages[key] = known
  end
  return known
end

local function tensor(machine, of, offset, shape, stride)
  if type(of) ~= "table" or of.kind ~= "storage" or type(shape) ~= "table"
    or type(stride) ~= "table" then
    tree.damaged(machine)
  end
  return { kind = "tensor", storage = of, offset = offset, shape = shape, stride = stride }
end

local function refuse_marked(machine, marks)
  if type(marks) == "table" and marks.kind == "dict" and next(marks.keys) ~= nil then
    fail("load: %s: holds a tensor marked %s; clone it before it is saved", machine.path,
      tree.shown(tostring(marks.keys[1])))
  end
end

-- What may be called, by name, with the list of its arguments.
local CALLS = {}

CALLS["torch._utils._rebuild_tensor_v2"] = function(machine, list)
  refuse_marked(machine, list[7])
  return tensor(machine, table.unpack(list, 1, 4))
end

CALLS["torch._utils._rebuild_tensor_v3"] = function(machine, list)
  refuse_marked(machine, list[8])
  local result = tensor(machine, table.unpack(list, 1, 4))
  local of, encoding = result.storage, elements_of(machine, list[7])
  if of.encoding and of.encoding ~= encoding then
    fail("load: %s: its storage '%s' is of two types", machine.path, tree.shown(of.key))
  end
  of.encoding = encoding
  return result
end

CALLS["torch._utils._rebuild_parameter"] = function(machine, list)
  return type(list[1]) == "table" and list[1].kind == "tensor" and list[1] or tree.damaged(machine)
end

CALLS["collections.OrderedDict"] = function(machine, list)
  return #list == 0 and { kind = "dict", keys = {}, values = {} } or tree.damaged(machine)
end

CALLS["collections.Counter"] = function(machine, list)
  return type(list[1]) == "table" and list[1].kind == "dict" and list[1] or tree.damaged(machine)
end

CALLS["torch.Size"] = function(machine, list)
  return type(list[1]) == "table" and list[1].kind == "list" and list[1] or tree.damaged(machine)
end

CALLS["torch.device"] = function(_, list)
  local index = list[2] ~= nil and ":" .. tostring(list[2]) or ""
  return tostring(list[1]) .. index
end

local function refuse_name(machine, name)
  fail("load: %s: holds %s, which is no tensor and is not called; save a state_dict()",
    machine.path, tree.shown(name))
end

-- A name that is no call stands for a type of elements.
local function global(machine, module, name)
  local full = module .. "." .. name
  if not CALLS[full] and not full:find("^torch%.[%w_]+$")
    and full ~= "torch.storage.UntypedStorage" then
    refuse_name(machine, full)
  end
  return { kind = "global", name = full }
end

-- The machine ----------------------------------------------------------------

local function push(machine, value)
  machine.top = machine.top + 1
  machine.stack[machine.top] = value
end

-- The value on top, which goes; it lies above the last mark.
local function pop(machine)
  local top = machine.top
  if top == (machine.marks[#machine.marks] or 0) then
    tree.damaged(machine)
  end
  local value = machine.stack[top]
  machine.stack[top], machine.top = nil, top - 1
  return value
end

local function peek(machine, kind)
  local value = pop(machine)
  push(machine, value)
  return type(value) == "table" and value.kind == kind and value or tree.damaged(machine)
end

-- The n values on top as a list, all above the last mark where n is nil.
local function pop_list(machine, n)
  local marks = machine.marks
  local first = n and machine.top - n or marks[#marks]
  if not first or first < (n and marks[#marks] or 0) then
    tree.damaged(machine)
  elseif not n then
    marks[#marks] = nil
  end
  local list = table.move(machine.stack, first + 1, machine.top, 1, { kind = "list" })
  for i = first + 1, machine.top do
    machine.stack[i] = nil
  end
  machine.top = first
  return list
end

-- What stands next in the pickle, as string.unpack's format says it, of `size` bytes.
local function take(machine, format, size)
  local at = machine.at
  if size > #machine.bytes - at + 1 then
    tree.damaged(machine)
  end
  machine.at = at + size
  return (string.unpack(format, machine.bytes, at))
end

local function take_text(machine, size)
  return size == 0 and "" or take(machine, "c" .. size, size)
end

local function take_line(machine)
  local line, after = machine.bytes:match("^([^\n]*)\n()", machine.at)
  machine.at = after or tree.damaged(machine)
  return line
end

local function set_items(machine, list)
  local dict = peek(machine, "dict")
  for i = 1, #list, 2 do
    local key = list[i]
    if type(key) ~= "string" and math.type(key) ~= "integer" then
      fail("load: %s: expected texts and integers as keys, got %s", machine.path,
        type(key) == "table" and "a " .. key.kind or tostring(key))
    elseif list[i + 1] == nil then
      tree.damaged(machine)
    end
    dict.keys[#dict.keys + 1], dict.values[#dict.values + 1] = key, list[i + 1]
  end
end

local function append(machine, list)
  local target = peek(machine, "list")
  table.move(list, 1, #list, #target + 1, target)
end

local function remember(machine, index)
  machine.memo[index] = machine.stack[machine.top] or tree.damaged(machine)
end

local function recall(machine, index)
  push(machine, machine.memo[index] == nil and tree.damaged(machine) or machine.memo[index])
end

-- instruction -> what it does
local STEPS = {
  ["("] = function(m) m.marks[#m.marks + 1] = m.top end,
  ["}"] = function(m) push(m, { kind = "dict", keys = {}, values = {} }) end,
  ["]"] = function(m) push(m, { kind = "list" }) end,
  [")"] = function(m) push(m, { kind = "list" }) end,
  ["t"] = function(m) push(m, pop_list(m)) end,
  ["\x85"] = function(m) push(m, pop_list(m, 1)) end,
  ["\x86"] = function(m) push(m, pop_list(m, 2)) end,
  ["\x87"] = function(m) push(m, pop_list(m, 3)) end,
  ["N"] = function(m) push(m, NONE) end,
  ["\x88"] = function(m) push(m, true) end,
  ["\x89"] = function(m) push(m, false) end,
  ["K"] = function(m) push(m, take(m, "B", 1)) end,
  ["M"] = function(m) push(m, take(m, "<I2", 2)) end,
  ["J"] = function(m) push(m, take(m, "<i4", 4)) end,
  ["G"] = function(m) push(m, take(m, ">d", 8)) end,
  ["X"] = function(m) push(m, take_text(m, take(m, "<I4", 4))) end,
  ["q"] = function(m) remember(m, take(m, "B", 1)) end,
  ["r"] = function(m) remember(m, take(m, "<I4", 4)) end,
  ["h"] = function(m) recall(m, take(m, "B", 1)) end,
  ["j"] = function(m) recall(m, take(m, "<I4", 4)) end,
  ["s"] = function(m) set_items(m, pop_list(m, 2)) end,
  ["u"] = function(m) set_items(m, pop_list(m)) end,
  ["a"] = function(m) append(m, pop_list(m, 1)) end,
  ["e"] = function(m) append(m, pop_list(m)) end,
  ["c"] = function(m) push(m, global(m, take_line(m), take_line(m))) end,
}

STEPS["\x8a"] = function(machine)
  local size = take(machine, "B", 1)
  if size > 8 then
    fail("load: %s: holds an integer that int64 does not", machine.path)
  end
  push(machine, size == 0 and 0 or take(machine, "<i" .. size, size))
end

STEPS["Q"] = function(machine)
  local list = pop(machine)
  push(machine, type(list) == "table" and list.kind == "list" and storage(machine, list)
    or tree.damaged(machine))
end

STEPS["R"] = function(machine)
  local list, callee = pop(machine), pop(machine)
  if type(callee) ~= "table" or callee.kind ~= "global" or type(list) ~= "table"
    or list.kind ~= "list" then
    tree.damaged(machine)
  end
  local call = CALLS[callee.name] or refuse_name(machine, callee.name)
  push(machine, call(machine, list))
end

-- What a dictionary has beside its items, such as the _metadata of a state_dict, is left out.
STEPS["b"] = function(machine)
  pop(machine)
  peek(machine, "dict")
end

local function run(machine)
  if take(machine, "c1", 1) ~= "\x80" or take(machine, "B", 1) > 3 then
    fail("load: %s: expected a pickle of protocol 2, as torch.save writes by itself", machine.path)
  end
  while true do
    local instruction = take(machine, "c1", 1)
    if instruction == "." then
      break
    end
    local step = STEPS[instruction]
      or fail("load: %s: its pickle has the instruction 0x%02x at byte %d, which no tensor needs",
        machine.path, instruction:byte(), machine.at - 1)
    step(machine)
  end
  local root = pop(machine)
  if machine.top ~= 0 or #machine.marks > 0 or machine.at ~= #machine.bytes + 1 then
    tree.damaged(machine)
  end
  return root
end

-- Tables ---------------------------------------------------------------------

-- The storages as tensors, each of the elements that its name or a dtype said.
local function read_storages(machine, prefix, is_big_endian)
  local wanted = {}
  for key, of in pairs(machine.storages) do
    wanted[prefix .. "data/" .. key] = of.encoding
  end
  local found, message = core.torch_storages(machine.path, wanted, is_big_endian)
  if not found then
    fail("load: %s", message)
  end
  for key, of in pairs(machine.storages) do
    local elements = found[prefix .. "data/" .. key]
    if of.encoding and not elements then
      fail("load: %s: its storage '%s' is missing", machine.path, tree.shown(key))
    elseif of.encoding and not of.bytes and elements:numel() ~= of.count then
      fail("load: %s: its storage '%s' holds %d elements, not %d", machine.path, tree.shown(key),
        elements:numel(), of.count)
    end
    of.elements = elements
  end
end

local MAKE = {}

function MAKE.tensor(node, machine)
  local of = node.storage
  return tree.strided(machine, of.elements, node.shape, node.stride, node.offset)
end

function MAKE.list(node, _, convert)
  local list = {}
  for i, item in ipairs(node) do
    list[i] = convert(item)
  end
  return list
end

function MAKE.dict(node, _, convert)
  local dict = {}
  for i, key in ipairs(node.keys) do
    dict[key] = convert(node.values[i])
  end
  return dict
end

function MAKE.global(node, machine)
  elements_of(machine, node)
  return (node.name:gsub("^torch%.", ""))
end

function MAKE.none()
  return nil
end

function MAKE.storage(node)
  return node.elements
end

--- Returns the tensors and tables in a file of torch.save.
function M.read(path)
  local texts, message = core.torch_texts(path)
  if not texts then
    fail("load: %s", message)
  end
  local prefix
  for name in pairs(texts) do
    prefix = prefix or name:match("^([^/]*/)data%.pkl$")
  end
  local machine = {
    path = path, bytes = texts[(prefix or "") .. "data.pkl"] or "", at = 1, stack = {}, top = 0,
    marks = {}, memo = {}, storages = {},
  }
  local root = run(machine)
  read_storages(machine, prefix, texts[prefix .. "byteorder"] == "big")
  return tree.made(machine, root, MAKE)
end

return M
