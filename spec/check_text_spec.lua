--- Text that is given or read: a zero byte cuts none, and no terminal is given what it would obey.

local check = require "wrun.check"
local child = require "spec.support.child"
local core = require "wrun.core"
local files = require "spec.support.files"
local public_items = require "spec.support.public_items"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local data, nn = wrun.data, wrun.nn

local TEXT, SHOWN = "abc\0def", "abc\\x00def"

local x, square, named = wrun.ones(2), wrun.ones(2, 2), { [TEXT] = wrun.ones(1) }

local function module()
  return nn.Linear(2, 2)
end

local function checkpoint()
  return wrun.checkpoint("x", {})
end

local function run()
  return wrun.experiment { name = "x", keeps = false }
end

--- A method's call on a new object.
local function of(make, name, ...)
  local arguments = table.pack(...)
  return function()
    local object = make()
    object[name](object, table.unpack(arguments, 1, arguments.n))
  end
end

local function call(f, ...)
  local arguments = table.pack(...)
  return function()
    f(table.unpack(arguments, 1, arguments.n))
  end
end

--- What is called with TEXT for each argument that may be a string: "function argument" -> calls.
local function calls_in(folder)
  local path = folder .. "/" .. TEXT
  return {
    ["Checkpoint:add parts"] = of(checkpoint, "add", { [TEXT] = {} }),
    ["Experiment:add values"] = of(run, "add", { [TEXT] = 1 }),
    ["Experiment:column name"] = of(run, "column", TEXT),
    ["Experiment:keep parts"] = of(run, "keep", { [TEXT] = {} }),
    ["Experiment:mean name"] = of(run, "mean", TEXT),
    ["Experiment:path name"] = of(run, "path", TEXT),
    ["Experiment:set values"] = of(run, "set", { [TEXT] = 1 }),
    ["progress label"] = call(wrun.progress, next, 1, TEXT),
    ["wrun.checkpoint folder"] = call(wrun.checkpoint, path, {}),
    ["wrun.checkpoint parts"] = call(wrun.checkpoint, folder, { [TEXT] = {} }),
    ["wrun.compare reference"] = call(wrun.compare, path, module()),
    ["wrun.eigh uplo"] = call(wrun.eigh, square, TEXT),
    ["wrun.eigvalsh uplo"] = call(wrun.eigvalsh, square, TEXT),
    ["wrun.einsum equation"] = call(wrun.einsum, TEXT, x),
    ["wrun.gelu approximate"] = call(wrun.gelu, x, TEXT),
    ["wrun.load path"] = call(wrun.load, path),
    ["wrun.qr mode"] = call(wrun.qr, square, TEXT),
    ["wrun.report folder"] = call(wrun.report, path),
    ["wrun.save path"] = call(wrun.save, path, { x }),
    ["wrun.save metadata"] = call(wrun.save, folder .. "/file", { x }, { a = TEXT }),
    ["wrun.scatter_reduce way"] = call(wrun.scatter_reduce, x, 1, wrun.tensor({ 1 }), x, TEXT),
    ["wrun.scatter_reduce_ way"] = of(function() return wrun.ones(2) end, "scatter_reduce_", 1,
      wrun.tensor({ 1 }), x, TEXT),
    ["wrun.to dtype"] = call(wrun.to, x, TEXT),
    ["autograd.Function definition"] = call(wrun.autograd.Function,
      { forward = print, backward = print, name = TEXT }),
    ["data.csv path"] = call(data.csv, path),
    ["data.idx path"] = call(data.idx, path),
    ["data.images args"] = call(data.images, { seed = 1, data = path }),
    ["data.npy path"] = call(data.npy, path),
    ["data.npz path"] = call(data.npz, path),
    ["data.save_csv path"] = call(data.save_csv, path, x),
    ["data.save_npy path"] = call(data.save_npy, path, x),
    ["data.save_npz path"] = call(data.save_npz, path, { x = x }),
    ["data.save_npz tensors"] = call(data.save_npz, folder .. "/file", named),
    ["data.transforms.lambda name"] = call(data.transforms.lambda, print, TEXT),
    ["image.load path"] = call(wrun.image.load, path),
    ["image.save path"] = call(wrun.image.save, path, square),
    ["image.show path"] = call(wrun.image.show, path, square),
    ["linalg.cond order"] = call(wrun.linalg.cond, square, TEXT),
    ["linalg.eigh uplo"] = call(wrun.linalg.eigh, square, TEXT),
    ["linalg.eigvalsh uplo"] = call(wrun.linalg.eigvalsh, square, TEXT),
    ["linalg.matrix_norm order"] = call(wrun.linalg.matrix_norm, square, TEXT),
    ["linalg.norm order"] = call(wrun.linalg.norm, square, TEXT),
    ["linalg.qr mode"] = call(wrun.linalg.qr, square, TEXT),
    ["logbook.Log:write row"] = of(function()
      return wrun.logbook.open(folder .. "/log", { format = "csv" })
    end, "write", { [TEXT] = 1 }),
    ["logbook.open path"] = call(wrun.logbook.open, path, { format = "csv" }),
    ["metrics.confusion classes"] = call(wrun.metrics.confusion, TEXT),
    ["nn.GELU approximate"] = call(nn.GELU, TEXT),
    ["nn.List:append name"] = of(nn.Sequential, "append", module(), TEXT),
    ["nn.List:insert name"] = of(nn.Sequential, "insert", 1, module(), TEXT),
    ["nn.Module:add_module name"] = of(module, "add_module", TEXT, module()),
    ["nn.Module:get_buffer path"] = of(module, "get_buffer", TEXT),
    ["nn.Module:get_parameter path"] = of(module, "get_parameter", TEXT),
    ["nn.Module:get_submodule path"] = of(module, "get_submodule", TEXT),
    ["nn.Module:load_state_dict state"] = of(module, "load_state_dict", named),
    ["nn.Module:register_buffer name"] = of(module, "register_buffer", TEXT, x),
    ["nn.Module:register_parameter name"] = of(module, "register_parameter", TEXT,
      nn.Parameter(x)),
    ["nn.Module:to dtype"] = of(module, "to", TEXT),
    ["nn.ModuleDict modules"] = call(nn.ModuleDict, { [TEXT] = module() }),
    ["nn.ModuleDict:update items"] = of(nn.ModuleDict, "update", { [TEXT] = module() }),
    ["nn.ParameterDict parameters"] = call(nn.ParameterDict, named),
    ["nn.ParameterDict:update items"] = of(nn.ParameterDict, "update", named),
    ["mpi.all_reduce operation"] = call(wrun.mpi.all_reduce, x, TEXT),
    ["nn.init.apply rule"] = call(nn.init.apply, module(), TEXT),
    ["nn.init.calculate_gain nonlinearity"] = call(nn.init.calculate_gain, TEXT),
    ["nn.init.CoordinateCheck:save path"] = of(function()
      return nn.init.coordinate_check(function(width)
        local model = nn.Linear(2, width)
        return model, wrun.optim.SGD(model:parameters(), { lr = 0.1 })
      end, { 2, 4 }, square, { target = wrun.tensor({ 1, 1 }) })
    end, "save", path),
    ["nn.init.Report:save path"] = of(function()
      return nn.init.report(nn.Linear(2, 2), wrun.ones(2, 2))
    end, "save", path),
    ["nn.init.gain_of f"] = call(nn.init.gain_of, TEXT),
    ["nn.init.profile f"] = call(nn.init.profile, TEXT),
    ["plot.Figure:save path"] = of(wrun.plot.Figure, "save", path),
    ["plot.Grid:save path"] = of(function()
      return wrun.plot.grid { wrun.plot.Figure() }
    end, "save", path),
    ["tensorboard.SummaryWriter folder"] = call(wrun.tensorboard.SummaryWriter, path),
    ["wrun.timeit f"] = call(wrun.timeit, TEXT),
    ["help x"] = call(wrun.help, TEXT),
  }
