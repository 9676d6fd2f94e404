--- The log of a run: what is written, that Python and data.csv read it back, and what is refused.

local child = require "spec.support.child"
local files = require "spec.support.files"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local open = wrun.logbook.open
local folder, csv, jsonl

before_each(function()
  folder = files.folder()
  csv, jsonl = folder .. "/log.csv", folder .. "/log.jsonl"
end)

after_each(function()
  files.remove(folder)
end)

-- Writes the rows and returns what the file holds then.
local function written(path, rows, options)
  local log <close> = open(path, options)
  for _, row in ipairs(rows) do
    log:write(row)
  end
  return files.read(path)
end

local AWKWARD = {
  "plain", "", " blanks ", 'a "quoted", word', "two\nlines\r\nthree", "tab\t", "ümlaut €",
  "back\\slash", "\1\127",
}
local NUMBERS = {
  0.1, 1 / 3, -0.0, 1e300, 5e-324, 2.0 ^ 53, 3.0, 123456789012345678, math.maxinteger,
}

-- What a script in Python prints, which finds the path in p.
local function python(script, path)
  if child.shell("python3 -c ''").status ~= 0 then
    pending("needs python3")
  end
  local text = "import csv, json, sys\np = sys.argv[1]\n" .. script
  local result = child.shell(("python3 -c %s %s"):format(child.quote(text), child.quote(path)))
  assert.equal("", result.err)
  return result.out
end

