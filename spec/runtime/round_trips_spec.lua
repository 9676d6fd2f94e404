--- What is written comes back, bit for bit, in every format of tensors, of checkpoints and of logs,
--- and other programs read the same; what another program writes is read as it is.
---
--- WRUN_ROUND_TRIPS=10000 makes as many of each, WRUN_SEED=2 others.

local child = require "spec.support.child"
local near = require "spec.support.near"
local wrun = require "wrun"

local data, image, optim = wrun.data, wrun.image, wrun.optim

local COUNT = tonumber(os.getenv("WRUN_ROUND_TRIPS")) or 60
local SEED = tonumber(os.getenv("WRUN_SEED")) or 1
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

local function with_folder(use)
  child.with_folder(use, true)
end

local function one_of_each(folder, ending, write)
  for i = 1, COUNT do
    local file = ("%s/%d.%s"):format(folder, i, ending)
    child.write(write(file, i), file .. ".bytes")
  end
end

-- Trees of anything that may be saved.
local function random_utf8()
  local parts = {}
  for i = 1, random(0, 12) do
    parts[i] = utf8.char(random(1, ({ 31, 127, 0x7FF, 0xD7FF, 0x10FFFF })[random(5)]))
  end
  local text = table.concat(parts)
  return utf8.len(text) and text or "$" .. #text
end

