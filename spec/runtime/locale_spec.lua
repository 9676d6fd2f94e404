--- Files hold the same numbers in every locale.

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

describe("a locale with a decimal comma", function()
  it("changes no number that is read or written", function()
    child.with_folder(function(folder)
      if child.shell("localedef -i de_DE -f UTF-8 " .. folder .. "/de_DE.UTF-8").status ~= 0 then
        pending("needs the package locales")
        return
      end
      child.with_file(SCRIPT, function(script)
        local result = child.shell(("LOCPATH=%s %s %s %s"):format(folder, child.quote(child.wrun),
          script, folder))
        assert.same({ "", 0 }, { result.err, result.status })
        assert.equal("1.5,2.25e-30\n-0.3333333333333333,1e+30\n"
          .. '{"a": 0.5, "b": 1e-30, "c": 3.0}\n' .. "a,b,c\n0.5,1e-30,3.0\n", result.out)
      end)
    end)
  end)
end)
