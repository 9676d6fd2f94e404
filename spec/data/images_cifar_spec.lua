--- CIFAR-10 from files that are made here: what is read, where it is looked for, what is refused.

local core = require "wrun.core"
local data = require "wrun.data"
local files = require "spec.support.files"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local NAMES = {
  "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
  "data_batch_5.bin", "test_batch.bin",
}
local LISTED = table.concat(NAMES, ", ")

local machine = files.machine(before_each, after_each)

-- A record: its label, then planes of these three bytes, but for the first and the last of all.
local function record(label, red, green, blue)
  local planes = string.char(red):rep(1024) .. string.char(green):rep(1024)
    .. string.char(blue):rep(1024)
  return string.char(label) .. "\1" .. planes:sub(2, -2) .. "\2"
end

-- Puts all files into a folder below the root, file i with i records of label i, and returns it.
local function put(name, pack)
  local folder = machine.root .. "/" .. name
  core.make_folder(folder)
  for i, base in ipairs(NAMES) do
    local bytes = record(i, 10 * i, 10 * i + 1, 10 * i + 2):rep(i)
    files.write(folder .. "/" .. base .. (pack and ".gz" or ""), pack and pack(bytes) or bytes)
  end
  return folder
end

local function refused(options)
  return refusal(data.cifar10, options)
end

