--- What is written comes back, bit for bit, in every format of tensors and of logs, and other
--- programs read the same; pictures of every kind that another program writes are read as they are.
---
--- WRUN_ROUND_TRIPS=10000 makes as many of each. Trees of tensors are in save_spec.

local child = require "spec.support.child"
local near = require "spec.support.near"
local wrun = require "wrun"

local data, image = wrun.data, wrun.image

local COUNT = tonumber(os.getenv("WRUN_ROUND_TRIPS")) or 60
local DTYPES = { "bool", "uint8", "int32", "int64", "float32", "float64" }
local FORMATS = { bool = "<B", uint8 = "<B", int32 = "<i4", int64 = "<i8", float32 = "<f",
  float64 = "<d" }
local random = math.random

-- Any bits that are a number of the dtype; one NaN for all.
local function any_number(dtype)
  if dtype == "bool" then
    return random(2) == 1
  end
  local format = FORMATS[dtype]
  local x = string.unpack(format, string.pack("<i8", random(0)))
  if x ~= x then
    return 0 / 0
  end
  return random(8) == 1 and (math.type(x) == "float" and (random(9) - 5) / 4 or 0) or x
end

local function any_tensor(dtype, shape)
  local numel, list = 1, {}
  for _, size in ipairs(shape) do
    numel = numel * size
  end
  for i = 1, numel do
    list[i] = any_number(dtype)
  end
  return wrun.tensor(list, { dtype = dtype }):reshape(shape)
end

-- The elements, packed row by row.
local function bytes_of(x)
  local parts = {}
  for i, value in ipairs(near.flat(x)) do
    if type(value) == "boolean" then
      value = value and 1 or 0
    end
    parts[i] = string.pack(FORMATS[x.dtype], value)
  end
  return table.concat(parts)
end

local function assert_same(x, y)
  assert.equal(x.dtype, y.dtype)
  assert.same(x.shape, y.shape)
  local a, b = near.flat(x), near.flat(y)
  for i = 1, #a do
    assert.is_true(near.same_bits(a[i], b[i]))
  end
end

local function any_shape()
  local shape = {}
  for d = 1, random(0, 4) do
    shape[d] = random(0, 4)
  end
  return shape
end

local function any_text()
  local parts = {}
  for i = 1, random(1, 8) do
    parts[i] = random(3) == 1 and ({ '"', ",", ";", "\n", " ", "'", "é" })[random(7)]
      or string.char(random(97, 122))
  end
  return table.concat(parts) .. #parts
end

-- Runs Python over a folder; false where there is none that has NumPy.
local function python(script, folder)
  if child.shell("python3 -c 'import numpy'").status ~= 0 then
    pending("needs python3 with numpy")
    return false
  end
  local result = child.shell(("python3 -c %s %s"):format(child.quote(script), folder))
  assert.same({ "", 0 }, { result.err, result.status })
  return result.out
end

local function one_of_each(folder, ending, write)
  for i = 1, COUNT do
    local file = ("%s/%d.%s"):format(folder, i, ending)
    child.write(write(file, i), file .. ".bytes")
  end
end

