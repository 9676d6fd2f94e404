--- Files of Torch7: what a writer of its published format wrote, bit for bit, and all else refused.

local child = require "spec.support.child"
local files = require "spec.support.files"
local fixtures = require("spec.fixtures.torch_files").torch7
local near = require "spec.support.near"
local wrun = require "wrun"

local path = child.temporary() -- written thousands of times

teardown(function()
  os.remove(path)
end)

local function load_bytes(bytes)
  return wrun.load(files.write(path, bytes))
end

local function refused(bytes)
  return files.refused("load", wrun.load, files.write(path, bytes))
end

local function at(tree, keys)
  for key in keys:gmatch("[^/]+") do
    tree = tree[math.tointeger(key) or key]
  end
  return tree
end

local function text(value)
  return string.pack("<s4", value)
end

-- A table that holds, below the key 1, an object of these bytes.
local function table_of(object)
  return string.pack("<i4i4i4i4d", 3, 1, 1, 1, 1) .. object
end

local function object(class, bytes)
  return string.pack("<i4i4", 4, 2) .. text "V 1" .. text(class) .. bytes
end

-- A tensor of floats of these sizes in a storage that announces `count` elements.
local function tensor(shape, stride, offset, count, bytes)
  local out = { string.pack("<i4", #shape) }
  for _, sizes in ipairs { shape, stride } do
    for _, size in ipairs(sizes) do
      out[#out + 1] = string.pack("<i8", size)
    end
  end
  out[#out + 1] = string.pack("<i8i4i4", offset, 4, 3) .. text "V 1" .. text "torch.FloatStorage"
  out[#out + 1] = string.pack("<i8", count) .. bytes
  return table_of(object("torch.FloatTensor", table.concat(out)))
end

describe("wrun.load", function()
  for _, case in ipairs(fixtures) do
    it("reads Torch7's file of " .. case.name, function()
      local tree = load_bytes(files.from_hex(case.file))
      for _, expected in ipairs(case.holds) do
        local keys, dtype, shape, values = table.unpack(expected)
        local found = at(tree, keys)
        assert.equal(dtype, found.dtype, keys)
        assert.same(shape, found.shape)
        near.lists(values, near.flat(found))
      end
      for _, expected in ipairs(case.plain) do
        assert.equal(expected[2], at(tree, expected[1]), expected[1])
      end
    end)
  end

  it("keeps what stands in two places one, and reads nil and empty tensors", function()
    local tree = load_bytes(files.from_hex(fixtures[4].file))
    assert.equal(tree.one, tree.two)
    tree = load_bytes(files.from_hex(fixtures[3].file))
    tree.same[1] = 100
    assert.equal(100, tree.t[1][1]:item())
    local empty = string.pack("<i4i8i4", 0, 1, 0)
    assert.same({ 0 }, load_bytes(table_of(object("torch.LongTensor", empty)))[1].shape)
    assert.same({}, load_bytes(table_of(string.pack("<i4", 0))))
  end)
end)

describe("a hostile file of Torch7", function()
  it("runs nothing and names what it holds", function()
    for kind = 6, 8 do
      assert.equal("holds a function or an object of an unknown kind, " .. kind,
        refused(table_of(string.pack("<i4i4", kind, 2) .. text "code")))
    end
    assert.equal("holds an object of nn.Linear; tensors and tables of them are read, such as "
      .. "model:getParameters():float()", refused(table_of(object("nn.Linear", ""))))
    assert.equal("holds an object of torch.CudaTensor; tensors and tables of them are read, such "
      .. "as model:getParameters():float()", refused(table_of(object("torch.CudaTensor", ""))))
    local keyed = string.pack("<i4i4i4", 3, 1, 1)
    assert.equal("expected texts, numbers and booleans as keys, got nil",
      refused(keyed .. string.pack("<i4i4", 0, 0)))
    assert.equal("expected texts, numbers and booleans as keys, got a table",
      refused(keyed .. string.pack("<i4i4i4", 3, 2, 0)))
    assert.equal("expected texts, numbers and booleans as keys, got nan",
      (refused(keyed .. string.pack("<i4di4", 1, 0 / 0, 0)):gsub("%-nan", "nan")))
  end)

  it("is refused for tables inside themselves or too many inside each other", function()
    assert.equal("holds a table inside itself", refused(table_of(string.pack("<i4i4", 3, 1))))
    local deep = {}
    for i = 1, 150 do
      deep[i] = string.pack("<i4i4i4i4d", 3, i, 1, 1, 1)
    end
    assert.equal("holds more than 100 tables inside each other", refused(table.concat(deep)))
  end)

  it("is refused for sizes beyond what there is", function()
    local OUTSIDE = "holds a tensor that does not lie in its storage"
    local bytes = ("\0"):rep(16)
    assert.equal(OUTSIDE, refused(tensor({ 5 }, { 1 }, 1, 4, bytes)))
    assert.equal(OUTSIDE, refused(tensor({ 4 }, { 1 }, 2, 4, bytes)))
    assert.equal(OUTSIDE, refused(tensor({ 2 }, { 1 }, 0, 4, bytes)))
    assert.equal(OUTSIDE, refused(tensor({ 2 }, { 1 }, math.mininteger, 4, bytes)))
    assert.equal(OUTSIDE, refused(tensor({ 2 }, { -1 }, 4, 4, bytes)))
    assert.equal(OUTSIDE, refused(tensor({ 1 << 62, 8 }, { 0, 0 }, 1, 4, bytes)))
    assert.equal(2, load_bytes(tensor({ 2 }, { 1 }, 3, 4, bytes))[1]:size(1))
    for _, count in ipairs { 5, -1, 1 << 62, math.maxinteger } do
      assert.truthy(refused(tensor({ 2 }, { 1 }, 1, count, bytes)):find("^damaged at byte"))
    end
    assert.truthy(refused(table_of(string.pack("<i4i4", 2, 0x7fffffff))):find("^damaged at byte"))
    assert.truthy(refused(table_of(string.pack("<i4i4", 2, -1))):find("^damaged at byte"))
    assert.equal("holds bytes after its object", refused(string.pack("<i4i4i4", 3, 1, 0) .. "x"))
    local lying = string.pack("<i4i4i4", 3, 1, 0x7fffffff)
    assert.truthy(refused(lying):find("^damaged at byte"))
  end)

  it("is refused, and nothing else, wherever it is cut or damaged #many", function()
    local whole = files.from_hex(fixtures[4].file)
    for length = 0, #whole - 1 do
      local ok, message = pcall(load_bytes, whole:sub(1, length))
      assert.is_false(ok)
      assert.truthy(tostring(message):find("load: " .. path .. ": ", 1, true), message)
    end
    for i = 1, #whole do
      for _, bit in ipairs { 1, 8, 128 } do
        local changed = whole:sub(1, i - 1) .. string.char(whole:byte(i) ~ bit) .. whole:sub(i + 1)
        local ok, message = pcall(load_bytes, changed)
        assert.truthy(ok or tostring(message):find("load: " .. path .. ": ", 1, true), message)
      end
    end
  end)
end)
