--- wrun.save and wrun.load: trees of tensors, and safetensors files good and bad.

local child = require "spec.support.child"
local files = require "spec.support.files"
local fixtures = require("spec.fixtures.arrays").safetensors
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim

local folder, path = files.scratch(teardown)

local function metadata_of(case)
  local metadata = {}
  for _, pair in ipairs(case.metadata) do
    metadata[pair[1]] = pair[2]
  end
  return metadata
end

local function round_trip(tree, metadata)
  wrun.save(path, tree, metadata)
  return wrun.load(path)
end

describe("wrun.load", function()
  for _, case in ipairs(fixtures) do
    it("reads a file of the reference implementation: " .. case.name, function()
      local tensors, metadata = wrun.load(files.write(path, files.from_hex(case.file)))
      assert.same(metadata_of(case), metadata)
      local count = 0
      for _, expected in ipairs(case.holds) do
        local name, dtype, shape, values = table.unpack(expected)
        assert.equal(dtype, tensors[name].dtype)
        assert.same(shape, tensors[name].shape)
        near.lists(values, near.flat(tensors[name]))
      end
      for _ in pairs(tensors) do
        count = count + 1
      end
      assert.equal(#case.holds, count)
    end)

    if case.same then
      it("is followed by wrun.save with the same bytes: " .. case.name, function()
        wrun.save(path, wrun.load(files.write(path, files.from_hex(case.file))), metadata_of(case))
        assert.equal(files.from_hex(case.file), files.read(path))
      end)
    end
  end

  local function file(header, payload)
    return string.pack("<I8", #header) .. header .. (payload or "")
  end

  -- What a file is refused with, without its path.
  local function refused(bytes)
    return files.refused("load", wrun.load, files.write(path, bytes))
  end

  local good = '{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'

  it("takes blanks after the header, tensors in any order of bytes, and gzip", function()
    local two = '{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},'
      .. '"a":{"data_offsets":[0,1],"shape":[],"dtype":"U8","more":1}}'
    for _, bytes in ipairs { file(two .. "  \n", "abc"), files.gzip(file(two, "abc")) } do
      local tensors = wrun.load(files.write(path, bytes))
      assert.equal(97, tensors.a:item())
      assert.same({ 98, 99 }, tensors.b:tolist())
    end
  end)

  it("refuses a file that was cut anywhere, or goes on", function()
    local whole = file(good, "ab")
    for size = 0, #whole - 1 do
      local expected = size == 0 and "truncated within the header; it is empty"
        or size < 8 and "truncated within the header"
        or size < 8 + #good and ("not a whole safetensors file: announces a header of %d bytes, "
          .. "holds %d"):format(#good, size - 8)
        or ("truncated: expected 2 bytes of elements, found %d"):format(size - 8 - #good)
      assert.equal(expected, refused(whole:sub(1, size)))
    end
    assert.equal("holds bytes after its last tensor", refused(whole .. "x"))
    assert.equal("tensor 'x': truncated: expected 2 bytes, found 1",
      refused(files.gzip(whole:sub(1, -2))))
  end)

  it("refuses a header of a length that makes no sense", function()
    assert.equal("not a whole safetensors file: announces a header of 18446744073709551615 bytes, "
      .. "holds 2", refused(("\255"):rep(8) .. "{}"))
    assert.equal("its header has 0 bytes; from 2 to 100000000 are read", refused(file("")))
    assert.equal("its header has 1100003 values; up to 1048576 are read",
      refused(file('{"":[' .. ("1,"):rep(1100000) .. "1]}")))
  end)

  it("refuses what is no header", function()
    local bad = "bad safetensors header: "
    assert.equal("not a safetensors file (its header must begin with {)", refused(file(" {}")))
    assert.equal(bad .. "string or '}' expected near end of file at byte 2", refused(file("{ ")))
    assert.equal(bad .. "end of file expected near 'x' at byte 3", refused(file("{}x")))
    assert.equal(bad .. "duplicate object key near '\"x\"' at byte 10",
      refused(file('{"x":1,"x":2}')))
    assert.matches("^" .. bad .. "unable to decode byte 0xff", refused(file('{"\255":1}')))
    assert.equal(bad .. "NUL byte in object key not supported near '\"\\u0000\"' at byte 9",
      refused(file('{"\\u0000":1}')))
    assert.matches("^" .. bad .. "maximum parsing depth reached",
      refused(file('{"x":' .. ("["):rep(100000) .. "}")))
    assert.equal(bad .. "__metadata__ must be an object", refused(file('{"__metadata__":1}')))
    assert.equal(bad .. "__metadata__ 'a' must be a string",
      refused(file('{"__metadata__":{"a":1}}')))
  end)

  it("refuses a tensor that does not fit its bytes", function()
    local function of(info)
      return refused(file('{"x":' .. info .. "}", "abcd"))
    end
    local fields = "tensor 'x': expected a dtype, a shape and two data_offsets"
    assert.equal(fields, of("1"))
    assert.equal(fields, of('{"dtype":1,"shape":[],"data_offsets":[0,1]}'))
    assert.equal(fields, of('{"dtype":"U8","shape":4,"data_offsets":[0,4]}'))
    assert.equal(fields, of('{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}'))
    assert.equal("tensor 'x': its type 'F8_E4M3' is not known",
      of('{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}'))
    assert.equal("tensor 'x': has more than 32 dimensions",
      of('{"dtype":"U8","shape":[' .. ("1,"):rep(32) .. '4],"data_offsets":[0,4]}'))
    local sizes = "tensor 'x': its sizes must be integers >= 0"
    assert.equal(sizes, of('{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}'))
    assert.equal(sizes, of('{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}'))
    assert.equal("tensor 'x': the sizes overflow",
      of('{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}'))
    local range = "tensor 'x': its data_offsets are no range of bytes"
    assert.equal(range, of('{"dtype":"U8","shape":[4],"data_offsets":[4,0]}'))
    assert.equal(range, of('{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}'))
    assert.equal(range, of('{"dtype":"U8","shape":[4],"data_offsets":["0","4"]}'))
    assert.equal("tensor 'x': has 4 bytes, but its shape and type need 8",
      of('{"dtype":"F32","shape":[2],"data_offsets":[0,4]}'))
    assert.equal("tensor 'x': holds a number above 2^63 - 1, which int64 cannot",
      refused(file('{"x":{"dtype":"U64","shape":[],"data_offsets":[0,8]}}', ("\255"):rep(8))))
  end)

  it("refuses holes and overlaps", function()
    local function of(a, b)
      local info = '"%s":{"dtype":"U8","shape":[2],"data_offsets":[%d,%d]}'
      return refused(file("{" .. info:format("a", a, a + 2) .. "," .. info:format("b", b, b + 2)
        .. "}", "abcdef"))
    end
    assert.equal("tensor 'b': begins at byte 3, where 2 are used up", of(0, 3))
    assert.equal("tensor 'b': begins at byte 1, where 2 are used up", of(0, 1))
    assert.equal("tensor 'b': begins at byte 0, where 2 are used up", of(0, 0))
    assert.equal("tensor 'b': begins at byte 2, where 0 are used up", of(4, 2))
    assert.equal("holds bytes after its last tensor", of(0, 2))
  end)

  it("takes no more memory than a bad file and 64 MB #memory", function()
    local script = [[
      local path, mark = ...
      local wrun = require "wrun"
      local file = assert(io.open(path, "wb"))
      local text = '{"x":[' .. ("1,"):rep(1000000) .. "1]}"
      file:write(string.pack("<I8", #text), text)
      file:close()
      text = nil
      collectgarbage()
      local function peak()
        for line in io.lines("/proc/self/status") do
          if line:find("^VmHWM") then return tonumber(line:match("%d+")) / 1024 end
        end
      end
      local before = peak()
      assert(not pcall(wrun.load, path))
      assert(peak() - before < 66, peak() - before)
    ]]
    child.with_file(script, function(lua)
      assert.same({ out = "", err = "", status = 0 }, child.run({ lua, path }))
    end)
  end)

  it("blames the script for a missing file or a wrong argument", function()
    assert.equal("load: /nowhere/x: No such file or directory", refusal(wrun.load, "/nowhere/x"))
    assert.equal("load: " .. folder .. ": Is a directory", refusal(wrun.load, folder))
    assert.equal("load: argument 1: expected a string, got nil", refusal(wrun.load))
  end)

  it("refuses a tree that was tampered with", function()
    local function tree(text)
      wrun.save(path, { x = wrun.zeros(1) }, { tree = text })
      return refused((files.read(path):gsub('"tree"', '"wrun.tree"'):gsub("^........", function(n)
        return string.pack("<I8", string.unpack("<I8", n) + 5)
      end)))
    end
    for _, text in ipairs {
      "", "{", "[", "1", "{}x", "{1:2}", '{"a"}', '{"a":}', '{"a":nan}', '{"a":0x1}', '{"a":1-}',
      '{"a":9223372036854775808}', '{"a":"', '{"a":"\\x"}', "[,1]", '{"a":{"$float":"1"}}',
      '{"a":{"$bytes":"f"}}', '{"a":{"$new":1}}', '{"a":{"$same":1}}', '{"a":{"$same":9}}',
      '{"$pairs":[[1.5,1]]}', ("["):rep(300), '{"$pairs":1}',
    } do
      assert.matches("^its tree is damaged at character %d+ of the metadata wrun.tree$", tree(text))
    end
    assert.equal("tensor 'y' is missing", tree('{"x":{"$tensor":"y"}}'))
  end)

  it("takes any JSON that means the same", function()
    wrun.save(path, { x = wrun.ones(1) }, {
      tree = ' { "a" : [ 1 , 2.5e0 , true ] , "\\u00e9\\ud83d\\ude00\\n\\/" : "\\"\\\\\\t" }',
    })
    local bytes = files.read(path):gsub('"tree"', '"wrun.tree"'):gsub("^........", function(n)
      return string.pack("<I8", string.unpack("<I8", n) + 5)
    end)
    assert.same({ a = { 1, 2.5, true }, ["é😀\n/"] = '"\\\t' },
      wrun.load(files.write(path, bytes)))
  end)
end)

describe("wrun.save", function()
  it("brings a tree back as it was", function()
    local tree = {
      name = "größe \"quoted\"\n ", empty = {}, flag = true, off = false,
      numbers = { 1, -2.5, 3.0, math.maxinteger, math.mininteger, 0.1, 1e300, -0.0, 2.0 ^ -1074 },
      [7] = "seven", [-1] = { [10] = "ten" }, infinite = { math.huge, -math.huge },
    }
    local back = round_trip(tree)
    assert.same(tree, back)
    for i, number in ipairs(tree.numbers) do
      assert.is_true(near.same_bits(number, back.numbers[i]))
    end
    assert.is_true(near.same_bits(0 / 0, round_trip({ 0 / 0 })[1]))
  end)

  it("names tensors by their keys, and keeps dots and numbers in keys apart", function()
    local tree = { a = { b = wrun.ones(2) }, ["c.d"] = wrun.zeros(1), { wrun.arange(3) } }
    local back = round_trip(tree, { note = "n" })
    assert.same({ 1, 1 }, back.a.b:tolist())
    assert.same({ 0 }, back["c.d"]:tolist())
    assert.same({ 0, 1, 2 }, back[1][1]:tolist())
    assert.is_nil(back["a.b"])
    local header = files.read(path)
    for _, name in ipairs { "a.b", "c.d", "1.1" } do
      assert.is_truthy(header:find('"' .. name .. '":{"dtype"', 1, true))
    end
    assert.same({ note = "n" }, select(2, wrun.load(path)))
  end)

  it("takes a model and its optimiser, and training goes on as if nothing had happened", function()
    local x, y = wrun.randn(8, 3), wrun.randn(8, 2)
    local function new()
      local model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
      return model, optim.Adam(model:parameters(), { lr = 0.1 })
    end
    local function train(model, optimizer, steps)
      for _ = 1, steps do
        optimizer:zero_grad()
        local loss = (model(x) - y):square():mean()
        loss:backward()
        optimizer:step()
      end
      return model
    end
    local model, optimizer = new()
    train(model, optimizer, 3)
    wrun.save(path, { model = model:state_dict(), optimizer = optimizer:state_dict(), step = 3 })
    local other, other_optimizer = new()
    local saved = wrun.load(path)
    other:load_state_dict(saved.model)
    other_optimizer:load_state_dict(saved.optimizer)
    assert.equal(3, saved.step)
    train(model, optimizer, 3)
    train(other, other_optimizer, 3)
    for name, value in pairs(model:state_dict()) do
      assert.is_true(wrun.equal(value, other:state_dict()[name]))
    end
  end)

  it("saves what a view shows, and no gradient", function()
    local base = wrun.arange(6):float():reshape(2, 3):requires_grad_()
    local back = round_trip({ x = base:t(), y = base[1] })
    assert.same({ { 0, 3 }, { 1, 4 }, { 2, 5 } }, back.x:tolist())
    assert.same({ 0, 1, 2 }, back.y:tolist())
    assert.is_false(back.x.requires_grad)
    assert.is_true(#files.read(path) < 300)
  end)

  it("leaves the old file or the new one when it is killed", function()
    local file = folder .. "/killed"
    local script = ([[
      local wrun = require "wrun"
      for i = 1, 1000000 do
        wrun.save("%s", { number = i, x = wrun.full({ 1 << 19 }, i) })
        if i == 2 then print("saved") io.stdout:flush() end
      end
    ]]):format(file)
    child.with_file(script, function(lua)
      for round = 1, 8 do
        local command = "%s %s > %s.out & pid=$!; until [ -s %s.out ]; do sleep 0.01; done; "
          .. "sleep 0.0%d; kill -9 $pid; wait $pid"
        child.shell(command:format(child.quote(child.wrun), lua, lua, lua, round))
        os.remove(lua .. ".out")
        local tree = wrun.load(file)
        assert.is_true(tree.number >= 2 and tree.x:eq(tree.number):all():item())
      end
    end)
  end)

  it("writes what a symbolic link leads to, and keeps the link", function()
    local file, link, chain = folder .. "/aim", folder .. "/link", folder .. "/chain"
    files.shell(("cd '%s' && ln -s aim link && ln -s '%s' chain"):format(folder, link))
    for i, name in ipairs { link, chain, link } do -- first to a file that is not there
      wrun.save(name, { number = i })
      assert.equal(i, wrun.load(file).number)
    end
    files.shell(("test -L '%s' && test -L '%s' && test ! -L '%s'"):format(link, chain, file))
    files.shell(("ln -s loop '%s/loop'"):format(folder))
    assert.equal("save: " .. folder .. "/loop: Too many levels of symbolic links",
      refusal(wrun.save, folder .. "/loop", {}))
  end)

  it("writes through no link that somebody put in the way of the temporary file", function()
    local file, other = folder .. "/mine", folder .. "/other"
    files.write(other, "precious")
    local script = ([[
      local file = io.open("/proc/self/stat")
      local pid = file:read("n")
      file:close()
      os.execute(("ln -s '%s' '%s.%%d.new'"):format(pid))
      require("wrun").save("%s", { a = 1 })
    ]]):format(other, file, file)
    child.with_file(script, function(lua)
      assert.equal(0, child.shell(child.quote(child.wrun) .. " " .. lua).status)
    end)
    assert.equal(1, wrun.load(file).a)
    assert.equal("precious", files.read(other))
  end)

  it("gives a new file the mode that others get here", function()
    files.shell(("cd '%s' && : > plain"):format(folder))
    wrun.save(folder .. "/new", {})
    files.shell(("cd '%s' && test $(stat -c %%a plain) = $(stat -c %%a new)"):format(folder))
  end)

  it("removes what a killed process left of the same file a minute ago", function()
    local file = folder .. "/swept"
    local gone, alive, young = file .. ".4999999.a1B2c3.new", file .. ".1.a1B2c3.new",
      file .. ".4999998.a1B2c3.new"
    files.shell(("touch -d '2 minutes ago' '%s' '%s'; touch '%s'"):format(gone, alive, young))
    wrun.save(file, {})
    assert.is_nil(files.read(gone))
    assert.equal("", files.read(alive))
    assert.equal("", files.read(young))
  end)

  it("refuses what it could not bring back", function()
    local two = "save: argument 2: "
    assert.equal(two .. "expected a table, got a float32 tensor [1]",
      refusal(wrun.save, path, wrun.zeros(1)))
    local leaf = ": expected a tensor, a table, a number, a boolean or a text, got "
    assert.equal(two .. "a.f" .. leaf .. "a function",
      refusal(wrun.save, path, { a = { f = print } }))
    assert.equal(two .. "expected texts and integers as keys, got 1.5 in the table",
      refusal(wrun.save, path, { [1.5] = 1 }))
    assert.equal(two .. "expected texts and integers as keys, got true in a",
      refusal(wrun.save, path, { a = { [true] = 1, b = 2 } }))
    assert.equal(two .. "two tensors would be named a.b",
      refusal(wrun.save, path, { ["a.b"] = wrun.zeros(1), a = { b = wrun.zeros(1) } }))
    local loop = {}
    loop.again = loop
    assert.equal(two .. "again: expected no table inside itself", refusal(wrun.save, path, loop))
    local deep = {}
    for _ = 1, 101 do
      deep = { deep }
    end
    assert.equal(two .. "expected at most 100 tables inside each other",
      refusal(wrun.save, path, deep))
    assert.same(deep[1], round_trip(deep[1]))
    assert.equal("save: argument 3: expected a table of name and text, got the string 'a' = 1",
      refusal(wrun.save, path, {}, { a = 1 }))
    assert.equal("save: argument 3: expected a table of name and text, got true = the string 'x'",
      refusal(wrun.save, path, {}, { a = "y", [true] = "x" }))
    assert.equal("save: argument 3: expected a table of name and text, got the string 'wrun.tree' "
      .. "= the string ''", refusal(wrun.save, path, {}, { ["wrun.tree"] = "" }))
    assert.equal("save: argument 1: expected a string, got nil", refusal(wrun.save))
    assert.equal("save: /nowhere/x: No such file or directory",
      refusal(wrun.save, "/nowhere/x", {}))
    assert.equal("save: " .. path .. ": a name or a text is no UTF-8",
      refusal(wrun.save, path, {}, { a = "\255" }))
    assert.equal("save: " .. path .. ": a tensor cannot be named __metadata__, which is the "
      .. "format's own", refusal(wrun.save, path, { __metadata__ = wrun.zeros(1) }))
    assert.matches("^save: argument 3: expected a table of name and text, got the string 'a' = ",
      refusal(wrun.save, path, {}, { a = "b\0c" }))
  end)

  it("refuses a header that would not be read, and the old file stays #many", function()
    wrun.save(path, { step = 1 })
    local long = ("x"):rep(100000000)
    assert.matches("^save: " .. path .. ": its header has 1000000%d%d bytes; from 2 to 100000000 "
      .. "are read$", refusal(wrun.save, path, {}, { note = long }))
    local few, many = wrun.zeros(1), {}
    for i = 1, 150000 do
      many["t" .. i] = few
    end
    assert.matches("^save: " .. path .. ": its header has %d+ values; up to 1048576 are read$",
      refusal(wrun.save, path, many))
    assert.same({ step = 1 }, wrun.load(path))
  end)

  it("brings back long lists, many tensors and long texts #many", function()
    local losses, many = {}, {}
    for i = 1, 200000 do
      losses[i] = 1 / i
    end
    for i = 1, 40000 do
      many[i] = wrun.full({ 1 }, i)
    end
    local back = round_trip { losses = losses, note = ("x"):rep(3000000), many = many }
    for i = 1, 200000 do
      assert(losses[i] == back.losses[i])
    end
    assert.equal(3000000, #back.note)
    for i = 1, 40000, 999 do
      assert.equal(i, back.many[i]:item())
    end
  end)

  it("keeps lists of tensors, and a table in two places as one", function()
    local part = { wrun.ones(1), 2 }
    local tree = { wrun.arange(3), { again = part, [3] = part }, part }
    local back = round_trip(tree)
    assert.same({ 0, 1, 2 }, back[1]:tolist())
    assert.same({ 1 }, back[3][1]:tolist())
    assert.equal(back[3], back[2].again)
    assert.equal(back[3], back[2][3])
    for _ = 1, 90 do
      part = { part, part }
    end
    back = round_trip(part)
    for _ = 1, 90 do
      assert.equal(back[1], back[2])
      back = back[1]
    end
    assert.equal(2, back[2])
  end)

  it("shows the tree to other readers as JSON", function()
    wrun.save(path, { x = wrun.ones(1), list = { 1, 2.0, -0.0, "a\"b", true }, [7] = 0 / 0,
      bytes = "\255\0", empty = {}, ["$"] = 1 / 0, tiny = 5e-324, third = 1 / 3 })
    local text = files.read(path):match('"wrun.tree":"(.-[^\\])"},')
    local nan = ("%f"):format(0 / 0)
    assert.equal('{"$pairs":[[7,{"$float":"' .. nan .. '"}],["$",{"$float":"inf"}],["bytes",'
      .. '{"$bytes":"ff00"}],["empty",{}],["list",[1,2.0,-0.0,"a\\u0022b",true]],'
      .. '["third",0.3333333333333333],["tiny",4.94065645841247e-324],["x",{"$tensor":"x"}]]}',
      (text:gsub('\\(["\\])', "%1")))
  end)
end)