end

--- Arguments that refuse no text, and why.
local FREE = {
  ["Class:extend name"] = "what errors and printing call a class, which show it escaped",
  ["data.number option"] = "what messages call an option, the script's own word",
  ["data.whole option"] = "as data.number",
  ["nn.List:extend what"] = "as Class:extend",
  ["optim.lr_scheduler.LRScheduler:per_group name"] = "the name of an option, of a scheduler's own",
  ["progress.Bar:set values"] = "the line shows them escaped",
  ["rbm.Model:load_state_dict state"] = "takes the fields that it knows, and looks at no others",
}

local machine = wrun.rbm.new { visible = 2, hidden = 2 }

--- What comes before the options of functions some of whose options are strings.
local BEFORE = {
  ["wrun.Generator"] = {}, ["wrun.cumprod"] = { x, 1 }, ["wrun.cumsum"] = { x, 1 },
  ["wrun.early_stopping"] = { module() },
  ["wrun.full_like"] = { x, 1 }, ["wrun.log_softmax"] = { x, 1 }, ["wrun.mean"] = { x, 1, false },
  ["wrun.meshgrid"] = { { x, x } }, ["wrun.nanmean"] = { x, 1, false },
  ["wrun.nansum"] = { x, 1, false }, ["wrun.prod"] = { x, 1, false },
  ["wrun.searchsorted"] = { x, x }, ["wrun.softmax"] = { x, 1 }, ["wrun.softmin"] = { x, 1 },
  ["wrun.sum"] = { x, 1, false }, ["data.cifar10"] = {}, ["data.fashion_mnist"] = {},
  ["data.mnist"] = {}, ["data.save_csv"] = { "FOLDER/file", x },
  ["logbook.open"] = { "FOLDER/log.csv" }, ["nn.Linear"] = { 2, 2 }, ["nn.PReLU"] = { 1 },
  ["nn.Bilinear"] = { 2, 2, 2 }, ["nn.GroupNorm"] = { 1, 2 }, ["nn.LayerNorm"] = { 2 },
  ["nn.Module:buffers"] = { module() }, ["nn.Module:named_buffers"] = { module() },
  ["nn.Module:named_parameters"] = { module() }, ["nn.Module:parameters"] = { module() },
  ["nn.Embedding"] = { 2, 2 }, ["nn.RMSNorm"] = { 2 },
  ["rbm.Model:log_likelihood"] = { machine, square, 1 },
  ["rbm.Model:pseudo_likelihood"] = { machine, square },
  ["rbm.Model:statistics"] = { machine, square }, ["wrun.logspace"] = { 0, 1, 2 },
  ["wrun.normal"] = { 0, 1, { 2 } }, ["wrun.report"] = { "FOLDER" },
  ["sweep"] = { { lr = { 1 } }, print }, ["image.load"] = { "FOLDER/x.png" },
  ["nn.init.mup_"] = { module(), module() },
}

