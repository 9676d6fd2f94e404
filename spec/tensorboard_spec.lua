--- Event files, beside the bytes that the tensorboard package writes for the same events.

local files = require "spec.support.files"
local fixtures = require "spec.fixtures.tensorboard"
local lfs = require "lfs"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local SummaryWriter = wrun.tensorboard.SummaryWriter
local folder = files.folder()

teardown(function()
  files.remove(folder)
end)

-- A writer whose events are of the second 1000, and later `at`.
local function writer_at(at)
  local now = 1000
  local writer = SummaryWriter(folder .. "/run", { clock = function() return now end })
  now = at or now
  return writer
end

-- What `add` puts behind the first record.
local function added(at, add)
  local writer <close> = writer_at(at)
  add(writer)
  local bytes, version = files.read(writer.path), files.from_hex(fixtures.version)
  assert.equal(version, bytes:sub(1, #version))
  return bytes:sub(#version + 1)
end

describe("a SummaryWriter", function()
  it("writes the bytes that TensorBoard's own writes", function()
    assert.equal(files.from_hex(fixtures.scalar), added(1001, function(writer)
      writer:add_scalar("loss", 0.1, 1)
    end))
    assert.equal(files.from_hex(fixtures.step0), added(1000, function(writer)
      writer:add_scalar("größe/x", -math.huge, 0)
    end))
    assert.equal(files.from_hex(fixtures.large), added(1000 + 2 ^ 40, function(writer)
      writer:add_scalar("loss", wrun.tensor(3e38), 2 ^ 40)
    end))
    assert.equal(files.from_hex(fixtures.histogram), added(1003, function(writer)
      writer:add_histogram("w", wrun.tensor { -1.0, 0, 0, 3 }, 3)
    end))
  end)

  it("writes pictures as they are, with their sizes", function()
    local images = wrun.rand(3, 5)
    wrun.image.save(folder .. "/x.png", images)
    local png = files.read(folder .. "/x.png")
    local bytes = added(1000, function(writer)
      writer:add_image("x", images, 1)
    end)
    local w, h = string.unpack(">I4I4", png, 17)
    local about = string.char(8, h, 16, w, 24, 1, 34, #png) -- fewer than 128 bytes
    assert.is_truthy(bytes:find(about .. png, 1, true))
    for name in lfs.dir(folder .. "/run") do
      assert.is_nil(name:find("png")) -- nothing is left
    end
  end)

  it("has a file of its own, which is closed once", function()
    local one, two = writer_at(), writer_at()
    assert.is_true(one.path ~= two.path)
    one:close()
    one:close()
    assert.equal("add_scalar: the file " .. one.path .. " is closed",
      refusal(one.add_scalar, one, "x", 1, 1))
    assert.equal("SummaryWriter(" .. one.path .. "; closed)", tostring(one))
    two:close()
  end)

  it("takes NaN, and any distribution of finite numbers", function()
    local writer <close> = writer_at()
    writer:add_scalar("x", 0 / 0, 1)
    for _, x in ipairs { wrun.zeros(3), wrun.ones(1) * 1e-30, wrun.tensor { -3e38, 3e38 },
      wrun.arange(10), wrun.ones(2, { dtype = "bool" }) } do
      writer:add_histogram("x", x, 1)
    end
    for _, x in ipairs { wrun.zeros(0), wrun.tensor { 1, 0 / 0 }, wrun.tensor { math.huge } } do
      assert.matches("add_histogram: argument 2: expected finite elements, at least one, got a ",
        refusal(writer.add_histogram, writer, "x", x, 1), 1, true)
    end
  end)

  it("says what cannot be done", function()
    local writer <close> = writer_at()
    assert.equal("add_scalar: argument 3: expected an integer >= 0, got -1",
      refusal(writer.add_scalar, writer, "x", 1, -1))
    assert.equal("add_scalar: argument 2: expected a number, got the string 'x'",
      refusal(writer.add_scalar, writer, "x", "x", 1))
    assert.equal("SummaryWriter: /dev/null: Not a directory", refusal(SummaryWriter, "/dev/null"))
    local full <close> = writer_at()
    full.file:close()
    full.file = io.open("/dev/full", "wb")
    assert.equal("add_scalar: " .. full.path .. ": No space left on device",
      refusal(full.add_scalar, full, "x", 1, 1))
  end)
end)