describe("round trips #many", function()
  it("of NPY files, which NumPy reads alike", function()
    child.with_folder(function(folder)
      one_of_each(folder, "npy", function(file, i)
        local x = any_tensor(DTYPES[i % #DTYPES + 1], any_shape())
        data.save_npy(file, x)
        assert_same(x, data.npy(file))
        return bytes_of(x)
      end)
      python([[
import glob, numpy, sys
for name in glob.glob(sys.argv[1] + "/*.npy"):
    x, want = numpy.load(name), open(name + ".bytes", "rb").read()
    if x.dtype.kind == "f":
        want = numpy.frombuffer(want, x.dtype).reshape(x.shape)
        assert numpy.array_equal(x, want, equal_nan=True), name
        assert (numpy.signbit(x) == numpy.signbit(want)).all(), name
    else:
        assert x.tobytes() == want, name
]], folder)
    end)
  end)

  -- NaN has a sign, which no comparison sees
  local function without_signs(bytes)
    return (bytes:gsub("\xf8\xff", "\xf8\x7f"):gsub("\xc0\xff", "\xc0\x7f"))
  end

  it("of NPZ archives and tables of tensors, which NumPy reads alike", function()
    child.with_folder(function(folder)
      one_of_each(folder, "npz", function(file, i)
        local tensors, names = {}, {}
        for k = 1, random(0, 4) do
          names[k] = (k .. any_text():gsub("[^%w]", "_"))
          tensors[names[k]] = any_tensor(DTYPES[random(#DTYPES)], any_shape())
        end
        data.save_npz(file, tensors, { compress = i % 2 == 0 })
        wrun.save(file .. ".safetensors", tensors)
        for _, back in ipairs { data.npz(file), (wrun.load(file .. ".safetensors")) } do
          for name, x in pairs(tensors) do
            assert_same(x, back[name])
            back[name] = nil
          end
          assert.is_nil(next(back))
        end
        table.sort(names)
        for k, name in ipairs(names) do
          names[k] = without_signs(bytes_of(tensors[name]))
        end
        return table.concat(names)
      end)
      python([[
import glob, numpy, sys
for name in glob.glob(sys.argv[1] + "/*.npz"):
    with numpy.load(name) as arrays:
        got = b"".join(arrays[key].tobytes() for key in sorted(arrays))
    got = got.replace(b"\xf8\xff", b"\xf8\x7f").replace(b"\xc0\xff", b"\xc0\x7f")
    assert got == open(name + ".bytes", "rb").read(), name
]], folder)
    end)
  end)

  it("of CSV files, which Python reads alike", function()
    child.with_folder(function(folder)
      one_of_each(folder, "csv", function(file, i)
        local dtype, names = DTYPES[i % #DTYPES + 1], {}
        local x = any_tensor(dtype, { random(0, 5), random(5) })
        for k = 1, x:size(2) do
          names[k] = any_text()
        end
        local o = { separator = ({ ",", ";", "\t", "|" })[random(4)], header = names }
        data.save_csv(file, x, o)
        local back, header = data.csv(file,
          { separator = o.separator, header = true, dtype = dtype })
        assert_same(x, back)
        assert.same(names, header)
        child.write(o.separator .. dtype, file .. ".about")
        return bytes_of(x:double())
      end)
      python([[
import csv, glob, numpy, struct, sys
for name in glob.glob(sys.argv[1] + "/*.csv"):
    about = open(name + ".about").read()
    with open(name, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=about[0]))[1:]
    want = open(name + ".bytes", "rb").read()
    want = struct.unpack("<%dd" % (len(want) // 8), want)
    got = [float(field) for row in rows for field in row]
    if about[1:] == "float32":
        got = [float(numpy.float32(x)) for x in got]
    assert list(map(repr, got)) == list(map(repr, want)), name
]], folder)
    end)
  end)

  it("of logs, CSV and JSON lines, which Python reads alike", function()
    child.with_folder(function(folder)
      for _, ending in ipairs { "csv", "jsonl" } do
        local book <close> = wrun.logbook.open(folder .. "/log." .. ending)
        local expected = {}
        for i = 1, COUNT do
          local number = any_number("float64")
          local finite = number - number == 0 and number or 0.5
          local row = { a = finite, b = any_number("int64"), c = any_text() }
          book:write(row)
          expected[i] = string.pack("<di8s4", row.a, row.b, row.c)
        end
        child.write(table.concat(expected), folder .. "/log." .. ending .. ".bytes")
      end
      python([[
import csv, json, struct, sys
def check(name, rows):
    got = b""
    for row in rows:
        text = row["c"].encode()
        got += struct.pack("<dqI", float(row["a"]), int(row["b"]), len(text)) + text
    assert got == open(name + ".bytes", "rb").read(), name
base = sys.argv[1] + "/log."
with open(base + "csv", newline="", encoding="utf-8") as file:
    check(base + "csv", csv.DictReader(file))
with open(base + "jsonl", encoding="utf-8") as file:
    check(base + "jsonl", map(json.loads, file))
]], folder)
    end)
  end)

  it("of grey pictures", function()
    child.with_folder(function(folder)
      for _ = 1, COUNT do
        local x = wrun.randint(0, 256, { random(40), random(40) }):byte()
        image.save(folder .. "/x.png", x)
        assert_same(x, image.load(folder .. "/x.png"))
      end
    end)
  end)

  -- Writes pictures with the PNG specification in hand: kinds, depths, interlaced or not, each line
  -- filtered by another method. Greys stand in all channels; what is transparent is black.
  local PICTURES = [==[
import random, struct, sys, zlib
folder, count = sys.argv[1].split()
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def packed(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, "0%db" % depth) for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
def filtered(line, before, step):
    method = random.randrange(5)
    out = bytearray([method])
    for x, value in enumerate(line):
        a = line[x - step] if x >= step else 0
        b = before[x] if before else 0
        c = before[x - step] if before and x >= step else 0
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((value - (0, a, b, (a + b) // 2, paeth)[method]) % 256)
    return bytes(out)
KINDS = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [
    (c, d) for c in (2, 4, 6) for d in (8, 16)]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]
for number in range(int(count)):
    (colour, depth), interlaced = KINDS[number % len(KINDS)], random.randrange(2)
    width, height, most = random.randint(1, 20), random.randint(1, 20), 2 ** depth - 1
    palette = [(random.randrange(256), random.choice((0, 255, 255)))
               for _ in range(min(2 ** depth, 256))]
    pixels, greys = [], []
    for _ in range(width * height):
        value, alpha = random.randint(0, most), random.choice((0, most, most))
        if colour == 3:
            pixels.append([value])
            greys.append(palette[value][0] if palette[value][1] else 0)
            continue
        pixels.append([value] * (3 if colour & 2 else 1) + [alpha] * (colour // 4))
        shown = value if colour in (0, 2) or alpha else 0
        greys.append((shown * 510 + most) // (2 * most))
    step = max(1, len(pixels[0]) * depth // 8)
    raw = b""
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        before = None
        for y in range(y0, height, dy):
            line = [s for x in range(x0, width, dx) for s in pixels[y * width + x]]
            if line:
                line = packed(line, depth)
                raw += filtered(line, before, step)
                before = line
    body = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    if colour == 3:
        body += chunk(b"PLTE", bytes(v for g, _ in palette for v in (g, g, g)))
        body += chunk(b"tRNS", bytes(a for _, a in palette))
    packed_raw = zlib.compress(raw)
    cut = random.randint(0, len(packed_raw))
    body += chunk(b"IDAT", packed_raw[:cut]) + chunk(b"IDAT", packed_raw[cut:])
    body += chunk(b"IEND", b"")
    with open("%s/%d.png" % (folder, number), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + body)
    print(number, colour, depth, interlaced, width, height, *greys)
]==]

  it("of pictures of every kind that another program wrote", function()
    child.with_folder(function(folder)
      local made = child.shell(("python3 -c %s '%s %d'"):format(child.quote(PICTURES), folder,
        math.max(COUNT, 150)))
      assert.equal("", made.err)
      for line in made.out:gmatch("[^\n]+") do
        local number, kind, width, height, greys = line:match("(%d+) (%d+ %d+ %d) (%d+) (%d+) (.*)")
        local x = image.load(("%s/%s.png"):format(folder, number))
        assert.same({ tonumber(height), tonumber(width) }, x.shape)
        assert.equal(greys, table.concat(near.flat(x), " "), "colour, depth, interlaced: " .. kind)
      end
    end)
  end)
end)