--- Options that must stand beside.
local NEEDED = { ["nn.init.mup_"] = { lr = 0.1 } }

--- Parts that are called.
local CALLED = { sweep = wrun.sweep }

--- Asserts that a call is refused: the message says what it got, and no byte is left to obey.
local function assert_refused(title, f)
  local ok, message = pcall(refusal, f)
  assert.truthy(ok, title .. ": " .. tostring(message))
  local is_shown = message:find(SHOWN, 1, true) or message:find("got a table$")
  assert.truthy(message:find("^[%w_.]+: ") and is_shown, title .. ": " .. message)
  assert.falsy(message:find("%z"), title)
end

--- Each public argument that may be a string, as "function argument", with its item and type.
local function each_text()
  local index, list = 0, {}
  for _, item in ipairs(public_items()) do
    for _, param in ipairs(item.entry and item.entry.params or {}) do
      if param.type:find("%f[%a]string") then
        list[#list + 1] = { item.name .. " " .. param.name, item, param.type }
      end
    end
  end
  return function()
    index = index + 1
    return table.unpack(list[index] or {})
  end
end

describe("text with a zero byte", function()
  it("is refused by whatever takes a path, a name or a choice, and makes no file", function()
    child.with_folder(function(folder)
      local calls, seen = calls_in(folder), { ["help x"] = true }
      for title in each_text() do
        if not title:find(" options$") then
          seen[title] = true
          assert.truthy(calls[title] or FREE[title], title .. ": has no call here")
        end
      end
      for title, f in pairs(calls) do
        assert.truthy(seen[title], title .. ": is no public argument")
        assert_refused(title, f)
      end
      assert.is_nil(files.read(folder .. "/abc"))
      assert.is_nil(files.read(folder .. "/file"))
    end)
  end)

  it("is refused as an option", function()
    child.with_folder(function(folder)
      for title, item, kind in each_text() do
        local options = title:find(" options$") and kind or ""
        for name, of_type in options:gmatch("([%w_]+): (string[^,} ]*)") do
          local arguments = assert(BEFORE[item.name], item.name .. ": has no arguments here")
          arguments = { table.unpack(arguments) }
          if type(arguments[1]) == "string" then
            arguments[1] = arguments[1]:gsub("FOLDER", folder)
          end
          local given = { [name] = of_type == "string[]" and { TEXT } or TEXT }
          for needed, value in pairs(NEEDED[item.name] or {}) do
            given[needed] = value
          end
          arguments[#arguments + 1] = given
          assert_refused(title .. "." .. name, function()
            local f = item.value or CALLED[item.name]
              or arguments[1][item.name:match("[%w_]+$")]
            f(table.unpack(arguments))
          end)
        end
      end
      assert.is_nil(files.read(folder .. "/file"))
    end)
  end)

  it("is no field of a tensor", function()
    assert.equal("tensor: no name 'shape\\x00'; did you mean shape?",
      refusal(function() return x["shape\0"] end))
    assert.equal("tensor: the field 'grad\\x00' cannot be set; grad and requires_grad can",
      refusal(function() x["grad\0"] = x end))
  end)
end)

--- What no terminal may be given: control characters, as bytes or as UTF-8, and what is no UTF-8.
local function is_obeyed(text)
  return not utf8.len(text) or text:find("[\0-\8\11-\31\127]") ~= nil
    or text:find("\xc2[\x80-\x9f]") ~= nil
end

-- sets a window's title, rings, and turns red
local EVIL, EVIL_SHOWN = "\27]0;x\7\u{9b}31m", "\\x1b]0;x\\x07\\xc2\\x9b31m"

describe("text with control characters", function()
  it("is found by this spec", function()
    for _, text in ipairs({ EVIL, "\27", "\0", "\127", "\u{85}", "\xff", "\xe9t\xe9" }) do
      assert.is_true(is_obeyed(text))
      assert.is_false(is_obeyed(check.escape(text)))
    end
    assert.equal("a\té\n€𝄞" .. EVIL_SHOWN .. "\\xe0\\x80\\x9b\\xff",
      check.escape("a\té\n€𝄞" .. EVIL .. "\xe0\x80\x9b\xff"))
  end)

  it("is shown where a file's name is refused", function()
    for _, read in ipairs({ data.csv, data.idx, data.npy, data.npz, wrun.load, wrun.image.load }) do
      local message = refusal(read, "/nowhere/" .. EVIL)
      assert.truthy(message:find("/nowhere/" .. EVIL_SHOWN .. ": No such file", 1, true), message)
    end
    for name, f in pairs(core) do
      if name:find("_read$") or name == "make_folder" then
        local results = table.pack(pcall(f, "/dev/null/" .. EVIL, "float32", ","))
        assert.is_false(is_obeyed(tostring(results[results.n])), name)
      end
    end
  end)

  it("is shown where a name in a file is", function()
    child.with_folder(function(folder)
      local path = folder .. "/file"
      data.save_npz(path, { [EVIL] = x })
      files.write(path, (files.read(path):gsub("%.npy", ".txt")))
      assert.equal("npz: " .. path .. ": member '" .. EVIL_SHOWN
        .. ".txt': is no array (its name must end with .npy)", refusal(function()
        return data.npz(path)[EVIL .. ".txt"]
      end))
      files.write(path, EVIL .. ",b\n1,2\n")
      assert.truthy(refusal(wrun.logbook.open, path, { format = "csv", append = true,
        fields = { "a", "b" } }):find("found " .. EVIL_SHOWN .. ",b", 1, true))
      wrun.save(path, { [EVIL] = x })
      local message = refusal(module().load_state_dict, module(), wrun.load(path))
      assert.truthy(message:find("unexpected " .. EVIL_SHOWN, 1, true), message)
      local printed = tostring(nn.ParameterDict({ [EVIL] = nn.Parameter(x) }))
      assert.truthy(printed:find("(" .. EVIL_SHOWN .. "): ", 1, true), printed)
      assert.truthy(wrun.help(EVIL):find("has the name " .. EVIL_SHOWN, 1, true))
    end)
  end)

  it("is shown in no message, wherever in a file it stands", function()
    child.with_folder(function(folder)
      local path, refused = folder .. "/file", 0
      local formats = {
        { data.csv, function() data.save_csv(path, wrun.eye(3)) end },
        { data.npy, function() data.save_npy(path, x) end },
        { data.npz, function() data.save_npz(path, { first = x, second = x }) end },
        { data.idx, function() files.write(path, files.idx(8, { 3 }, "abc")) end },
        { wrun.load, function() wrun.save(path, { first = x, list = { 1 } }, { note = "b" }) end },
        { wrun.image.load, function() wrun.image.save(path, wrun.eye(9)) end },
      }
      for _, format in ipairs(formats) do
        local read, write = table.unpack(format)
        write()
        local whole = files.read(path)
        for at = 1, #whole, math.max(1, #whole // 100) do
          files.write(path, whole:sub(1, at - 1) .. EVIL .. whole:sub(at + #EVIL))
          local ok, message = pcall(read, path)
          assert.is_true(ok or not is_obeyed(message), message)
          refused = refused + (ok and 0 or 1)
        end
      end
      assert.is_true(refused > 300, refused)
    end)
  end)

  it("is shown by the command where it stops, scripts' names included", function()
    child.with_folder(function(folder)
      local script = folder .. "/" .. EVIL .. ".lua"
      child.write(("error(%q)"):format(EVIL), script)
      for _, name in ipairs({ script, script .. "x" }) do
        local result = child.run({ name })
        assert.equal(1, result.status)
        assert.is_false(is_obeyed(result.err), result.err)
        assert.truthy(result.err:find(EVIL_SHOWN, 1, true), result.err)
      end
    end)
  end)
end)
