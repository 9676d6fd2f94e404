--- Reading IDX files: every element type, plain and compressed, and every way to be bad.
--- The files are packed here by string.pack, the oracle for how bytes make numbers.

local core = require "wrun.core"
local data = require "wrun.data"
local files = require "spec.support.files"

local U8, I8, I16, I32, F32, F64 = 0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E

local function pack(format, values)
  local parts = {}
  for i, value in ipairs(values) do
    parts[i] = string.pack(format, value)
  end
  return table.concat(parts)
end

local function counting(n)
  local values = {}
  for i = 1, n do
    values[i] = (i * 7919) % 251
  end
  return values
end

local folder, path = files.scratch(teardown)

local function put(bytes)
  return files.write(path, bytes)
end

-- The message that a file of these bytes is refused with, without its path.
local function refusal(bytes, options)
  local tensor, message = core.idx_read("idx", put(bytes), options)
  assert.is_nil(tensor)
  assert.equal(path .. ": ", message:sub(1, #path + 2))
  return message:sub(#path + 3)
end

describe("data.idx", function()
  local INFINITY = math.huge
  local cases = {
    { "uint8", U8, ">I1", "uint8", { 0, 1, 127, 128, 254, 255 } },
    { "signed 8-bit", I8, ">i1", "int64", { -128, -1, 0, 1, 126, 127 } },
    { "16-bit", I16, ">i2", "int64", { -32768, -1, 0, 1, 258, 32767 } },
    { "32-bit", I32, ">i4", "int32", { -2147483648, -1, 0, 1, 16909060, 2147483647 } },
    { "float32", F32, ">f", "float32", { -INFINITY, -1.5, 0, 2.0 ^ -149, 0.25, INFINITY } },
    { "float64", F64, ">d", "float64", { -INFINITY, -1.5, 0, 2.0 ^ -1074, 0.1, INFINITY } },
  }

  for _, case in ipairs(cases) do
    local name, element, format, dtype, values = table.unpack(case)
    it("reads " .. name .. " elements as " .. dtype, function()
      local tensor = data.idx(put(files.idx(element, { 2, 3 }, pack(format, values))))
      assert.equal(dtype, tensor.dtype)
      assert.same({ 2, 3 }, tensor.shape)
      assert.same(values, tensor:reshape(6):tolist())
    end)

    it("reads " .. name .. " elements over many pieces of the file", function()
      local numbers = counting(20011)
      if element == I8 then
        for i, value in ipairs(numbers) do
          numbers[i] = value - 125
        end
      end
      local bytes = files.idx(element, { #numbers }, pack(format, numbers))
      assert.same(numbers, data.idx(put(bytes)):long():tolist())
      assert.same(numbers, data.idx(put(files.gzip(bytes))):long():tolist())
    end)
  end

  it("keeps NaN and the sign of zero", function()
    local values = data.idx(put(files.idx(F64, { 2 }, pack(">d", { 0 / 0, -0.0 })))):tolist()
    assert.is_true(values[1] ~= values[1])
    assert.equal(-INFINITY, 1 / values[2])
  end)

  it("reads ranks 1 to 8", function()
    local shape = {}
    for rank = 1, 8 do
      shape[rank] = rank % 2 + 1
      local n = 2 ^ ((rank + 1) // 2) // 1 | 0
      local tensor = data.idx(put(files.idx(U8, shape, string.char(table.unpack(counting(n))))))
      assert.same(shape, tensor.shape)
      assert.same(counting(n), tensor:reshape(n):tolist())
    end
  end)

  it("reads an empty array", function()
    local tensor = data.idx(put(files.idx(F32, { 0, 28 }, "")))
    assert.same({ 0, 28 }, tensor.shape)
    assert.equal(0, tensor:numel())
  end)

  it("reads what the gzip program compressed, and members one after another", function()
    local values = counting(3000)
    local bytes = files.idx(U8, { 30, 100 }, string.char(table.unpack(values)))
    files.shell(("gzip -9 < '%s' > '%s.gz'"):format(put(bytes), path))
    local compressed = files.read(path .. ".gz")
    assert.is_true(#compressed < #bytes)
    assert.same(values, data.idx(path .. ".gz"):reshape(-1):tolist())
    local members = files.gzip(bytes:sub(1, 9)) .. files.gzip("") .. files.gzip(bytes:sub(10))
    assert.same(values, data.idx(put(members)):reshape(-1):tolist())
  end)

  it("reads from a pipe, whose size is not known before", function()
    local fifo = folder .. "/fifo"
    put(files.idx(U8, { 3 }, "abc"))
    files.shell(("mkfifo '%s'; (cat '%s' > '%s') > /dev/null 2>&1 &"):format(fifo, path, fifo))
    assert.same({ 97, 98, 99 }, data.idx(fifo):tolist())
  end)

  it("blames the script for a bad file or argument", function()
    local line = debug.getinfo(1, "l").currentline
    local function message_of(...)
      return select(2, pcall(data.idx, ...)):match(":(%d+: .*)$")
    end
    assert.equal(line + 2 .. ": idx: " .. path .. "/x: Not a directory", message_of(path .. "/x"))
    assert.equal(line + 2 .. ": idx: argument 1: expected a string, got 3", message_of(3))
  end)
end)

describe("idx_read", function()
  local small = files.idx(U8, { 2, 3 }, "abcdef")

  it("says what the system says", function()
    assert.same({ nil, "/nowhere/file: No such file or directory" },
      { core.idx_read("idx", "/nowhere/file") })
    assert.same({ nil, folder .. ": Is a directory" }, { core.idx_read("idx", folder) })
  end)

  it("shows how a file begins that is no IDX file", function()
    local two_zeros = "not an IDX file (it must begin with two zero bytes): found "
    assert.equal(two_zeros .. "3C 68 74 6D; it is a text of HTML or XML", refusal("<html>"))
    assert.equal(two_zeros .. "00 01 08 01", refusal("\0\1\8\1\0\0\0\0"))
    assert.equal(two_zeros .. "01 00 08 01", refusal("\1\0\8\1\0\0\0\0"))
    assert.equal("not an IDX file (the third byte names no element type): found 00 00 0A 01",
      refusal("\0\0\x0a\1\0\0\0\0"))
    local rank = "not an IDX file (the fourth byte, the rank, must be 1 to 8): found 00 00 08 "
    assert.equal(rank .. "00", refusal("\0\0\8\0"))
    assert.equal(rank .. "09", refusal(files.idx(U8, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, "a")))
  end)

  it("accepts every byte as element type that names one, and no other", function()
    local accepted = {}
    for element = 0, 255 do
      if core.idx_read("idx", put(files.idx(element, { 0 }, ""))) then
        accepted[#accepted + 1] = element
      end
    end
    assert.same({ U8, I8, I16, I32, F32, F64 }, accepted)
  end)

  it("refuses a plain file that was cut anywhere", function()
    for size = 0, #small - 1 do
      local expected = size < 4 and 4 or #small
      if size >= 4 and size < 12 then
        expected = 12
      end
      assert.equal(("truncated: expected %d bytes, found %d"):format(expected, size),
        refusal(small:sub(1, size)))
    end
  end)

  it("refuses a compressed file that was cut anywhere", function()
    local packed = files.gzip(small)
    for size = 2, #packed - 1 do
      assert.matches("^the gzip data ends early", refusal(packed:sub(1, size)))
    end
    assert.equal("the gzip data ends early: expected 18 bytes, found 15",
      refusal(packed:sub(1, 30)))
  end)

  it("refuses a cut inside compressed data that ends properly", function()
    assert.equal("truncated: expected 18 bytes, found 17", refusal(files.gzip(small:sub(1, 17))))
  end)

  it("refuses bytes after the elements", function()
    assert.equal("too long: expected 18 bytes, found 21", refusal(small .. "xyz"))
    assert.equal("too long: expected 18 bytes, found 19", refusal(files.gzip(small .. "x")))
    assert.equal("unexpected bytes after the gzip data", refusal(files.gzip(small) .. "x"))
  end)

  it("passes over zeros after compressed data, as gzip does", function()
    files.write(path, files.gzip(small))
    local expected = data.idx(path)
    for _, zeros in ipairs { 1, 511, 70000 } do
      files.write(path, files.gzip(small) .. ("\0"):rep(zeros))
      assert.is_true(expected:equal(data.idx(path)))
    end
    assert.equal("unexpected bytes after the gzip data", refusal(files.gzip(small) .. "\0\0x"))
  end)

  it("refuses damaged compressed data", function()
    local packed = files.gzip(small)
    local function with(index, byte)
      return packed:sub(1, index - 1) .. string.char(byte) .. packed:sub(index + 1)
    end
    assert.equal("the gzip data is damaged: expected 4 bytes, found 0", refusal(with(3, 7)))
    local length, check_sum = #packed, #packed - 4
    assert.equal("the gzip data is damaged", refusal(with(length, 1)))
    assert.equal("the gzip data is damaged", refusal(with(check_sum, packed:byte(check_sum) ~ 1)))
  end)

  it("refuses sizes that no file holds, without taking memory for them", function()
    local huge = { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }
    local overflow = "its sizes multiply to more bytes than a 64-bit number holds"
    assert.equal(overflow, refusal(files.idx(U8, huge, "")))
    assert.equal(overflow, refusal(files.idx(F64, { 0x80000000, 0x80000000 }, "")))
    assert.equal(overflow, refusal(files.idx(I8, { 0x80000000, 0x80000000 }, "")))
    local before = collectgarbage("count")
    assert.equal("truncated: expected 1099511627788 bytes, found 12",
      refusal(files.idx(U8, { 1 << 20, 1 << 20 }, "")))
    local packed = files.gzip(files.idx(U8, { 1 << 20, 1 << 20 }, ""))
    assert.equal("announces more than its gzip data can hold: expected 1099511627788 bytes, "
      .. "found " .. #packed * 1032, refusal(packed))
    assert.is_true(collectgarbage("count") - before < 4096)
  end)

  it("compares the sizes and the content with what is expected", function()
    local digest = files.sha256(small)
    local options = { shape = { 2, 3 }, sha256 = digest }
    assert.same({ 2, 3 }, core.idx_read("idx", put(small), options).shape)
    assert.same({ 2, 3 }, core.idx_read("idx", put(files.gzip(small)), { sha256 = digest }).shape)
    for _, shape in ipairs({ { 2 }, { 3, 2 }, { 2, 3, 1 }, {} }) do
      assert.equal(("other sizes than expected: expected %s, found [2, 3]"):format(
        "[" .. table.concat(shape, ", ") .. "]"), refusal(small, { shape = shape }))
    end
    local wanted = ("0"):rep(64)
    local unlike = "other content than expected: expected SHA-256 %s, found %s"
    assert.equal(unlike:format(wanted, digest), refusal(small, { sha256 = wanted }))
  end)

  it("lets no flipped bit of a checked file through", function()
    local function flips(bytes, check)
      for index = 1, #bytes do
        for bit = 0, 7 do
          local flipped = string.char(bytes:byte(index) ~ 1 << bit)
          check(bytes:sub(1, index - 1) .. flipped .. bytes:sub(index + 1))
        end
      end
    end
    local options = { sha256 = files.sha256(small) }
    flips(small, function(bytes)
      assert.is_nil((core.idx_read("idx", put(bytes), options)))
    end)
    local harmless = 0 -- time stamp, name of the system and the like stand in a gzip header
    flips(files.gzip(small), function(bytes)
      local tensor = core.idx_read("idx", put(bytes), options)
      if tensor then
        harmless = harmless + 1
        assert.same({ { 97, 98, 99 }, { 100, 101, 102 } }, tensor:tolist())
      end
    end)
    assert.is_true(harmless < 80)
  end)

  it("leaves no file open, whatever happens", function()
    collectgarbage("stop")
    local before = files.open_count()
    put(small)
    for _ = 1, 10 do
      core.idx_read("idx", path)
      core.idx_read("idx", path, { shape = { 1 } })
      core.idx_read("idx", path, { sha256 = "" })
      pcall(core.idx_read, "idx", path, { shape = { "x" } })
    end
    put(small:sub(1, 15))
    core.idx_read("idx", path)
    local after = files.open_count()
    collectgarbage("restart")
    assert.equal(before, after)
  end)

  it("raises for wrong use", function()
    local function message_of(...)
      return select(2, pcall(core.idx_read, "idx", ...)):match(":%d+: (.*)$")
    end
    assert.equal("idx: argument 2: expected a path, got nothing", message_of())
    assert.equal("idx: option digest: unknown; the options are sha256, shape",
      message_of(path, { digest = "" }))
    assert.equal("idx: option sha256: expected a string, got true",
      message_of(path, { sha256 = true }))
    assert.equal("idx: option shape: expected a table of sizes, got 3",
      message_of(path, { shape = 3 }))
  end)
end)