describe("data.cifar10", function()
  it("is pictures of three planes, classes that count from 1, and names", function()
    local folder = put("here")
    local train, test = data.cifar10 { folder = folder }
    assert.equal("uint8", train.x.dtype)
    assert.same({ 15, 3, 32, 32 }, train.x.shape)
    assert.equal("int64", train.y.dtype)
    assert.same({ 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6 }, train.y:tolist())
    assert.equal("bird", train.classes[train.y[2]:item()])
    assert.equal(10, #train.classes)
    assert.equal("CIFAR-10", train.name)
    assert.equal(folder, train.folder)
    assert.same({ 6, 3, 32, 32 }, test.x.shape)
    assert.same({ 7, 7, 7, 7, 7, 7 }, test.y:tolist())
    for plane = 1, 3 do
      assert.equal(59 + plane, test.x[6][plane][16][7]:item())
    end
    assert.equal(1, test.x[1][1][1][1]:item())
    assert.equal(60, test.x[1][1][1][2]:item())
    assert.equal(61, test.x[1][2][1][1]:item())
    assert.equal(2, test.x[1][3][32][32]:item())
  end)

  it("comes with one split when one is named", function()
    local folder = put("here")
    assert.equal(15, #data.cifar10({ folder = folder, split = "train" }).x)
    assert.equal(1, select("#", data.cifar10 { folder = folder, split = "test" }))
  end)

  it("may be compressed", function()
    local plain = data.cifar10 { folder = put("plain"), split = "train" }
    local packed = data.cifar10 { folder = put("packed", files.gzip), split = "train" }
    assert.same({ 15, 3, 32, 32 }, packed.x.shape)
    assert.is_true(wrun.eq(packed.x, plain.x):all():item())
    assert.same(plain.y:tolist(), packed.y:tolist())
  end)

  it("takes every label there is, and a full file", function()
    local folder = put("here")
    local bytes = {}
    for label = 0, 9 do
      bytes[label + 1] = record(label, 0, 0, 0):rep(1000)
    end
    files.write(folder .. "/test_batch.bin", table.concat(bytes))
    local test = data.cifar10 { folder = folder, split = "test" }
    assert.same({ 10000, 3, 32, 32 }, test.x.shape)
    assert.equal(1, test.y[1000]:item())
    assert.equal(10, test.y[10000]:item())
    files.write(folder .. "/test_batch.bin", table.concat(bytes) .. "x")
    assert.equal("cifar10: " .. folder .. "/test_batch.bin: expected 1 to 10000 records of 3073 "
      .. "bytes, found more than 30730000 bytes", refused { folder = folder, split = "test" })
  end)

  it("goes through a loader", function()
    local loader = data.loader(data.cifar10 { folder = put("here"), split = "test" },
      { batch_size = 4, flatten = false })
    local x, y = loader:batches()()
    assert.same({ 4, 3, 32, 32 }, x.shape)
    assert.equal("float32", x.dtype)
    assert.same({ 4 }, y.shape)
  end)

  it("is looked for in WRUN_DATA and the cache, in its sub-folder or right there", function()
    local cache = put("cache/wrun/cifar-10-batches-bin")
    assert.equal(cache, data.cifar10({ split = "test" }).folder)
    machine.environment.WRUN_DATA = machine.root .. "/data"
    assert.equal(cache, data.cifar10({ split = "test" }).folder)
    put("data")
    assert.equal(machine.root .. "/data", data.cifar10({ split = "test" }).folder)
    put("data/cifar-10-batches-bin")
    local inner = machine.root .. "/data/cifar-10-batches-bin"
    assert.equal(inner, data.cifar10({ split = "test" }).folder)
  end)

  it("is never downloaded: it says which files are missing", function()
    local lines = "cifar10: CIFAR-10 is not on this machine, and it is not downloaded\n"
      .. "To put it there by hand, fetch these files:\n  " .. table.concat(NAMES, "\n  ") .. "\n"
    local variable = "folder that the environment variable WRUN_DATA names."
    local with_cache = lines .. "and put them into " .. machine.root
      .. "/cache/wrun/cifar-10-batches-bin\nor into any " .. variable
    assert.equal(with_cache, refused())
    machine.environment.WRUN_DATA = machine.root
    assert.equal(with_cache, refused())
    machine.environment = {}
    assert.equal(lines .. "and put them into a " .. variable, refused())
    local start = "cifar10: option folder: expected the files of CIFAR-10 in " .. machine.root
      .. " or in its sub-folder cifar-10-batches-bin, plain or as .gz; missing: "
    assert.equal(start .. LISTED, refused { folder = machine.root })
    os.remove(put("cifar-10-batches-bin") .. "/data_batch_3.bin")
    assert.equal(start .. "data_batch_3.bin", refused { folder = machine.root })
  end)

  it("refuses options that it does not know", function()
    assert.equal("cifar10: option mirror: unknown; the options are folder, split",
      refused { mirror = "x" })
    assert.equal("cifar10: option split: expected train or test, got the string 'valid'",
      refused { split = "valid" })
  end)

  it("refuses files that hold no whole records", function()
    local folder = put("here")
    local path = folder .. "/data_batch_4.bin"
    for _, size in ipairs { 0, 1, 3072, 3074, 6145 } do
      files.write(path, ("\0"):rep(size))
      assert.equal(("cifar10: %s: expected 1 to 10000 records of 3073 bytes, found %d bytes")
        :format(path, size), refused { folder = folder })
    end
    os.remove(path)
    core.make_folder(path)
    assert.equal("cifar10: " .. path .. ": Is a directory", refused { folder = folder })
  end)

  it("refuses labels above 9, and names the record", function()
    local folder = put("here")
    local path = folder .. "/data_batch_2.bin"
    for _, label in ipairs { 10, 255 } do
      files.write(path, record(9, 0, 0, 0):rep(2) .. record(label, 0, 0, 0):rep(2))
      assert.equal(("cifar10: %s: record 3: expected a label from 0 to 9, got %d")
        :format(path, label), refused { folder = folder })
    end
  end)

  it("refuses gzip data that is damaged", function()
    local folder = put("packed", files.gzip)
    local path = folder .. "/test_batch.bin.gz"
    local bytes = files.read(path)
    files.write(path, bytes:sub(1, -5))
    assert.equal("cifar10: " .. path .. ": the gzip data ends early", refused { folder = folder })
    files.write(path, bytes:sub(1, -9) .. "\0\0\0\0" .. bytes:sub(-4))
    assert.equal("cifar10: " .. path .. ": the gzip data is damaged", refused { folder = folder })
  end)
end)
