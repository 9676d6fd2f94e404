--- Files of PyTorch's torch.save: what PyTorch 2.13 wrote, bit for bit, and everything else refused.

local child = require "spec.support.child"
local files = require "spec.support.files"
local fixtures = require "spec.fixtures.torch_files"
local near = require "spec.support.near"
local wrun = require "wrun"

local path = child.temporary() -- written thousands of times

teardown(function()
  os.remove(path)
end)

-- The value that a path of keys, joined by slashes, leads to.
local function at(tree, keys)
  if keys == "" then
    return tree
  end
  for key in keys:gmatch("[^/]+") do
    tree = tree[key] == nil and tree[math.tointeger(key)] or tree[key]
  end
  return tree
end

local function load_bytes(bytes)
  return wrun.load(files.write(path, bytes))
end

local function refused(bytes)
  return files.refused("load", wrun.load, files.write(path, bytes))
end

-- An archive with this pickle and storages of these bytes.
local function archive(pickle, ...)
  local members = { { "a/data.pkl", pickle }, { "a/byteorder", "little" } }
  for i, bytes in ipairs { ... } do
    members[#members + 1] = { "a/data/" .. i - 1, bytes }
  end
  return files.zip(members)
end

local function text(value)
  return "X" .. string.pack("<s4", value)
end

-- The pickle of a tensor of a storage "0" of `count` floats.
local function tensor(count, offset, shape, stride, kind)
  local function list(sizes)
    local out = { "(" }
    for i, size in ipairs(sizes) do
      out[i + 1] = "\x8a\8" .. string.pack("<i8", size)
    end
    return table.concat(out) .. "t"
  end
  return "\x80\2ctorch._utils\n_rebuild_tensor_v2\n((" .. text "storage" .. "ctorch\n"
    .. (kind or "FloatStorage") .. "\n" .. text "0" .. text "cpu" .. "\x8a\8"
    .. string.pack("<i8", count) .. "tQ\x8a\8" .. string.pack("<i8", offset) .. list(shape)
    .. list(stride) .. "\x89}tR."
end

describe("wrun.load", function()
  for _, case in ipairs(fixtures.pytorch) do
    it("reads PyTorch's file of " .. case.name, function()
      local tree, metadata = load_bytes(files.from_hex(case.file))
      assert.same({}, metadata)
      for _, expected in ipairs(case.holds) do
        local keys, dtype, shape, values = table.unpack(expected)
        local found = at(tree, keys)
        assert.equal(dtype, found.dtype, keys)
        assert.same(shape, found.shape)
        assert.is_false(found.requires_grad)
        near.lists(values, near.flat(found))
      end
      for _, expected in ipairs(case.plain) do
        assert.equal(expected[2], at(tree, expected[1]), expected[1])
        assert.equal(math.type(expected[2]), math.type(at(tree, expected[1])))
      end
    end)
  end

  it("keeps storages of PyTorch shared, and None absent", function()
    local cases = {}
    for _, case in ipairs(fixtures.pytorch) do
      cases[case.name] = files.from_hex(case.file)
    end
    local tree = load_bytes(cases.strides)
    tree.same[1] = 100
    assert.equal(100, tree.t[1][1]:item())
    assert.same({ 1, 6 }, tree.t:stride())
    assert.is_nil(load_bytes(cases["plain values"]).none)
  end)

  it("reads elements of either byte order", function()
    local zip = files.zip {
      { "a/data.pkl", tensor(2, 0, { 2 }, { 1 }) }, { "a/byteorder", "big" },
      { "a/data/0", string.pack(">ff", 1.5, -2) },
    }
    assert.same({ 1.5, -2 }, load_bytes(zip):tolist())
  end)

  for _, case in ipairs(fixtures.refused) do
    it("refuses what PyTorch writes, and says " .. case.words, function()
      local message = refused(files.from_hex(case.file))
      assert.truthy(message:find(case.words, 1, true), message)
    end)
  end
end)

describe("a hostile file of torch.save", function()
  local CALL = "holds %s, which is no tensor and is not called; save a state_dict()"
  local OUTSIDE = "holds a tensor that does not lie in its storage"

  it("calls nothing", function()
    local mark = path .. ".mark"
    for _, name in ipairs { "os\nsystem", "posix\nsystem", "builtins\neval", "builtins\nexec",
      "subprocess\nPopen", "torch\nload", "torch._utils\n_rebuild_from_type_v2" } do
      local pickle = "\x80\2c" .. name .. "\n(" .. text("touch " .. mark) .. "tR."
      assert.equal(CALL:format((name:gsub("\n", "."))), refused(archive(pickle)))
    end
    assert.is_nil(files.read(mark))
    assert.equal(CALL:format("a\\x1bb.c"), refused(archive "\x80\2ca\x1bb\nc\n)R."))
  end)

  it("is refused for instructions that no tensor needs", function()
    local known = "(}]t)\x85\x86\x87N\x88\x89KMJGXqrhjsuaecRQb\x8a."
    for byte = 0, 255 do
      if not known:find(string.char(byte), 1, true) then
        local words = "its pickle has the instruction 0x%02x at byte 3, which no tensor needs"
        assert.equal(words:format(byte), refused(archive("\x80\2" .. string.char(byte))))
      end
    end
  end)

  it("is refused for tables inside themselves or too many inside each other", function()
    assert.equal("holds a table inside itself", refused(archive "\x80\2]q\0h\0a."))
    assert.equal("holds a table inside itself",
      refused(archive("\x80\2}q\0" .. text "a" .. "h\0s.")))
    local deep = "\x80\2" .. ("]"):rep(200) .. ("a"):rep(199) .. "."
    assert.equal("holds more than 100 tables inside each other", refused(archive(deep)))
  end)

  it("costs no more than it is long, however often a list stands in itself", function()
    local parts = { "\x80\2(" }
    for i = 0, 63 do
      local refers = i > 0 and "(" .. ("h" .. string.char(i - 1)):rep(50) .. "e" or ""
      parts[#parts + 1] = "]q" .. string.char(i) .. refers
    end
    local list = load_bytes(archive(table.concat(parts) .. "t."))
    assert.equal(64, #list)
    assert.equal(list[62], list[63][50])
  end)

  it("is refused for tensors outside of their storages", function()
    local bytes = ("\0"):rep(16)
    for _, case in ipairs {
      { 4, 0, { 5 }, { 1 } }, { 4, 1, { 4 }, { 1 } }, { 4, -1, { 2 }, { 1 } },
      { 4, 5, { 0 }, { 1 } },
      { 4, 0, { 2, 2 }, { 3, 1 } }, { 4, 0, { 2 }, { -1 } }, { 4, 0, { -1 }, { 1 } },
      { 4, 0, { 2 }, { 1, 1 } }, { 4, 0, { 1 << 62 }, { 1 } }, { 4, 0, { 3, 2 }, { 1 << 62, 1 } },
      { 4, 0, { 1 << 62, 1 << 62 }, { 0, 0 } }, { 4, math.maxinteger, { 2 }, { 1 } },
    } do
      assert.equal(OUTSIDE, refused(archive(tensor(table.unpack(case)), bytes)))
    end
    local many = {}
    for i = 1, 33 do
      many[i] = 1
    end
    assert.equal(OUTSIDE, refused(archive(tensor(4, 0, many, many), bytes)))
  end)

  it("is refused for storages that are not there or of another size", function()
    assert.equal("its storage '0' is missing", refused(archive(tensor(1, 0, { 1 }, { 1 }))))
    assert.equal("its storage '0' holds 2 elements, not 1073741824",
      refused(archive(tensor(1 << 30, 0, { 1 << 30 }, { 1 }), ("\0"):rep(8))))
    assert.equal("member 'a/data/0': holds no whole number of elements",
      refused(archive(tensor(1, 0, { 1 }, { 1 }), "\0\0\0")))
    assert.equal("holds elements of torch.NoStorage, which wrun has no type for",
      refused(archive(tensor(1, 0, { 1 }, { 1 }, "NoStorage"), "\0\0\0\0")))
  end)

  it("is refused where it is compressed, so that it holds no more than it is long", function()
    wrun.data.save_npz(path, { ["aaaa/data"] = wrun.zeros(1 << 20) }, { compress = true })
    local bytes = files.read(path):gsub("aaaa/data%.npy", "aaaa/data.pkl")
    assert.equal("member 'aaaa/data.pkl': is compressed, which torch.save does not do",
      refused(bytes))
  end)

  it("is refused, and nothing else, wherever it is cut or damaged #many", function()
    local whole = files.from_hex(fixtures.pytorch[6].file)
    for length = 0, #whole - 1 do
      local ok, message = pcall(load_bytes, whole:sub(1, length))
      assert.is_false(ok)
      assert.truthy(tostring(message):find("load: " .. path .. ": ", 1, true), message)
    end
    local pickle = whole:match("(\x80\2}.*%.)PK")
    assert.is_string(pickle)
    for i = 1, #pickle do
      for _, bit in ipairs { 1, 8, 128 } do
        local other = string.char(pickle:byte(i) ~ bit)
        local changed = pickle:sub(1, i - 1) .. other .. pickle:sub(i + 1)
        local ok, message = pcall(load_bytes, archive(changed, ("\0"):rep(4)))
        assert.truthy(ok or tostring(message):find("load: " .. path .. ": ", 1, true), message)
      end
    end
  end)
end)
