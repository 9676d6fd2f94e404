--- Pictures, pixel by pixel, and their files, against an independent decoder.

local core = require "wrun.core"
local files = require "spec.support.files"
local font = require "wrun.image.font"
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
        assert depth == 8 and colour in (0, 2)
        channels = 3 if colour == 2 else 1
    idat += body if kind == b"IDAT" else b""
    at += 12 + n
size = width * channels
raw, before = zlib.decompress(idat), bytes(size)
print(width, height)
for y in range(height):
    method, line = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
    for x in range(size):
        a = line[x - channels] if x >= channels else 0
        b, c = before[x], before[x - channels] if x >= channels else 0
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

  it("writes pictures in colour that an independent decoder reads", function()
    local x = wrun.randint(0, 256, { 1, 3, 7, 13 }, { generator = wrun.Generator({ seed = 1 }) })
    image.save(path, x:byte())
    local script = os.tmpname()
    write(script, DECODER)
    local pipe = assert(io.popen(("python3 %s %s 2>&1"):format(script, path)))
    assert.equal("13 7", pipe:read("l"))
    for _, row in ipairs(x[1]:permute(2, 3, 1):reshape(7, 39):tolist()) do
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

  it("reads the values of the file, whatever light it says they mean #many", function()
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

  it("lays pictures in colour out, magnified, each by its channels", function()
    local x = wrun.rand(4, 3, 2, 2)
    local sheet = image.grid(x, { columns = 2, padding = 0, scale = 2 })
    assert.same({ 3, 8, 8 }, sheet.shape)
    for channel = 1, 3 do
      local grey = image.grid(x:select(2, channel), { columns = 2, padding = 0, scale = 2 })
      assert.is_true(grey:equal(sheet[channel]))
    end
    assert.is_true(image.beside(x, x)[2]:equal(x[1]))
  end)

  it("colours values by a map", function()
    local x = wrun.tensor { { 0, 1.0 } }
    local sheet = image.grid(x, { colors = "viridis" })
    assert.same({ 3, 1, 2 }, sheet.shape)
    assert.is_true((sheet * 255):round():reshape(6):equal(wrun.tensor { -- #440154, #FDE725
      0x44, 0xFD, 0x01, 0xE7, 0x54, 0x25,
    }:float()))
  end)

  it("takes the range from the options, or around zero for all together", function()
    local x = wrun.tensor { { { -1.0, 3 } }, { { 2, 0 } } }
    local with = { padding = 0, columns = 1, range = { -1, 1 } }
    assert.is_true(image.grid(x, with):equal(wrun.tensor { { 0, 1.0 }, { 1, 0.5 } }))
    with.range = "balanced"
    assert.is_true(image.grid(x, with):allclose(wrun.tensor { { 1 / 3, 1 }, { 5 / 6, 0.5 } }))
    assert.equal("image.grid: option range: expected unit, each, all, symmetric, balanced or "
      .. "{ low, high }, got {1, 1}", refusal(image.grid, x, { range = { 1, 1 } }))
  end)

  -- The pixels of the sheet, from row y and column x on, are those of the text, black.
  local function shows(sheet, text, y, x, scale)
    local pixels = font.draw(text, scale or 1)
    local height, width = table.unpack(pixels.shape)
    return sheet:narrow(1, y, height):narrow(2, x, width):eq(0):equal(pixels:gt(0))
  end

  it("writes captions below pictures, in cells as wide as they need", function()
    local sheet = image.grid(wrun.ones(3, 4, 6), { columns = 3, captions = { "cat", "é", 7 } })
    assert.same({ 4 + 8 + 2 + 4, 3 * (17 + 2) + 4 * 2 }, sheet.shape)
    assert.is_true(shows(sheet, "cat", 8, 4))
    assert.is_true(shows(sheet, "é", 8, 31))
    assert.is_true(shows(sheet, "7", 8, 52))
    assert.is_true(sheet:narrow(1, 3, 4):narrow(2, 9, 6):eq(1):all():item())
  end)

  it("writes labels of rows and columns around them, larger with the pictures", function()
    local x = wrun.ones(4, 16, 16)
    local sheet = image.grid(x, { row_labels = { "a", "bb" }, column_labels = { "c", "d" } })
    assert.same({ 10 + 2 * 18 + 2, 13 + 2 * 18 + 2 }, sheet.shape)
    assert.is_true(shows(sheet, "bb", 35, 2))
    assert.is_true(shows(sheet, "a", 17, 8))
    assert.is_true(shows(sheet, "c", 2, 21))
    assert.is_true(shows(sheet, "d", 2, 39))
    local large = image.grid(x, { scale = 4, row_labels = { "a", "bb" } })
    assert.is_true(shows(large, "bb", 93, 3, 2))
    local low = image.grid(wrun.ones(2, 1, 1), { columns = 1, row_labels = { "a", "b" } })
    assert.same({ 2 * (8 + 2) + 2, 5 + 2 + 1 + 4 }, low.shape)
  end)

  it("shows the values of the colours in a bar", function()
    local x = wrun.tensor { -2.0, 0, 1, 4 }:reshape(1, 4):expand(60, 4)
    local sheet = image.grid(x, { range = "all", bar = true, background = 1 })
    assert.same({ 64, 8 + 8 + 2 + 11 + 2 }, sheet.shape)
    local bar = sheet:narrow(1, 3, 60):narrow(2, 9, 8)
    assert.is_true(bar:allclose(wrun.linspace(1, 0, 60):reshape(60, 1):expand(60, 8)))
    assert.is_true(shows(sheet, "4", 3, 19))
    assert.is_true(shows(sheet, "1", 29, 19))
    assert.is_true(shows(sheet, "-2", 55, 19))
    local colored = image.grid(x, { range = { -1, 1 }, bar = true, colors = "diverging" })
    assert.same({ 3, 64, 8 + 8 + 2 + 11 + 2 }, colored.shape)
    assert.same({ 3 * 8 + 4, 8 + 8 + 2 + 17 + 2 },
      image.grid(wrun.ones(1, 4), { bar = true }).shape) -- as high as three lines
  end)

  it("writes white where the background is dark", function()
    local sheet = image.grid(wrun.zeros(1, 8, 8), { background = 0, captions = { "x" } })
    assert.equal(font.draw("x", 1):sum():item(), sheet:sum():item())
  end)

  it("refuses labels and colours that do not fit", function()
    local x = wrun.zeros(4, 2, 2)
    for options, message in pairs {
      [{ captions = { "a" } }] = "captions: expected 4 texts, one a picture, got 1",
      [{ row_labels = { 1, 2, 3 } }] = "row_labels: expected 2 texts, one a row, got 3",
      [{ column_labels = {} }] = "column_labels: expected 2 texts, one a column, got 0",
      [{ captions = { {} } }] = "captions: expected a list of texts or numbers, got a table",
      [{ colors = "jet" }] = "colors: expected grey, viridis or diverging, got the string 'jet'",
      [{ bar = true, range = "each" }] = "bar: expected one range for all pictures, such as all "
        .. "or balanced, got the string 'each'",
    } do
      assert.equal("image.grid: option " .. message, refusal(image.grid, x, options))
    end
    local color = wrun.zeros(1, 3, 2, 2)
    assert.equal("image.grid: option colors: expected none for pictures that have colours",
      refusal(image.grid, color, { colors = "viridis" }))
    assert.equal("image.grid: option bar: expected none for pictures that have colours",
      refusal(image.grid, color, { bar = true }))
  end)

  it("refuses what is no picture", function()
    local expected = "image.save: argument 2: expected pictures [height, width], "
      .. "[n, height, width] or [n, 3, height, width], got a float32 tensor "
    assert.equal(expected .. "[3]", refusal(image.save, path, wrun.zeros(3)))
    assert.equal(expected .. "[2, 4, 5, 5]", refusal(image.save, path, wrun.zeros(2, 4, 5, 5)))
    assert.equal("image.save: argument 2: expected finite numbers, got NaN or infinity",
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

  it("reads in colour what is grey or in colour, of 8 and of 16 bits", function()
    local x = wrun.randint(0, 256, { 3, 5, 7 }, { generator = wrun.Generator({ seed = 3 }) }):byte()
    image.save(path, x:unsqueeze(1), { padding = 0 })
    assert.is_true(x:equal(image.load(path, { mode = "rgb" })))
    image.save(path, x[1])
    assert.is_true(x[1]:expand(3, 5, 7):equal(image.load(path, { mode = "rgb" })))
    local script = os.tmpname()
    write(script, COLOURS)
    for _, alpha in ipairs { 255, 100 } do
      local pictures = {}
      for _, depth in ipairs { 8, 16 } do
        assert(os.execute(("python3 %s %s %d %d > /dev/null"):format(script, path, depth, alpha)))
        pictures[depth] = image.load(path, { mode = "rgb" }):long()
      end
      local difference = (pictures[16] - pictures[8]):abs():max():item()
      assert.is_true(difference <= (alpha == 255 and 0 or 16)) -- libpng's tables are coarse
    end
    os.remove(script)
    assert.equal("image.load: option mode: expected gray or rgb, got the string 'RGBA'",
      refusal(image.load, path, { mode = "RGBA" }))
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