-- Did Python read the numbers and the texts above, each a line, the texts in hexadecimal?
local function same_rows(out)
  local count = 0
  for n, text in out:gmatch("(%S+) (%x*)\n") do
    count = count + 1
    local number = NUMBERS[count]
    assert.equal(number, tonumber(n))
    assert.equal(math.type(number), n:find("x") and "float" or "integer")
    assert.equal(AWKWARD[count], files.from_hex(text))
  end
  assert.equal(#AWKWARD, count)
  assert.truthy(out:find("-0x0.0p+0", 1, true)) -- the sign of zero
end

describe("logbook.open in CSV", function()
  it("writes a header of sorted names and a row a call, at once", function()
    local log <close> = open(csv)
    assert.equal("", files.read(csv))
    log:write { loss = 0.5, epoch = 1, note = "x" }
    assert.equal("epoch,loss,note\n1,0.5,x\n", files.read(csv))
    log:write { epoch = 2 }
    assert.equal("epoch,loss,note\n1,0.5,x\n2,,\n", files.read(csv))
  end)

  it("keeps the order of the fields that were given", function()
    assert.equal("b,a\n,1\n2,\n", written(csv, { { a = 1 }, { b = 2 } }, { fields = { "b", "a" } }))
  end)

  it("writes floats exactly, booleans as 1 and 0, and what is not finite by name", function()
    assert.equal("a,b,c,d,e,f\n0.1,1.0,1,0,nan,-inf\n", written(csv, {
      { a = 0.1, b = 1.0, c = true, d = false, e = 0 / 0, f = -math.huge },
    }))
    assert.equal("x\n0.30000000000000004\n-0.0\n1e+300\ninf\n", written(csv, {
      { x = 0.1 + 0.2 }, { x = -0.0 }, { x = 1e300 }, { x = math.huge },
    }))
  end)

  it("takes tensors of one element", function()
    assert.equal("n,x\n7,0.5\n", written(csv, {
      { x = wrun.tensor({ { 0.5 } }), n = wrun.tensor({ 7 }, { dtype = "int64" }):sum() },
    }))
  end)

  it("quotes what has to be quoted, and nothing else", function()
    assert.equal('"a,b",c\n"say ""hi""",two words\n"1\n2",""\n', written(csv, {
      { ["a,b"] = 'say "hi"', c = "two words" }, { ["a,b"] = "1\n2", c = "" },
    }))
  end)

  it("never writes a blank line", function()
    assert.equal('x\n""\n', written(csv, { { x = "" } }))
  end)

  it("is read back by data.csv", function()
    written(csv, { { x = 1 / 3, y = 1 }, { x = -1e-300, y = true }, { x = 0 / 0 } })
    local x, names = wrun.data.csv(csv, { header = true, dtype = "float64", missing = "nan" })
    assert.same({ "x", "y" }, names)
    assert.equal(1 / 3, x[1][1]:item())
    assert.equal(-1e-300, x[2][1]:item())
    assert.equal(1, x[2][2]:item())
    assert.is_true(x[3][1]:item() ~= x[3][1]:item() and x[3][2]:item() ~= x[3][2]:item())
  end)

  it("is read back by Python", function()
    local rows = {}
    for i, text in ipairs(AWKWARD) do
      rows[i] = { ["t,e"] = text, n = NUMBERS[i] }
    end
    written(csv, rows)
    same_rows(python([[
rows = list(csv.reader(open(p, newline='', encoding='utf-8'), strict=True))
assert rows[0] == ['n', 't,e'], rows[0]
for n, t in rows[1:]:
    print(float(n).hex() if '.' in n or 'e' in n else n, t.encode().hex())
]], csv))
  end)
end)

describe("logbook.open in JSON lines", function()
  it("writes an object a call, at once", function()
    local log <close> = open(jsonl)
    log:write { loss = 0.5, epoch = 1, note = "x" }
    assert.equal('{"epoch": 1, "loss": 0.5, "note": "x"}\n', files.read(jsonl))
    log:write { other = true }
    assert.equal('{"epoch": 1, "loss": 0.5, "note": "x"}\n{"other": true}\n', files.read(jsonl))
  end)

  it("keeps the order of the fields that were given, and leaves out what is missing", function()
    assert.equal('{"b": 2, "a": 1.0}\n{"a": false}\n', written(jsonl,
      { { a = 1.0, b = 2 }, { a = false } }, { fields = { "b", "a" } }))
  end)

  it("writes null for what is not finite", function()
    assert.equal('{"a": null, "b": null, "c": null}\n', written(jsonl, {
      { a = 0 / 0, b = math.huge, c = -math.huge },
    }))
  end)

  it("escapes what has to be escaped", function()
    assert.equal([[{"a\"": "\\\n\r\t\u0001\u007f"}]] .. "\n", written(jsonl, {
      { ['a"'] = "\\\n\r\t\1\127" },
    }))
  end)

  it("is read back by Python, to the last bit", function()
    local rows = {}
    for i, text in ipairs(AWKWARD) do
      rows[i] = { t = text, n = NUMBERS[i] }
    end
    written(jsonl, rows)
    same_rows(python([[
for line in open(p, newline='\n', encoding='utf-8'):
    row = json.loads(line)
    n = row['n']
    print(n.hex() if isinstance(n, float) else n, row['t'].encode().hex())
]], jsonl))
  end)
end)

describe("a log", function()
  it("has its format by its ending, or by the option", function()
    assert.equal('{"a": 1}\n', written(folder .. "/x.csv", { { a = 1 } }, { format = "jsonl" }))
    assert.equal("a\n1\n", written(folder .. "/x", { { a = 1 } }, { format = "csv" }))
    assert.equal("open: option format: expected csv or jsonl, as x.txt ends in neither, got nil",
      refusal(open, "x.txt"))
  end)

  it("begins anew, or goes on after the same header", function()
    written(csv, { { a = 1, ['b",c'] = 2 } })
    assert.equal('a,"b"",c"\n1,2\n,3\n', written(csv, { { ['b",c'] = 3 } }, { append = true }))
    assert.equal("a\n3\n", written(csv, { { a = 3 } }))
    local rows = { { ["b,\n"] = 1, ['"q"'] = 2, a = 3 } }
    local once = written(csv, rows)
    assert.equal('"""q""",a,"b,\n"\n2,3,1\n', once)
    assert.equal(once .. "2,3,1\n", written(csv, rows, { append = true }))
    assert.equal(once .. "2,3,1\n,4,\n", written(csv, { { a = 4 } },
      { append = true, fields = { '"q"', "a", "b,\n" } }))
    written(jsonl, { { a = 1 } })
    assert.equal('{"a": 1}\n{"b": 2}\n', written(jsonl, { { b = 2 } }, { append = true }))
  end)

  it("goes on with a file that is empty or not there as with a new one", function()
    assert.equal("a\n1\n", written(csv, { { a = 1 } }, { append = true }))
    files.write(csv, "")
    assert.equal("a\n1\n", written(csv, { { a = 1 } }, { append = true }))
  end)

  it("goes on below a header with a byte order mark", function()
    files.write(csv, "\xEF\xBB\xBFa,b\n1,2\n")
    assert.equal("\xEF\xBB\xBFa,b\n1,2\n3,4\n",
      written(csv, { { a = 3, b = 4 } }, { append = true, fields = { "a", "b" } }))
  end)

  it("refuses to go on with another file, which stays as it was", function()
    local text = written(csv, { { a = 1, b = 2 } })
    assert.equal("open: " .. csv .. ": expected the header b,a, found a,b",
      refusal(open, csv, { append = true, fields = { "b", "a" } }))
    do
      local log <close> = open(csv, { append = true })
      assert.equal("write: field c: unknown; the fields are a, b",
        refusal(log.write, log, { c = 1 }))
    end
    assert.equal(text, files.read(csv))
    for _, torn in ipairs { "a,b\n1", 'a,b\n1,"x\n' } do
      files.write(csv, torn)
      assert.equal("open: " .. csv .. ": its last row is not complete; remove it to go on",
        refusal(open, csv, { append = true }))
      assert.equal(torn, files.read(csv))
    end
    files.write(jsonl, "a,b\n1,2\n")
    assert.equal("open: " .. jsonl .. ": expected JSON objects, one a line",
      refusal(open, jsonl, { append = true }))
  end)

  it("refuses to go on with a file that it cannot read", function()
    files.write(csv, "a\n1\n")
    assert.equal("open: " .. csv .. "/x.csv: Not a directory",
      refusal(open, csv .. "/x.csv", { append = true }))
    assert.equal("open: " .. folder .. ": Is a directory",
      refusal(open, folder, { append = true, format = "csv" }))
    if child.shell("id -u").out ~= "0\n" then -- root reads all
      os.execute("chmod 200 " .. child.quote(csv))
      assert.equal("open: " .. csv .. ": Permission denied", refusal(open, csv, { append = true }))
    end
  end)

  it("refuses rows before it writes any of them", function()
    local log <close> = open(csv)
    local function refused(row)
      return refusal(log.write, log, row)
    end
    assert.equal("write: argument 1: expected a table, got 3", refused(3))
    assert.equal("write: argument 1: expected at least one field, got {}", refused {})
    assert.equal("write: argument 1: expected names of fields, got 1", refused { 5 })
    assert.equal("write: argument 1: expected names of fields, got the string ''",
      refused { [""] = 5 })
    assert.equal("write: argument 1: expected names of at most 4096 bytes, got one of 4097",
      refused { [("a"):rep(4097)] = 5 }) -- data.csv would not read it
    local expected = "write: field a: expected a number, a boolean, UTF-8 text or a tensor of one "
      .. "element, got "
    assert.equal(expected .. "a float32 tensor [2]", refused { a = wrun.zeros(2) })
    assert.equal(expected .. "a function", refused { a = print })
    assert.equal(expected, refused({ a = "\xff" }):sub(1, #expected))
    assert.equal("", files.read(csv))
    log:write { a = 1 }
    assert.equal("write: field b: unknown; the fields are a", refused { a = 2, b = 3 })
    assert.equal("a\n1\n", files.read(csv))
    local strict <close> = open(jsonl, { fields = { "a" } })
    assert.equal("write: field b: unknown; the fields are a",
      refusal(strict.write, strict, { b = 1 }))
  end)

  it("refuses wrong options, and paths that cannot be written", function()
    assert.equal("open: argument 1: expected a string, got nil", refusal(open))
    assert.equal("open: option format: expected csv or jsonl, got the string 'xml'",
      refusal(open, csv, { format = "xml" }))
    local expected = "open: option fields: expected a list of different names, got "
    for _, fields in ipairs { {}, { 1 }, { "a", "a" }, { "" }, { "\xff" } } do
      assert.equal(expected, refusal(open, csv, { fields = fields }):sub(1, #expected))
    end
    assert.is_nil(files.read(csv))
    assert.equal("open: /nowhere/x.csv: No such file or directory", refusal(open, "/nowhere/x.csv"))
    local full = open("/dev/full", { format = "csv" })
    assert.equal("write: /dev/full: No space left on device", refusal(full.write, full, { a = 1 }))
    full:close()
  end)

  it("may be closed twice, and takes nothing after that", function()
    local log = open(csv)
    log:write { a = 1 }
    log:close()
    log:close()
    assert.equal("write: the log " .. csv .. " is closed", refusal(log.write, log, { a = 2 }))
    local kept
    do
      local scoped <close> = open(csv)
      kept = scoped
    end
    assert.equal("write: the log " .. csv .. " is closed", refusal(kept.write, kept, { a = 2 }))
  end)

  it("keeps its rows when the run is killed", function()
    local script = ([[
      local log = require("wrun").logbook.open(%q)
      log:write { a = 1 }
      log:write { a = 2 }
      os.execute("kill -9 $PPID")
    ]]):format(csv)
    files.run("", script)
    assert.equal("a\n1\n2\n", files.read(csv))
  end)
end)
