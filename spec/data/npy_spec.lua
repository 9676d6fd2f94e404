--- NPY and NPZ files, against NumPy's own both ways, and every way to be bad.

local child = require "spec.support.child"
local data = require "wrun.data"
local files = require "spec.support.files"
local fixtures = require("spec.fixtures.arrays")
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local folder, path = files.scratch(teardown)

local function assert_holds(expected, tensor)
  local dtype, shape, values = table.unpack(expected)
  assert.equal(dtype, tensor.dtype)
  assert.same(shape, tensor.shape)
  assert.is_true(tensor:is_contiguous())
  near.lists(values, near.flat(tensor))
end

-- What a file of these bytes is refused with by data.npy or data.npz, without its path.
local function refused(name, bytes)
  return files.refused(name, data[name], files.write(path, bytes))
end

-- Is there a Python with NumPy?
local function numpy(script, ...)
  local words = { "python3 -c " .. child.quote("import numpy as np, sys\n" .. script) }
  for _, word in ipairs { ... } do
    words[#words + 1] = child.quote(word)
  end
  return child.shell(table.concat(words, " "))
end

local has_numpy

local function it_with_numpy(title, case)
  it(title, function()
    if has_numpy == nil then
      has_numpy = numpy("").status == 0
    end
    if not has_numpy then
      pending("needs python3-numpy")
    end
    case()
  end)
end

describe("data.npy", function()
  for _, case in ipairs(fixtures.npy) do
    it("reads NumPy's " .. case.name, function()
      assert_holds(case.holds, data.npy(files.write(path, files.from_hex(case.file))))
      assert_holds(case.holds, data.npy(files.write(path, files.gzip(files.from_hex(case.file)))))
    end)
  end

  local function npy(header, payload, version)
    version = version or 1
    local length = string.pack(version == 1 and "<I2" or "<I4", #header)
    return "\x93NUMPY" .. string.char(version, 0) .. length .. header .. (payload or "")
  end

  local good = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n"
  local two = string.pack("<i8i8", 1, 2)

  it("takes the dictionary in any order and spelling that Python has for it", function()
    for _, header in ipairs {
      good, "{'shape': (2,), 'descr': '<i8', 'fortran_order': False}",
      '{"descr":"<i8","fortran_order":False,"shape":(2,)}   \n',
      "{ 'descr' : '<i8' , 'fortran_order' : False , 'shape' : ( 2 , ) , }",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2L,)}", -- by Python 2
      "{'descr': '=i8', 'fortran_order': False, 'shape': (2,)}",
      "{'descr': 'i8', 'fortran_order': True, 'shape': (2)}",
    } do
      assert.same({ 1, 2 }, data.npy(files.write(path, npy(header, two))):tolist())
    end
  end)

  it("turns every byte of a bool that is not 0 into true", function()
    local header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}"
    assert.same({ false, true, true },
      data.npy(files.write(path, npy(header, "\0\2\255"))):tolist())
  end)

  it("refuses what is no header", function()
    local function header(text)
      return refused("npy", npy(text, two))
    end
    local bad = "bad NPY header: "
    assert.equal(bad .. "expected a dictionary, found 'nonsense'", header("nonsense"))
    assert.equal(bad .. "expected a string, found ''", header("{"))
    assert.equal(bad .. "expected a string, found '1: 2}'", header("{1: 2}"))
    assert.equal(bad .. "expected descr, fortran_order and shape, each once, found ''other': 1}'",
      header("{ 'other': 1}"))
    assert.equal(bad .. "expected descr, fortran_order and shape, each once, found "
      .. "''descr': '<i8'}'", header("{'descr': '<i8', 'descr': '<i8'}"))
    assert.equal(bad .. "descr is missing", header("{}"))
    assert.equal(bad .. "shape is missing", header("{'descr': '<i8', 'fortran_order': False}"))
    assert.equal(bad .. "expected ':', found '}'", header("{'descr'}"))
    assert.equal(bad .. "expected a plain string, found ''<i8'", header("{'descr': '<i8"))
    assert.equal(bad .. "expected a plain string, found ''\\x3ci8'}'",
      header("{'descr': '\\x3ci8'}"))
    assert.equal(bad .. "expected True or False, found '0}'", header("{'fortran_order': 0}"))
    assert.equal(bad .. "expected a tuple of sizes, found '2}'", header("{'shape': 2}"))
    assert.equal(bad .. "expected a size, found '-2,)}'", header("{'shape': (-2,)}"))
    assert.equal(bad .. "expected ',' between sizes, found '3)}'", header("{'shape': (2 3)}"))
    assert.equal(bad .. "a size does not fit 64 bits", header("{'shape': (9223372036854775808,)}"))
    assert.equal(bad .. "expected ',' between entries, found ''shape'}'",
      header("{'descr': '<i8' 'shape'}"))
    assert.equal(bad .. "expected nothing after the dictionary, found 'x'", header(good .. "x"))
    assert.equal(bad .. "holds a zero byte", header(good .. "\0"))
    assert.equal("has more than 32 dimensions", header("{'shape': (" .. ("1,"):rep(33) .. ")}"))
    assert.equal("the sizes overflow",
      header("{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"))
  end)

  it("refuses elements that wrun has not, by what they are", function()
    local function of_type(descr)
      return refused("npy", npy("{'descr': " .. descr .. "}", two))
    end
    assert.equal("holds Python objects, which only Python can read ('|O')", of_type("'|O'"))
    assert.equal("holds complex numbers ('<c16')", of_type("'<c16'"))
    assert.equal("holds texts ('<U5')", of_type("'<U5'"))
    assert.equal("holds texts ('|S3')", of_type("'|S3'"))
    assert.equal("holds dates or times ('<M8[ns]')", of_type("'<M8[ns]'"))
    assert.equal("holds records ('|V8')", of_type("'|V8'"))
    assert.equal("holds records (a structured array)", of_type("[('a', '<f8')]"))
    local other = "holds elements of a type that wrun does not know "
    assert.equal(other .. "('<f16')", of_type("'<f16'"))
    assert.equal(other .. "('<i3')", of_type("'<i3'"))
    assert.equal(other .. "('')", of_type("''"))
    local wide = npy("{'descr': '<u8', 'fortran_order': False, 'shape': (2,)}",
      string.pack("<i8i8", 1, -1))
    assert.equal("holds a number above 2^63 - 1, which int64 cannot", refused("npy", wide))
  end)

  it("refuses other files, and files that were cut or went on", function()
    local whole = npy(good, two)
    assert.equal("not an NPY file (it must begin with \\x93NUMPY); it is a ZIP archive; data.npz "
      .. "reads NPZ", refused("npy", "PK\3\4...."))
    assert.equal("NPY version 4.0; known are 1.0, 2.0 and 3.0",
      refused("npy", "\x93NUMPY\4\0" .. whole))
    assert.equal("NPY version 1.1; known are 1.0, 2.0 and 3.0",
      refused("npy", "\x93NUMPY\1\1" .. whole))
    assert.equal("bad NPY header: announces 4294967295 bytes, known are at most 65536",
      refused("npy", "\x93NUMPY\2\0\255\255\255\255"))
    for size = 0, #whole - 1 do
      local expected = size == 0 and "truncated: ends after 0 bytes, within the header; it is empty"
        or size < #whole - 16
          and ("truncated: ends after %d bytes, within the header"):format(size)
        or ("truncated: expected %d bytes, found %d"):format(#whole, size)
      assert.equal(expected, refused("npy", whole:sub(1, size)))
    end
    assert.equal(("too long: expected %d bytes, found more"):format(#whole),
      refused("npy", whole .. "x"))
    assert.equal(("truncated: expected %d bytes, found %d"):format(#whole, #whole - 1),
      refused("npy", files.gzip(whole:sub(1, -2))))
    assert.equal("truncated: expected 8796093022288 bytes, found 96",
      refused("npy", npy(good:gsub("%(2,%)", "(1099511627776,)"), two)))
  end)

  it("blames the script for a missing file or a wrong argument", function()
    assert.equal("npy: /nowhere/x: No such file or directory", refusal(data.npy, "/nowhere/x"))
    assert.equal("npy: argument 1: expected a string, got 3", refusal(data.npy, 3))
  end)
end)

describe("data.save_npy", function()
  for _, case in ipairs(fixtures.npy) do
    if case.same then
      it("writes the bytes that NumPy writes for " .. case.name, function()
        local bytes = files.from_hex(case.file)
        data.save_npy(path, data.npy(files.write(path, bytes)))
        assert.equal(bytes, files.read(path))
      end)
    end
  end

  it("writes what a view shows", function()
    data.save_npy(path, wrun.arange(12):reshape(3, 4):t()[{ { 2, 3 } }])
    assert.same({ { 1, 5, 9 }, { 2, 6, 10 } }, data.npy(path):tolist())
  end)

  it_with_numpy("goes to NumPy and back, bit by bit", function()
    local tensors, paths = {}, {}
    for _, dtype in ipairs { "float32", "float64", "int64", "int32", "uint8", "bool" } do
      for _, shape in ipairs { {}, { 1 }, { 1000 }, { 3, 0 }, { 17, 31 }, { 2, 3, 5, 7 } } do
        local n = #tensors + 1
        tensors[n] = (wrun.randn(shape, { dtype = "float64" }) * 1e3):to(dtype)
        paths[n] = ("%s/%d.npy"):format(folder, n)
        data.save_npy(paths[n], tensors[n])
      end
    end
    local script = "for f in sys.argv[1:]:\n np.save(f + '.npy', np.load(f))"
    assert.same({ out = "", err = "", status = 0 }, numpy(script, table.unpack(paths)))
    for n, x in ipairs(tensors) do
      assert.equal(files.read(paths[n]), files.read(paths[n] .. ".npy"))
      assert.is_true(wrun.equal(x, data.npy(paths[n] .. ".npy")))
    end
  end)

  it("leaves the old file when the new one cannot be written", function()
    files.write(path, "old")
    local script = ([[
      local wrun = require "wrun"
      print(pcall(wrun.data.save_npy, "%s", wrun.zeros(1 << 20)))
    ]]):format(path)
    local lua = child.write(script)
    local result = child.shell("trap '' XFSZ; ulimit -f 100; " .. child.quote(child.wrun) .. " "
      .. child.quote(lua))
    os.remove(lua)
    assert.matches("^false\t.*save_npy: " .. path .. ": File too large\n$", result.out)
    assert.equal("old", files.read(path))
    assert.is_nil(files.shell(("ls '%s'"):format(folder)):find("new", 1, true))
  end)

  it("keeps the mode of the file it replaces", function()
    files.write(path, "old")
    files.shell(("chmod 640 '%s'"):format(path))
    data.save_npy(path, wrun.zeros(1))
    assert.equal("640", files.shell(("stat -c %%a '%s'"):format(path)))
  end)

  it("replaces nothing but files", function()
    local fifo = folder .. "/fifo"
    files.shell(("mkfifo '%s'"):format(fifo))
    assert.equal("save_npy: " .. fifo .. ": is not a regular file",
      refusal(data.save_npy, fifo, wrun.zeros(1)))
    assert.equal("save_npy: " .. folder .. ": Is a directory",
      refusal(data.save_npy, folder, wrun.zeros(1)))
    assert.equal("save_npy: /nowhere/x: No such file or directory",
      refusal(data.save_npy, "/nowhere/x", wrun.zeros(1)))
    assert.equal("save_npy: argument 1: expected a string, got nil", refusal(data.save_npy))
    assert.equal("save_npy: argument 2: expected a tensor, got 3", refusal(data.save_npy, path, 3))
  end)
end)

describe("data.npz", function()
  for _, case in ipairs(fixtures.npz) do
    it("reads NumPy's archive: " .. case.name, function()
      local arrays, count = data.npz(files.write(path, files.from_hex(case.file))), 0
      for _, expected in ipairs(case.holds) do
        assert_holds({ table.unpack(expected, 2) }, arrays[expected[1]])
      end
      for _ in pairs(arrays) do
        count = count + 1
      end
      assert.equal(#case.holds, count)
    end)
  end

  local function archive(options)
    data.save_npz(path, { a = wrun.arange(3), b = wrun.zeros(40) }, options)
    return files.read(path)
  end

  it("refuses an archive that was cut anywhere", function()
    for _, compress in ipairs { false, true } do
      local whole = archive({ compress = compress })
      for size = 0, #whole - 1 do
        assert.equal(size == 0 and "not a ZIP archive (it must begin with PK); it is empty"
          or size == 1 and "not a ZIP archive (it must begin with PK)"
          or "truncated: not a whole ZIP archive", refused("npz", whole:sub(1, size)))
      end
    end
  end)

  -- A flipped bit changes an array, is found, or stands where nothing looks: dates, versions,
  -- attributes and the like. It never changes an array unseen.
  it("lets no flipped bit change an array", function()
    for _, compress in ipairs { false, true } do
      local whole, harmless = archive({ compress = compress }), 0
      for index = 1, #whole do
        local flipped = string.char(whole:byte(index) ~ 1 << index % 8)
        files.write(path, whole:sub(1, index - 1) .. flipped .. whole:sub(index + 1))
        local ok, arrays = pcall(data.npz, path)
        if ok then
          harmless = harmless + 1
          local seen = {}
          for _, x in pairs(arrays) do -- a flip may rename a member
            seen[x:numel()] = x
          end
          assert.is_true(wrun.equal(wrun.arange(3), seen[3]))
          assert.is_true(wrun.equal(wrun.zeros(40), seen[40]))
        end
      end
      assert.is_true(harmless < 200)
    end
  end)

  local function patched(whole, pattern, offset, replacement)
    local at = whole:find(pattern, 1, true) + offset
    return whole:sub(1, at - 1) .. replacement .. whole:sub(at + #replacement)
  end

  it("leaves out what is no tensor, and says so when it is asked for", function()
    local function array(descr)
      local header = ("{'descr': %s, 'fortran_order': False, 'shape': (1,)}\n"):format(descr)
      return "\x93NUMPY\1\0" .. string.pack("<s2", header) .. "\1\0\0\0\0\0\0\0"
    end
    local members = { { "readme.txt", "hello" }, { "o.npy", array("'|O'") },
      { "x.npy", array("'<i8'") }, { "t.npy", array("'<U2'") },
      { "r.npy", array("[('a', '<i8')]") } }
    files.write(path, files.zip(members))
    local arrays = data.npz(path)
    assert.same({ 1 }, arrays.x:tolist())
    assert.equal("x", next(arrays))
    assert.is_nil(next(arrays, "x"))
    assert.is_nil(arrays.nothing)
    for name, reason in pairs {
      ["readme.txt"] = "'readme.txt': is no array (its name must end with .npy)",
      o = "'o.npy': holds Python objects, which only Python can read ('|O')",
      t = "'t.npy': holds texts ('<U2')",
      r = "'r.npy': holds records (a structured array)",
    } do
      assert.equal(("npz: %s: member %s"):format(path, reason), refusal(function()
        return arrays[name]
      end))
    end
    for _, member in ipairs(members) do
      local whole = files.zip(members)
      local at = select(2, whole:find(member[2], 1, true))
      files.write(path, whole:sub(1, at - 1) .. "\7" .. whole:sub(at + 1))
      assert.equal(("member '%s': is damaged: its check sum differs"):format(member[1]),
        files.refused("npz", data.npz, path))
    end
  end)

  it("says what is wrong with a member", function()
    local whole, entry = archive(), "PK\1\2"
    assert.equal("member 'a.npy': is encrypted",
      refused("npz", patched(whole, entry, 8, "\1\8")))
    assert.equal("member 'a.npy': is packed by method 12; known are 0 and 8",
      refused("npz", patched(whole, entry, 10, "\12")))
    assert.equal("member 'a.npy': is damaged: its check sum differs",
      refused("npz", patched(whole, entry, 16, "1234")))
    assert.equal("member 'a.txt': has another name where it lies",
      refused("npz", patched(whole, entry, 46, "a.txt")))
    assert.equal("member 'a.npy': stands there twice",
      refused("npz", (whole:gsub("b%.npy", "a.npy"))))
    data.save_npz(path, { a = wrun.zeros(40), b = wrun.zeros(1) })
    assert.equal("member 'b.npy': overlaps another", refused("npz",
      patched(files.read(path), "b.npy\1\0\24\0", 9, string.pack("<I8I8I8", 288, 288, 0))))
    assert.equal("member 'a.npy': not an NPY file (it must begin with \\x93NUMPY)",
      refused("npz", (whole:gsub("\x93NUMPY", "\x94NUMPY"))))
    assert.equal("bad ZIP archive: its directory is damaged",
      refused("npz", patched(whole, entry, 0, "PK\1\3")))
    assert.equal("bad ZIP archive: its directory does not stand before its end",
      refused("npz", patched(whole, "PK\6\6", 40, string.pack("<I8", 50))))
    assert.equal("bad ZIP archive: its 64-bit end record is not where it should be",
      refused("npz", patched(whole, "PK\6\7", 8, string.pack("<I8", -1))))
    assert.equal("bad ZIP archive: its 64-bit end record is damaged",
      refused("npz", patched(whole, "PK\6\6", 0, "PK\6\7")))
    assert.equal("bad ZIP archive: its directory is too short for its members",
      refused("npz", patched(whole, "PK\6\6", 32, string.pack("<I8", 1 << 40))))
    assert.equal("bad ZIP archive: more in its directory than members",
      refused("npz", patched(whole, "PK\6\6", 32, string.pack("<I8", 1))))
  end)

  it("does not believe a size that the packed bytes cannot hold", function()
    local whole = archive({ compress = true })
    local bomb = patched(whole, "a.npy\1\0\24\0", 9, string.pack("<I8", 1 << 40))
    assert.matches("^member 'a.npy': announces 1099511627776 bytes, which %d+ cannot hold$",
      refused("npz", bomb))
    local longer = patched(whole, "a.npy\1\0\24\0", 9, string.pack("<I8", 153))
    assert.equal("member 'a.npy': expected 153 bytes, found 152", refused("npz", longer))
  end)

  it("blames the script for a missing file or a wrong argument", function()
    assert.equal("npz: /nowhere/x: No such file or directory", refusal(data.npz, "/nowhere/x"))
    assert.equal("npz: argument 1: expected a string, got 3", refusal(data.npz, 3))
  end)
end)

describe("data.save_npz", function()
  it("writes the same bytes for the same tensors", function()
    local tensors = { x = wrun.zeros(2, 3), y = wrun.arange(100), z = wrun.tensor(true) }
    data.save_npz(path, tensors)
    local first = files.read(path)
    data.save_npz(path, tensors)
    assert.equal(first, files.read(path))
  end)

  it("writes an empty archive as NumPy does", function()
    data.save_npz(path, {})
    assert.equal(fixtures.npz[4].file, (files.read(path):gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end)))
  end)

  it("makes archives smaller on demand", function()
    data.save_npz(path, { x = wrun.zeros(100000) })
    local stored = #files.read(path)
    data.save_npz(path, { x = wrun.zeros(100000) }, { compress = true })
    assert.is_true(#files.read(path) * 100 < stored)
    assert.same({ 100000 }, data.npz(path).x.shape)
  end)

  it_with_numpy("goes to NumPy and back, bit by bit", function()
    local tensors = { ["größe/1.a"] = wrun.randn(30, 40), l = wrun.arange(-5, 5),
      s = wrun.tensor(2.5), e = wrun.zeros(0, 3), d = wrun.randn(20000, { dtype = "float64" }) }
    for compress, save in pairs { [false] = "savez", [true] = "savez_compressed" } do
      data.save_npz(path, tensors, { compress = compress })
      local script = "import zipfile\nassert zipfile.ZipFile(sys.argv[1]).testzip() is None\n"
        .. "np." .. save .. "(sys.argv[2], **np.load(sys.argv[1]))"
      local result = numpy(script, path, path .. ".npz")
      assert.same({ out = "", err = "", status = 0 }, result)
      local back = data.npz(path .. ".npz")
      for name, x in pairs(tensors) do
        assert.equal(x.dtype, back[name].dtype)
        assert.is_true(wrun.equal(x, back[name]))
      end
    end
  end)

  it("refuses what has no name or is no tensor", function()
    local two = "save_npz: argument 2: expected a table of name and tensor, got "
    assert.equal(two .. "1 = a float32 tensor [1]", refusal(data.save_npz, path, { wrun.zeros(1) }))
    assert.equal(two .. "the string 'x' = 3", refusal(data.save_npz, path, { x = 3 }))
    assert.equal(two .. "the string '' = a float32 tensor [1]",
      refusal(data.save_npz, path, { [""] = wrun.zeros(1) }))
    assert.equal("save_npz: argument 2: expected a table, got nil", refusal(data.save_npz, path))
    assert.equal("save_npz: option level: unknown; the options are compress",
      refusal(data.save_npz, path, {}, { level = 3 }))
    assert.equal("save_npz: /nowhere/x: No such file or directory",
      refusal(data.save_npz, "/nowhere/x", {}))
  end)
end)

describe("the readers of data files", function()
  it("leave no file open, whatever happens", function()
    local x, samples = wrun.zeros(1000), {}
    for _, write in ipairs {
      function() data.save_npy(path, x) end,
      function() data.save_npz(path, { x = x }, { compress = true }) end,
      function() wrun.save(path, { x = x }) end,
      function() data.save_csv(path, x) end,
    } do
      write()
      samples[#samples + 1] = files.read(path)
    end
    collectgarbage("stop")
    local before = files.open_count()
    for _, sample in ipairs(samples) do
      for _, bytes in ipairs { sample, sample:sub(1, -100), sample .. "x" } do
        files.write(path, bytes)
        for _, read in ipairs { data.npy, data.npz, data.csv, wrun.load } do
          pcall(read, path)
        end
        pcall(data.csv, path, { columns = { "x" } })
      end
    end
    local after = files.open_count()
    collectgarbage("restart")
    assert.equal(before, after)
  end)
end)
