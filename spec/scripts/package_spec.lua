--- What `make install` puts beside the program: manual, completions, and that all of it goes again.

local child = require "spec.support.child"

local help = child.run({ "--help" }).out

local function written(script, word)
  local result = child.run({ "scripts/package/" .. script, word })
  assert.equal(0, result.status, result.err)
  return result.out
end

local function has(program)
  return child.shell("command -v " .. program).status == 0
end

describe("the package of Debian", function()
  it("names what the program loads itself", function()
    local control = child.read("scripts/package/deb.sh")
      :match("\nDepends:[^\n]*\nRecommends:[^\n]*\nSuggests:[^\n]*")
    local packages, count = { mpi = "openmpi%-bin" }, 0
    for name in child.shell("cat runtime/*/*.c").out:gmatch('dlopen%("lib(%a+)%.so') do
      if name ~= "mvec" then -- which is the C library's
        assert.matches(packages[name] or "lib" .. name .. "%d", control)
        count = count + 1
      end
    end
    assert.equal(4, count)
  end)
end)

describe("the manual page", function()
  it("says all that --help says", function()
    local text = written("manual.lua"):gsub("\\%-", "-"):gsub("\n", " ")
    local count = 0
    for name, about in help:gmatch("\n  (%S[^\n]-)  +([^\n]+)") do
      assert.matches(".B " .. name .. " " .. about, text, 1, true)
      count = count + 1
    end
    assert.is_true(count > 20, count)
  end)

  it("is one that man shows without a complaint", function()
    if not has "man" then
      pending("man is not on this machine")
      return
    end
    child.with_file(written("manual.lua"), function(path)
      local result = child.shell("LC_ALL=C MANWIDTH=80 man --warnings -l " .. path .. " | cat")
      assert.equal("", result.err)
      assert.matches("\nNAME\n +wrun %- ", result.out)
    end)
  end)
end)

describe("the completion", function()
  -- What bash would offer for the last word.
  local function offers(...)
    local words = { "wrun", ... }
    for i, word in ipairs(words) do
      words[i] = child.quote(word)
    end
    local program = written("completion.lua", "bash")
      .. "compopt() { :; }; PATH=" .. child.quote(child.wrun:match("^(.*)/")) .. ":$PATH\n"
      .. ("COMP_WORDS=(%s); COMP_CWORD=%d; _wrun; printf '%%s\\n' \"${COMPREPLY[@]}\"\n")
        :format(table.concat(words, " "), #words - 1)
    local list = {}
    child.with_file(program, function(path)
      local result = child.shell("bash " .. path)
      assert.equal("", result.err)
      for line in result.out:gmatch("[^\n]+") do
        list[#list + 1] = line
      end
    end)
    return list
  end

  it("of bash knows options, scripts, and the options of these", function()
    assert.same({ "--threads" }, offers("--t"))
    assert.same({ "mnist_xavier.lua" }, offers("mnist_x"))
    assert.same({ "mnist_xavier.lua" }, offers("--threads", "2", "mnist_x"))
    assert.same({ "--batch-size" }, offers("mnist_xavier.lua", "--b"))
    assert.same({}, offers("mnist_xavier.lua", "x"))
    assert.same({}, offers("other.lua", "--b"))
  end)

  it("of zsh is read by zsh, and has the same words", function()
    local text = written("completion.lua", "zsh")
    for _, word in ipairs { "'--threads[", "'*-e[", "'mnist_xavier.lua:A network on MNIST'" } do
      assert.matches(word, text, 1, true)
    end
    if has "zsh" then
      child.with_file(text, function(path)
        assert.same({ out = "", err = "", status = 0 }, child.shell("zsh -n " .. path))
      end)
    end
  end)
end)

describe("install and uninstall", function()
  local function files(folder)
    return child.shell(("cd %s && find . | LC_ALL=C sort"):format(folder)).out
  end

  it("leave a folder as it was", function()
    child.with_folder(function(folder)
      child.shell(([[cd %s
        mkdir -p tree/bin tree/share/wrun tree/share/doc/wrun/html to/share/doc
        echo 1 >tree/bin/wrun; chmod 755 tree/bin/wrun; ln -s wrun tree/bin/link
        echo 2 >tree/share/doc/wrun/html/index.html; echo 3 >to/share/mine]]):format(folder))
      local before = files(folder .. "/to")
      local function shell(command)
        assert.same({ out = "", err = "", status = 0 },
          child.shell(("sh scripts/package/%s"):format(command:gsub("@", folder))))
      end
      shell("install.sh @/tree @/to")
      assert.same("1\n", child.read(folder .. "/to/bin/link"))
      assert.equal(0, child.shell("test -x " .. folder .. "/to/bin/wrun").status)
      child.shell(("cd %s/tree && rm share/doc/wrun/html/index.html; echo 4 >new"):format(folder))
      shell("install.sh @/tree @/to") -- again: what is gone from the tree goes
      assert.matches("./new\n", files(folder .. "/to"), 1, true)
      assert.is_nil(files(folder .. "/to"):find("index.html", 1, true))
      child.write("5", folder .. "/to/share/doc/wrun/theirs")
      shell("uninstall.sh @/to")
      child.shell(("cd %s/to/share/doc && rm wrun/theirs && rmdir wrun"):format(folder))
      assert.equal(before, files(folder .. "/to"))
      shell("uninstall.sh @/to")
      assert.equal(before, files(folder .. "/to"))
    end)
  end)
end)
