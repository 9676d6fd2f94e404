--- Text files of numbers: what is read, what is refused and where, and that floats come back.

local child = require "spec.support.child"
local data = require "wrun.data"
local files = require "spec.support.files"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local folder, path = files.scratch(teardown)

local function read(text, options)
  return data.csv(files.write(path, text), options)
end

local function rows(text, options)
  return (read(text, options)):tolist()
end

-- What a text is refused with, without its path.
local function refused(text, options)
  return files.refused("csv", data.csv, files.write(path, text), options)
end

describe("data.csv", function()
  it("reads rows of numbers, with or without a newline at the end", function()
    assert.same({ { 1, 2.5 }, { -3e2, 0.5 } }, rows("1,2.5\n-3e2,.5\n"))
    assert.same({ { 1, 2.5 }, { -3e2, 0.5 } }, rows("1,2.5\n-3e2,.5"))
    assert.same({ { 1 }, { 2 } }, rows("1\n2"))
    assert.same({ { 7 } }, rows("7"))
    assert.same({ 2, 2 }, (read("1,2\n3,4")).shape)
    assert.equal("float32", (read("1")).dtype)
  end)

  it("passes over blanks, blank lines, carriage returns and a byte order mark", function()
    assert.same({ { 1, 2 }, { 3, 4 } }, rows("\xEF\xBB\xBF 1 ,\t2 \r\n\r\n \n\n3,4\r\n\n"))
  end)

  it("reads an empty text as no rows", function()
    assert.same({ 0, 0 }, (read("")).shape)
    assert.same({ 0, 0 }, (read("\n \n")).shape)
    local x, names = read("a,b", { header = true })
    assert.same({ 0, 2 }, x.shape)
    assert.same({ "a", "b" }, names)
    assert.same({ 0, 1 }, (read("a,b\n", { header = true, columns = { "b" } })).shape)
  end)

  it("takes other separators, and runs of blanks", function()
    assert.same({ { 1, 2 }, { 3, 4 } }, rows("1;2\n3 ; 4", { separator = ";" }))
    assert.same({ { 1, 2 }, { 3, 4 } }, rows("1\t2\n 3\t4 ", { separator = "\t" }))
    assert.same({ { 1, 2 }, { 3, 4 } }, rows("  1  2\n3 \t 4  \n \n", { separator = " " }))
    assert.same({ { 1, 2 } }, rows('"1" "2"', { separator = " " }))
  end)

  it("takes fields in quotation marks, and whatever stands in them", function()
    assert.same({ { 1, 2 } }, rows('"1" , "2"\n'))
    local x, names = read('"a ""b"", c","d\ne"\n1,2', { header = true })
    assert.same({ 'a "b", c', "d\ne" }, names)
    assert.same({ { 1, 2 } }, x:tolist())
  end)

  it("passes over lines, then reads the header", function()
    local x, names = read("made by hand\n\"\n x , y \n1,2", { skip = 2, header = true })
    assert.same({ "x", "y" }, names)
    assert.same({ { 1, 2 } }, x:tolist())
    assert.same({ { 3 } }, rows("1\n2\n3", { skip = 2 }))
    assert.same({}, rows("1", { skip = 2 }))
  end)

  it("reads the columns that are asked for, by place or name, and not the others' text", function()
    local text = "id,x,y,class\na,1,2,good\nb,3,4,\"b,a,d\"\nc,5,6," .. ("long"):rep(2000) .. "\n"
    local function of(columns)
      local x, names = read(text, { header = true, columns = columns })
      return x:tolist(), names
    end
    assert.same({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, (of { 2, 3 }))
    assert.same({ { 2, 1 }, { 4, 3 }, { 6, 5 } }, (of { "y", 2 }))
    assert.same({ { 2, 2, 1 }, { 4, 4, 3 }, { 6, 6, 5 } }, (of { "y", 3, "x" }))
    assert.same({ "y", "x" }, (select(2, of { "y", 2 })))
    assert.same({ { 2 }, { 5 } }, rows("1,2,3\n4,5,6", { columns = { 2 } }))
    assert.is_nil((select(2, read("1,2,3", { columns = { 2 } }))))
  end)

  it("reads a missing number as NaN where it may", function()
    local values = near.flat(read('1,,3\n,"",6\n', { missing = "nan" }))
    near.lists({ 1.0, 0 / 0, 3.0, 0 / 0, 0 / 0, 6.0 }, values)
    assert.equal("line 1, column 2: expected a number, got ''", refused("1,,3"))
    assert.equal("line 2, column 1: expected a number, got ''", refused("1,2\n,3"))
    assert.equal("line 1, column 2: expected a number, got ''", refused("1,\n"))
  end)

  it("reads every dtype in its range", function()
    assert.same({ { math.mininteger, math.maxinteger } },
      rows("-9223372036854775808,9223372036854775807", { dtype = "int64" }))
    assert.same({ { -2147483648, 2147483647 } },
      rows("-2147483648,2147483647", { dtype = "int32" }))
    assert.same({ { 0, 255 } }, rows("0,+255", { dtype = "uint8" }))
    assert.same({ { true, false } }, rows("1,0", { dtype = "bool" }))
    assert.same({ { 0.1 } }, rows("0.1", { dtype = "float64" }))
    local at = "line 1, column 1: expected "
    assert.equal(at .. "a 64-bit integer, got '9223372036854775808'",
      refused("9223372036854775808", { dtype = "int64" }))
    assert.equal(at .. "a 64-bit integer, got '1.5'", refused("1.5", { dtype = "int64" }))
    assert.equal(at .. "a 32-bit integer, got '2147483648'",
      refused("2147483648", { dtype = "int32" }))
    assert.equal(at .. "an integer from 0 to 255, got '256'", refused("256", { dtype = "uint8" }))
    assert.equal(at .. "0 or 1, got '2'", refused("2", { dtype = "bool" }))
    assert.equal(at .. "0 or 1, got ''", refused(",", { dtype = "bool", missing = "nan" }))
  end)

  it("rounds once: a float32 is the nearest to the text", function()
    -- just above the middle of 1 and its next float32: through float64 it would become 1
    assert.equal(1 + 2.0 ^ -23, rows("1.00000005960464477540")[1][1])
    assert.same({ { 1 / 0, -1 / 0, 1 / 0 } }, rows("inf,-Infinity,1e999"))
    near.lists({ 0 / 0, -0.0 }, near.flat(read("NaN,-0")))
  end)

  it("says where a number is none", function()
    for _, text in ipairs { "x", "1x", "1 2", "0x10", "nan(1)", "--1", "1e", "1,5\\" } do
      assert.equal(("line 3, column 2: expected a number, got '%s'"):format(text),
        refused("1;2\n\n3;" .. text, { separator = ";" }))
    end
    assert.equal("line 1, column 1: expected a number, got '1'", refused("1\0002"))
    assert.equal("line 4, column 2: expected a number, got 'x'",
      refused('"a\n\n",2\nb,x', { columns = { 2 } }))
    assert.equal("line 1, column 1: expected a number, got '" .. ("1"):rep(40) .. "'",
      refused(("1"):rep(5000)))
  end)

  it("says where rows or quotation marks do not fit", function()
    assert.equal("line 3: expected 2 fields, as above, got 1", refused("1,2\n\n3\n"))
    assert.equal("line 2: expected 2 fields, as above, got 3", refused("1,2\n3,4,5"))
    assert.equal("line 2: expected 1 fields, as above, got 2",
      refused("a\n1,2", { header = true }))
    assert.equal("line 2, column 2: the quotation that begins here does not end",
      refused('1,2\n3,"4\n5,6\n'))
    assert.equal("line 1, column 1: text after a quotation mark", refused('"1"2,3'))
    assert.equal("line 1: has 2 fields, so there is no column 3",
      refused("1,2\n", { columns = { 3, 1 } }))
    assert.equal("a name in the header is too long", refused(("n"):rep(5000), { header = true }))
  end)

  it("reads from a pipe and from a compressed file", function()
    local text = ("1,2\n"):rep(30000)
    assert.same({ 30000, 2 }, (read(files.gzip(text))).shape)
    assert.equal("the gzip data ends early", refused(files.gzip(text):sub(1, -9)))
    local fifo = folder .. "/fifo"
    files.write(path, text)
    files.shell(("mkfifo '%s'; (cat '%s' > '%s') > /dev/null 2>&1 &"):format(fifo, path, fifo))
    assert.equal(90000, (data.csv(fifo)):sum():item())
  end)

  it("keeps the order over many blocks", function()
    local n = 50000
    local x = wrun.arange(2 * n):reshape(n, 2)
    data.save_csv(path, x)
    assert.is_true(wrun.equal(x, (data.csv(path, { dtype = "int64" }))))
    assert.is_true(wrun.equal(x[{ {}, { 2, 2 } }], (data.csv(path, { columns = { 2 } }))))
  end)

  it("shows control bytes of a file in its messages, and obeys none", function()
    files.write(path, "1\n\27[31mred\7\127\xC2\x9B é\n")
    assert.equal("csv: " .. path .. ": line 2, column 1: expected a number, got "
      .. "'\\x1b[31mred\\x07\\x7f\\xc2\\x9b é'", refusal(data.csv, path))
  end)

  it("cuts no text at a zero byte", function()
    assert.equal("csv: argument 1: expected a path without zero bytes, got the string "
      .. "'/etc/passwd\\x00x'", refusal(data.csv, "/etc/passwd\0x"))
    assert.equal("save_csv: option header: expected names without zero bytes, got the string "
      .. "'a\\x00b'", refusal(data.save_csv, path, wrun.zeros(1, 1), { header = { "a\0b" } }))
    assert.equal("zeros: option dtype: expected bool, uint8, int32, int64, float32 or float64, got "
      .. "the string 'float64\\x00x'", refusal(wrun.zeros, 1, { dtype = "float64\0x" }))
    assert.matches("^zeros: option dtype\\x00: unknown; ",
      refusal(wrun.zeros, 1, { ["dtype\0"] = "bool" }))
  end)

  it("writes no name that it would not read", function()
    local longest = ("n"):rep(4096)
    data.save_csv(path, wrun.zeros(1, 1), { header = { longest } })
    assert.equal(longest, select(2, data.csv(path, { header = true }))[1])
    assert.equal("save_csv: " .. path .. ": a name in the header is too long",
      refusal(data.save_csv, path, wrun.zeros(1, 1), { header = { longest .. "n" } }))
  end)

  it("refuses options that make no sense", function()
    local separator = "csv: option separator: expected one character, no quotation mark, no "
      .. "newline and none of numbers, got "
    assert.equal(separator .. "the string ''", refusal(data.csv, path, { separator = "" }))
    assert.equal(separator .. "the string ', '", refusal(data.csv, path, { separator = ", " }))
    assert.equal(separator .. "the string '\"'", refusal(data.csv, path, { separator = '"' }))
    for character in ("0123456789.+-eEinfa"):gmatch(".") do -- all that numbers are written with
      local got = "the string '" .. character .. "'"
      assert.equal(separator .. got, refusal(data.csv, path, { separator = character }))
      assert.equal("save_" .. separator .. got,
        refusal(data.save_csv, path, wrun.zeros(1, 2), { separator = character }))
    end
    local columns = "csv: option columns: expected indices from 1"
    files.write(path, "a,b\n1,2")
    assert.equal(columns .. ", got 0", refusal(data.csv, path, { columns = { 0 } }))
    assert.equal(columns .. ", got the string 'a'", refusal(data.csv, path, { columns = { "a" } }))
    assert.equal(columns .. " or names of the header, got the string 'c'",
      refusal(data.csv, path, { columns = { "c" }, header = true }))
    assert.equal("csv: option missing: expected error or nan, got the string 'zero'",
      refusal(data.csv, path, { missing = "zero" }))
    assert.equal("csv: /nowhere/x: No such file or directory", refusal(data.csv, "/nowhere/x"))
    assert.equal("csv: argument 1: expected a string, got nil", refusal(data.csv))
  end)
end)

describe("data.save_csv", function()
  it("writes the fewest digits that bring a number back", function()
    local x = wrun.tensor({ { 0.1, 1 / 3 }, { 1e-45, 16777216 }, { -0.0, 1e30 } })
    data.save_csv(path, x)
    assert.equal("0.1,0.33333334\n1.4013e-45,16777216\n-0,1e+30\n", files.read(path))
    data.save_csv(path, wrun.tensor({ 0.1, 1 / 3, 1 / 0, -1 / 0, 0 / 0 }, { dtype = "float64" }))
    assert.equal("0.1\n0.3333333333333333\ninf\n-inf\nnan\n", files.read(path))
  end)

  it("brings every float back, bit by bit", function()
    wrun.manual_seed(5)
    local bits = wrun.empty(4000, { dtype = "int64" }):random_():tolist()
    for dtype, format in pairs { float32 = "f", float64 = "d" } do
      local values = {}
      for i, bit in ipairs(bits) do
        values[i] = string.unpack(format, string.pack("<i8", bit))
      end
      local x = wrun.tensor(values, { dtype = dtype }):reshape(1000, 4)
      data.save_csv(path, x)
      near.lists(near.flat(x), near.flat(data.csv(path, { dtype = dtype })))
    end
  end)

  it("writes names, in quotation marks where they need them", function()
    local names = { "a", "b c", 'say "x"', "d,e", "", "f\ng" }
    data.save_csv(path, wrun.zeros(1, 6), { header = names })
    assert.equal('a,"b c","say ""x""","d,e","","f\ng"\n0,0,0,0,0,0\n', files.read(path))
    assert.same(names, (select(2, data.csv(path, { header = true }))))
    data.save_csv(path, wrun.zeros(0, 2), { header = { "d,e", "f" }, separator = ";" })
    assert.equal("d,e;f\n", files.read(path))
  end)

  it("writes what Python reads", function()
    if child.shell("python3 -c ''").status ~= 0 then
      pending("needs python3")
    end
    local x = wrun.randn(50, 3, { dtype = "float64" })
    data.save_csv(path, x, { header = { 'a"b', "c,d", "e" } })
    local script = "import csv, sys\nrows = list(csv.reader(open(sys.argv[1])))\n"
      .. "assert rows[0] == ['a\"b', 'c,d', 'e']\n"
      .. "print(*(float(v).hex() for row in rows[1:] for v in row))"
    local result = child.shell(("python3 -c %s %s"):format(child.quote(script), child.quote(path)))
    assert.equal("", result.err)
    local values = {}
    for text in result.out:gmatch("%S+") do
      values[#values + 1] = tonumber(text)
    end
    near.lists(near.flat(x), values)
  end)

  it("writes integers, booleans, vectors and views", function()
    data.save_csv(path, wrun.tensor({ true, false }))
    assert.equal("1\n0\n", files.read(path))
    data.save_csv(path, wrun.tensor({ { math.mininteger, 1 }, { 2, 3 } }):t(), { separator = " " })
    assert.equal("-9223372036854775808 2\n1 3\n", files.read(path))
    data.save_csv(path, wrun.zeros(0, 3))
    assert.equal("", files.read(path))
  end)

  it("refuses what is no matrix, and headers that do not fit", function()
    local two = "save_csv: argument 2: expected "
    assert.equal(two .. "a matrix or a vector, got a float32 tensor [1, 1, 1]",
      refusal(data.save_csv, path, wrun.zeros(1, 1, 1)))
    assert.equal(two .. "a matrix or a vector, got 3", refusal(data.save_csv, path, 3))
    assert.equal(two .. "at least one column, got a float32 tensor [3, 0]",
      refusal(data.save_csv, path, wrun.zeros(3, 0)))
    assert.equal("save_csv: option header: expected 2 names, got 1",
      refusal(data.save_csv, path, wrun.zeros(1, 2), { header = { "a" } }))
    assert.equal("save_csv: option header: expected 2 names, got 5",
      refusal(data.save_csv, path, wrun.zeros(1, 2), { header = { "a", 5 } }))
    assert.equal("save_csv: /nowhere/x: No such file or directory",
      refusal(data.save_csv, "/nowhere/x", wrun.zeros(1)))
  end)
end)