local scalars = {
  random_utf8,
  function() -- any bytes
    return string.pack("<I8", random(0)):sub(1, random(0, 8))
  end,
  function()
    return random(0) >> random(0, 63)
  end,
  function() -- any bits of a number, but for those of a NaN
    local number = string.unpack("<d", string.pack("<i8", random(0)))
    return number == number and number or 0 / 0
  end,
  function()
    return ({ 0.0, -0.0, 1 / 0, -1 / 0, 1.0, 2 ^ 53, 1e15, 0.1, 5e-324 })[random(9)]
  end,
  function()
    return random(2) == 1
  end,
  function()
    local sizes = { random(0, 3), random(0, 3) }
    return wrun.rand(sizes):mul(200):to(DTYPES[random(#DTYPES)])
  end,
}

local function random_tree(depth, made)
  local t, is_list = {}, random(3) == 1
  for i = 1, random(0, 5) do
    local key = is_list and i or random(4) == 1 and random(-9, 9) or "k" .. random_utf8()
    if random(4) > 1 then
      t[key] = scalars[random(#scalars)]()
    elseif depth > 0 and random(4) > 1 then
      t[key] = random_tree(depth - 1, made)
    else
      t[key] = made[random(#made + 1)] or {}
    end
  end
  made[#made + 1] = t
  return t
end

local function is_same(a, b, known)
  if type(a) ~= "table" or type(b) ~= "table" then
    return type(a) == "userdata" and type(b) == "userdata" and a.dtype == b.dtype
      and wrun.equal(a, b) or near.same_bits(a, b)
  elseif known[a] then
    return known[a] == b
  end
  known[a] = b
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  for key, value in pairs(a) do
    if not is_same(value, b[key], known) then
      return false
    end
  end
  return true
end

-- Optimisers after some steps ------------------------------------------------

-- What an optimiser may be given; each takes what it knows.
local SETTINGS = {
  { momentum = 0.9 }, { momentum = 0.9, nesterov = true }, { weight_decay = 0.1 },
  { amsgrad = true }, { maximize = true }, { centered = true }, { betas = { 0.8, 0.9 } },
  { decoupled_weight_decay = true }, { line_search_fn = "strong_wolfe" }, { history_size = 2 },
}

local OPTIMIZERS = {} -- name -> the settings that it knows
for name, class in pairs(optim) do
  local parameter = { wrun.ones(1, { requires_grad = true }) }
  for _, setting in ipairs(optim.Optimizer:is_class(class) and SETTINGS or {}) do
    if pcall(class, parameter, setting) then
      OPTIMIZERS[name] = OPTIMIZERS[name] or { {} }
      table.insert(OPTIMIZERS[name], setting)
    end
  end
end

local function any_parameters()
  local parameters = {}
  for i = 1, random(3) do
    local x = any_tensor(random(2) == 1 and "float32" or "float64", any_shape())
    parameters[i] = x:nan_to_num():clamp(-2, 2):requires_grad_()
  end
  return parameters
end

local function copies(parameters)
  local list = {}
  for i, x in ipairs(parameters) do
    list[i] = x:detach():clone():requires_grad_()
  end
  return list
end

--- Takes steps down a bowl, of which some parameters may know nothing.
local function descend(optimizer, parameters, steps, first)
  for _ = 1, steps do
    optimizer:step(function()
      optimizer:zero_grad()
      local loss = wrun.zeros(1, { dtype = "float64" })
      for i = first, #parameters do
        loss = loss + (parameters[i] - i):square():sum():double()
      end
      if loss.requires_grad then
        loss:backward()
      end
      return loss
    end)
  end
end

describe("round trips #many", function()
  before_each(function()
    math.randomseed(SEED)
    wrun.manual_seed(SEED)
  end)
  teardown(math.randomseed)

  it("of NPY files, which NumPy reads alike", function()
    with_folder(function(folder)
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
    with_folder(function(folder)
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
def without_signs(bytes):
    return bytes.replace(b"\xf8\xff", b"\xf8\x7f").replace(b"\xc0\xff", b"\xc0\x7f")
for name in glob.glob(sys.argv[1] + "/*.npz"):
    with numpy.load(name) as arrays:
        got = b"".join(without_signs(arrays[key].tobytes()) for key in sorted(arrays))
    assert got == open(name + ".bytes", "rb").read(), name
]], folder)
    end)
  end)

  it("of CSV files, which Python reads alike", function()
    with_folder(function(folder)
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
    with_folder(function(folder)
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

  it("of trees of tensors, or they are refused before anything is written", function()
    with_folder(function(folder)
      local path, refused = folder .. "/tree", 0
      for _ = 1, COUNT do
        local tree = random_tree(4, {})
        os.remove(path)
        local ok, message = pcall(wrun.save, path, tree)
        if ok then
          assert.is_true(is_same(tree, wrun.load(path), {}))
        else
          assert.matches("save: argument 2: two tensors would be named", message)
          assert.is_nil(io.open(path))
          refused = refused + 1
        end
      end
      assert.is_true(refused <= COUNT // 10 + 1)
    end)
  end)

  it("of optimisers, which go on as if they had not been saved", function()
    with_folder(function(folder)
      local path, names = folder .. "/optimizer", {}
      for name in pairs(OPTIMIZERS) do
        names[#names + 1] = name
      end
      table.sort(names)
      assert.is_true(#names >= 12, #names)
      for i = 1, COUNT do
        local name = names[i % #names + 1]
        local setting = OPTIMIZERS[name][random(#OPTIMIZERS[name])]
        local parameters, first = any_parameters(), random(2)
        local one = optim[name](parameters, setting)
        descend(one, parameters, random(0, 3), first)
        wrun.save(path, one:state_dict())
        local others = copies(parameters)
        local other = optim[name](others)
        other:load_state_dict((wrun.load(path)))
        assert.is_true(is_same(one:state_dict(), other:state_dict(), {}), name)
        descend(one, parameters, 2, first)
        descend(other, others, 2, first)
        for k, x in ipairs(parameters) do
          assert_same(x, others[k])
        end
      end
    end)
  end)

  -- Each kind of element, plain, compressed, in two members of gzip, and with zeros after it.
  local IDX = [==[
import gzip, random, struct, sys
folder, count, seed = sys.argv[1].split()
random.seed(seed)
KINDS = {8: "B", 9: "b", 11: "h", 12: "i", 13: "f", 14: "d"}
for number in range(int(count)):
    code = random.choice(list(KINDS))
    shape = [random.randint(0, 5) for _ in range(random.randint(1, 4))]
    numel = 1
    for size in shape:
        numel *= size
    body = random.randbytes(numel * struct.calcsize(KINDS[code]))
    raw = bytes([0, 0, code, len(shape)]) + struct.pack(">%dI" % len(shape), *shape) + body
    cut = random.randint(0, len(raw))
    form = number % 4
    if form:
        parts = [raw[:cut], raw[cut:]] if form == 2 else [raw]
        raw = b"".join(map(gzip.compress, parts)) + bytes(random.randint(1, 600) * (form == 3))
    name = "%s/%d" % (folder, number)
    open(name, "wb").write(raw)
    values = struct.unpack(">%d%s" % (numel, KINDS[code]), body)
    open(name + ".values", "wb").write(struct.pack("<%dd" % numel, *values))
    print(number, code, *shape)
]==]

  it("of IDX files that another program wrote", function()
    local dtypes = { ["8"] = "uint8", ["9"] = "int64", ["11"] = "int64", ["12"] = "int32",
      ["13"] = "float32", ["14"] = "float64" }
    with_folder(function(folder)
      local made = child.shell(("python3 -c %s '%s %d %d'"):format(child.quote(IDX), folder, COUNT,
        SEED))
      assert.equal("", made.err)
      for line in made.out:gmatch("[^\n]+") do
        local number, code, sizes = line:match("(%d+) (%d+) (.*)")
        local path = folder .. "/" .. number
        local x, values = data.idx(path), child.read(path .. ".values")
        assert.equal(dtypes[code], x.dtype)
        assert.equal(sizes, table.concat(x.shape, " "))
        for i, value in ipairs(near.flat(x)) do
          assert.is_true(near.same_bits((string.unpack("<d", values, 8 * i - 7)), value + 0.0))
        end
      end
    end)
  end)

  it("of grey pictures", function()
    with_folder(function(folder)
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
folder, count, seed = sys.argv[1].split()
random.seed(seed)
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
    with_folder(function(folder)
      local made = child.shell(("python3 -c %s '%s %d %d'"):format(child.quote(PICTURES), folder,
        math.max(COUNT, 150), SEED))
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
