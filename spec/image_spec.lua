--- Pictures, pixel by pixel, and their files, against an independent decoder.

local core = require "wrun.core"
local files = require "spec.support.files"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local image = wrun.image

-- Python's zlib and the PNG specification, without a PNG library: width, height and all pixels.
local DECODER = [[
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, idat = 8, b""
while at < len(data):
    n, kind = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + n]
    assert struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0] == zlib.crc32(kind + body)
    if kind == b"IHDR":
        width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        assert (depth, colour) == (8, 0)
    idat += body if kind == b"IDAT" else b""
    at += 12 + n
raw, before = zlib.decompress(idat), bytes(width)
print(width, height)
for y in range(height):
    method, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
    for x in range(width):
        a = line[x - 1] if x else 0
        b, c = before[x], before[x - 1] if x else 0
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        line[x] = (line[x] + (0, a, b, (a + b) // 2, paeth)[method]) % 256
    before = line
    print(*line)
]]

-- Writes a PNG file of one row of 256 pixels: the numbers k, on every channel, of this depth and
-- colour type, after these further chunks.
local ENCODER = [[
import struct, sys, zlib
name, depth, colour, extra = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
chunks = {"none": b"", "gAMA": chunk(b"gAMA", struct.pack(">I", 100000)),
          "dark": chunk(b"gAMA", struct.pack(">I", 45455)), "sRGB": chunk(b"sRGB", b"\0"),
          "cHRM": chunk(b"cHRM", struct.pack(">8I", *[31270, 32900, 64000, 33000, 30000, 60000,
                                                    15000, 6000])),
          "iCCP": chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile"))}
channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
def pixel(k):
    values = [k] * channels
    if colour in (4, 6):
        values[-1] = 255
    return b"".join(bytes([v] * (depth // 8)) for v in values)
palette = chunk(b"PLTE", bytes(v for k in range(256) for v in [k] * 3)) if colour == 3 else b""
with open(name, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n"
               + chunk(b"IHDR", struct.pack(">IIBBBBB", 256, 1, depth, colour, 0, 0, 0))
               + chunks[extra] + palette
               + chunk(b"IDAT", zlib.compress(b"\0" + b"".join(map(pixel, range(256)))))
               + chunk(b"IEND", b""))
]]

-- Writes a picture of random colours with an alpha, and prints the grey of the same light.
local COLOURS = [[
import random, struct, sys, zlib
name, depth, alpha = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(1)
colours = [[random.randrange(256) for _ in range(3)] for _ in range(400)]
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
raw = b"\0" + b"".join(bytes([v] * (depth // 8)) for c in colours for v in c + [alpha])
with open(name, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", zlib.compress(raw)).join(
        [chunk(b"IHDR", struct.pack(">IIBBBBB", 400, 1, depth, 6, 0, 0, 0)), chunk(b"IEND", b"")]))
def light(x):
    x /= 255
    return x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
for r, g, b in colours:
    y = (0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b)) * alpha / 255
    print(round(255 * (y * 12.92 if y <= 0.0031308 else 1.055 * y ** (1 / 2.4) - 0.055)))
]]

local path

local function read(name)
  local file = assert(io.open(name, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

local function write(name, bytes)
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
end

describe("image", function()
  before_each(function()
    path = os.tmpname()
  end)

  after_each(function()
    os.remove(path)
  end)

  it("writes what an independent decoder reads", function()
    local x = wrun.randint(0, 256, { 7, 13 }, { generator = wrun.Generator({ seed = 1 }) }):byte()
    image.save(path, x)
    local script = os.tmpname()
    write(script, DECODER)
    local pipe = assert(io.popen(("python3 %s %s 2>&1"):format(script, path)))
    assert.equal("13 7", pipe:read("l"))
    for _, row in ipairs(x:tolist()) do
      assert.equal(table.concat(row, " "), pipe:read("l"))
    end
    assert(pipe:close())
    os.remove(script)
  end)

  it("reads what it wrote, bit for bit, and writes the same bytes again", function()
    for _, shape in ipairs { { 1, 1 }, { 3, 5 }, { 40, 2 } } do
      local x = wrun.randint(0, 256, shape, { generator = wrun.Generator({ seed = 2 }) }):byte()
      image.save(path, x)
      local bytes = read(path)
      local back = image.load(path)
      assert.equal("uint8", back.dtype)
      assert.is_true(x:equal(back))
      image.save(path, back)
      assert.equal(bytes, read(path))
    end
  end)

  it("reads the values of the file, whatever light it says they mean", function()
    local script, all = os.tmpname(), wrun.arange(0, 256):reshape(1, 256):byte()
    write(script, ENCODER)
    for kind in ("8 0,16 0,8 2,16 2,8 3,8 4,16 4,8 6,16 6"):gmatch("[^,]+") do
      for _, extra in ipairs { "none", "gAMA", "dark", "sRGB", "cHRM", "iCCP" } do
        assert(os.execute(("python3 %s %s %s %s"):format(script, path, kind, extra)))
        assert.is_true(all:equal(image.load(path)), kind .. " " .. extra)
      end
    end
    os.remove(script)
  end)

  it("lays pictures out row by row, with a frame between and around", function()
    local x = wrun.tensor { { { 0.1, 0.2 } }, { { 0.3, 0.4 } }, { { 0.9, 2 } } }
    local sheet = image.grid(x, { columns = 2, padding = 1, background = 0 })
    assert.is_true(sheet:allclose(wrun.tensor {
      { 0, 0, 0, 0, 0, 0, 0 },
      { 0, 0.1, 0.2, 0, 0.3, 0.4, 0 },
      { 0, 0, 0, 0, 0, 0, 0 },
      { 0, 0.9, 1, 0, 0, 0, 0 },
      { 0, 0, 0, 0, 0, 0, 0 },
    }))
  end)

  it("stretches each, all, or around zero, and makes what is constant grey", function()
    local x = wrun.tensor { { { -1.0, 3 } }, { { 2, 2 } } }
    local with = { padding = 0, columns = 1 }
    for range, want in pairs {
      each = { { 0, 1 }, { 0.5, 0.5 } },
      all = { { 0, 1 }, { 0.75, 0.75 } },
      symmetric = { { 1 / 3, 1 }, { 1, 1 } },
    } do
      with.range = range
      assert.is_true(image.grid(x, with):allclose(wrun.tensor(want)))
    end
  end)

  it("repeats pixels", function()
    assert.is_true(image.grid(wrun.tensor { { 0, 1.0 } }, { scale = 2 }):equal(wrun.tensor {
      { 0, 0, 1.0, 1 }, { 0, 0, 1.0, 1 },
    }))
  end)

  it("puts pictures beside each other", function()
    local a, b = wrun.zeros(2, 1, 1), wrun.ones(2, 1, 1)
    assert.is_true(image.beside(a, b):reshape(4):equal(wrun.tensor { 0, 1.0, 0, 1 }))
    assert.equal("image.beside: argument 2: expected pictures [2, 1, 1], got a float32 tensor [1]",
      refusal(image.beside, a, wrun.zeros(1)))
  end)

  it("refuses what is no picture", function()
    assert.equal("image.save: argument 1: expected pictures [height, width] or [n, height, width], "
      .. "got a float32 tensor [3]", refusal(image.save, path, wrun.zeros(3)))
    assert.equal("image.save: argument 1: expected finite numbers, got NaN or infinity",
      refusal(image.save, path, wrun.full({ 2, 2 }, 0 / 0)))
    assert.equal("image.save: option columns: expected an integer >= 1, got 0",
      refusal(image.save, path, wrun.zeros(2, 2), { columns = 0 }))
    assert.equal("image.save: /nowhere/x.png: No such file or directory",
      refusal(image.save, "/nowhere/x.png", wrun.zeros(2, 2)))
  end)

  it("reads no broken file, and survives every one", function()
    image.save(path, wrun.rand(6, 6, { generator = wrun.Generator({ seed = 3 }) }))
    local bytes = read(path)
    for length = 0, #bytes - 13 do -- the last chunk says only that there is no more
      write(path, bytes:sub(1, length))
      assert.equal("image.load: " .. path .. ": ", refusal(image.load, path):sub(1, #path + 14))
    end
    for at = 1, #bytes do
      write(path, bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 0x55) .. bytes:sub(at + 1))
      pcall(image.load, path)
    end
    os.remove(path)
    assert.equal("image.load: " .. path .. ": No such file or directory",
      refusal(image.load, path))
    assert.equal("image.load: /: Is a directory", refusal(image.load, "/"))
  end)

  it("reads and writes up to 2^26 pixels, and refuses more before it makes room", function()
    local function chunk(kind, body)
      local sum = files.gzip(kind .. body):sub(-8, -5):reverse()
      return string.pack(">I4", #body) .. kind .. body .. sum
    end
    local function claim(width, height)
      write(path, "\137PNG\r\n\26\n"
        .. chunk("IHDR", string.pack(">I4I4I1I1I1I1I1", width, height, 8, 0, 0, 0, 0))
        .. chunk("IDAT", "") .. chunk("IEND", ""))
      return refusal(image.load, path):sub(#path + 15)
    end
    local too_large = "the picture is too large"
    assert.equal(too_large, claim(8192, 8193))
    assert.equal(too_large, claim(60000, 60000))
    assert.is_true(claim(8192, 8192) ~= too_large) -- it is the pixels that are missing
    local x = wrun.zeros(8193, 8192, { dtype = "uint8" })
    assert.same({ nil, too_large }, { core.image_save(path, x) })
    local most = x:narrow(1, 1, 8192)
    assert.is_true(core.image_save(path, most))
    assert.same(most.shape, image.load(path).shape)
  end)

  it("makes colours grey by their light, the same of 8 and of 16 bits", function()
    local script = os.tmpname()
    write(script, COLOURS)
    for _, alpha in ipairs { 255, 100 } do
      local pictures, light = {}, nil
      for _, depth in ipairs { 8, 16 } do
        local pipe = assert(io.popen(("python3 %s %s %d %d"):format(script, path, depth, alpha)))
        light = pipe:read("a")
        assert(pipe:close())
        pictures[depth] = image.load(path):long():reshape(-1)
      end
      local exact = {}
      for value in light:gmatch("%d+") do
        exact[#exact + 1] = math.tointeger(value)
      end
      exact = wrun.tensor(exact)
      assert.is_true((pictures[16] - exact):abs():max():item() <= 1)
      -- libpng's tables for 8 bits are coarse where it is dark
      assert.is_true((pictures[8] - exact):abs():max():item() <= 16)
    end
    os.remove(script)
  end)
end)
