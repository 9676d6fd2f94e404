--- Files hold the same numbers in every locale, and what wrun prints shows them so.

local child = require "spec.support.child"

local SCRIPT = [[
  local wrun = require "wrun"
  local folder = arg[1]
  assert(os.setlocale("de_DE.UTF-8"))
  assert(("%.1f"):format(1.5) == "1,5", "the locale has a comma")
  local csv, jsonl, log = folder .. "/x.csv", folder .. "/x.jsonl", folder .. "/log.csv"
  for _, dtype in ipairs { "float32", "float64" } do
    local x = wrun.tensor({ { 1.5, 2.25e-30 }, { -1 / 3, 1e30 } }, { dtype = dtype })
    wrun.data.save_csv(csv, x)
    assert(x:equal(wrun.data.csv(csv, { dtype = dtype })))
  end
  for _, path in ipairs { jsonl, log } do
    local book <close> = wrun.logbook.open(path)
    book:write { a = 0.5, b = 1e-30, c = 3.0 }
  end
  local saved = folder .. "/x.safetensors"
  local tree = { a = 0.5, b = { -1 / 3, 1e-30, 5e-324 }, [3] = "0.5", x = wrun.tensor { 1.5 } }
  wrun.save(saved, tree, { note = "0.5" })
  assert(os.setlocale("C"))
  for _ = 1, 2 do -- read in both locales
    local back = wrun.load(saved)
    assert(back.a == 0.5 and back[3] == "0.5" and back.x:equal(tree.x))
    for i, value in ipairs(tree.b) do
      assert(back.b[i] == value)
    end
    assert(wrun.data.csv(log, { header = true })[{ 1, 1 }]:item() == 0.5)
    assert(os.setlocale("de_DE.UTF-8"))
  end
  for _, path in ipairs { csv, jsonl, log } do
    io.write(io.open(path):read("a"))
  end
]]

local SHOWN = [[
  local wrun = require "wrun"
  local data, nn, optim = wrun.data, wrun.nn, wrun.optim
  local w = wrun.full({ 2 }, 0.1, { requires_grad = true })
  local machine = wrun.rbm.new { visible = 2, hidden = 2 }
  local function refused(f, ...)
    return (select(2, pcall(f, ...)))
  end
  local function show()
    local lines = {
      tostring(w), tostring(wrun.tensor(1.5)), tostring(wrun.tensor { 1e-9, 1e9 }),
      tostring(nn.Dropout(0.25)), tostring(nn.BatchNorm1d(3)), tostring(nn.LeakyReLU(1 / 3)),
      tostring(optim.SGD({ w }, { lr = 0.5 })), tostring(data.transforms.add_noise(0.5)),
      tostring(data.transforms.normalize(0.5, { 0.25, 1.5 })),
      tostring(data.transforms.binarize { threshold = 0.5 }),
      refused(nn.Dropout, 1.5), refused(wrun.zeros, 1.5), refused(wrun.sum, 1.5),
      refused(wrun.quantile, wrun.rand(3), { 0.5, 1.5 }),
      refused(optim.SGD, { w }, { lr = -0.5 }),
      refused(optim.Adam, { w }, { betas = { 0.5, 1.5 } }),
      refused(wrun.gradcheck, function(x) return (x * x:detach()):sum() end, { w:double() }),
      refused(machine.fit, machine, wrun.full({ 1, 2 }, 1.5)),
    }
    return table.concat(lines, "\n")
  end
  local plain = show()
  assert(os.setlocale("de_DE.UTF-8"))
  print(plain == show() and 1.5 or show())
]]

--- Runs a script where the locale is known, its folder as argument, in wrun and in a host of the module;
--- they must print `expected`.
local function check_in_german(text, expected)
  child.with_folder(function(folder)
    if child.shell("localedef -i de_DE -f UTF-8 " .. folder .. "/de_DE.UTF-8").status ~= 0 then
      pending("needs the package locales")
      return
    end
    child.with_file(text, function(script)
      for _, options in ipairs { {}, child.host(pending) } do
        local env = ("LOCPATH=%s %s"):format(folder, options.env or "")
        local result = child.run({ script, folder }, { program = options.program, env = env })
        assert.same({ out = expected, err = "", status = 0 }, result)
      end
    end)
  end)
end

describe("a locale with a decimal comma", function()
  it("changes no number that is read or written", function()
    check_in_german(SCRIPT, "1.5,2.25e-30\n-0.3333333333333333,1e+30\n"
      .. '{"a": 0.5, "b": 1e-30, "c": 3.0}\n' .. "a,b,c\n0.5,1e-30,3.0\n")
  end)

  it("changes no text of wrun's, but Lua's own tostring", function()
    check_in_german(SHOWN, "1,5\n")
  end)
end)
