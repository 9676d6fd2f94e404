--- The interactive session, on a pipe and on a terminal.

local child = require "spec.support.child"
local terminal = require "spec.support.terminal"

local run, with_file = child.run, child.with_file

describe("the interactive session", function()
  --- Feeds lines through a pipe; returns the output after the banner, and the errors.
  local function feed(lines, arguments)
    local result = run(arguments or { "-i" }, { input = lines })
    assert.equal(0, result.status)
    local banner, rest = result.out:match("^(wrun 0.1.0 on Lua [^\n]+\n[^\n]*\n)(.*)$")
    local promise = "The library is loaded as 'wrun'; help(x) explains x."
    assert.truthy(banner:find(promise, 1, true), banner)
    return rest, result.err
  end

  it("prints the values of expressions", function()
    assert.equal("> 1 + 1\n2\n> 1, 'a', nil\n1\ta\tnil\n> =3\n3\n> return 4\n4\n> \n",
      feed("1 + 1\n1, 'a', nil\n=3\nreturn 4\n"))
    assert.equal("> x = 5\n> x\n5\n> \n", feed("x = 5\nx\n"))
  end)

  it("has the library, and shows tensors", function()
    assert.equal("> wrun.tensor { 1.0, 2.0 }\ntensor([1., 2.])\n> \n",
      feed("wrun.tensor { 1.0, 2.0 }\n"))
  end)

  it("goes on reading until a statement is complete", function()
    assert.equal("> for i = 1, 2 do\n>> print(i)\n>> end\n1\n2\n> \n",
      feed("for i = 1, 2 do\nprint(i)\nend\n"))
    local lines = "x = {\n" .. ("1,\n"):rep(200) .. "}\n#x\n"
    assert.equal("> x = {\n" .. (">> 1,\n"):rep(200) .. ">> }\n> #x\n200\n> \n", feed(lines))
    local _, errors = feed("for\n")
    assert.equal("stdin:1: <name> expected near <eof>\n", errors)
  end)

  it("prints tables as Lua, and keeps the last result in _", function()
    assert.equal('> { 1, a = "x" }\n{ 1, a = "x" }\n> _.a\nx\n> _ .. 1, 2\nx1\t2\n> _\nx1\n> \n',
      feed('{ 1, a = "x" }\n_.a\n_ .. 1, 2\n_\n'))
    assert.equal("> nil\nnil\n> _\nnil\n> \n", feed("nil\n_\n"))
    assert.equal("> wrun.ones(2, 3).shape\nSize([2, 3])\n> \n", feed("wrun.ones(2, 3).shape\n"))
  end)

  it("has what examples use, where no script has put something else", function()
    assert.equal("> nn, optim, data, init\n", feed("nn, optim, data, init\n"):match("^[^\n]*\n"))
    assert.equal("> init.zeros_(nn.Linear(1, 1).bias):item()\n0.0\n> \n",
      feed("init.zeros_(nn.Linear(1, 1).bias):item()\n"))
    assert.matches("ns a call", feed("timeit('1 + 1', { least = 0.001 })\n"), 1, true)
    with_file("nn = 'mine'", function(path)
      assert.equal("> nn\nmine\n> \n", feed("nn\n", { "-i", path }))
    end)
  end)

  it("knows help, exit and quit with and without brackets", function()
    local help = require("wrun").help
    for _, line in ipairs { "help", "help()" } do
      assert.equal(("> %s\n%s\n> \n"):format(line, help()), (feed(line .. "\n")))
    end
    assert.equal(("> help(nil)\n%s\n> \n"):format(help(nil)), (feed("help(nil)\n")))
    assert.equal(("> help 'abs'\n%s\n> \n"):format(help "abs"), (feed("help 'abs'\n")))
    for _, line in ipairs { "exit", "exit()", "quit", "quit()" } do
      assert.equal(("> %s\n"):format(line), (feed(line .. "\n1\n")))
    end
    assert.equal(3, run({ "-i" }, { input = "exit(3)\n" }).status)
    assert.equal("> exit, 1\nexit, or Ctrl-D, ends the session\t1\n> \n", feed("exit, 1\n"))
  end)

  it("blames the line that was typed, also where that is one call", function()
    local _, errors = feed("wrun.cat(1)\n")
    assert.matches("^stdin:1: cat: argument 1: ", errors)
    _, errors = feed("nn.Linear(2, 1).forward()\n")
    assert.matches("^stdin:1: Linear: forward: ", errors)
    _, errors = feed("function f()\nerror('x', 2)\nend\nf()\n")
    assert.matches("^stdin:1: x\n", errors)
    assert.equal("> f = function() return 1, nil end\n> f()\n1\tnil\n> \n",
      (feed("f = function() return 1, nil end\nf()\n")))
  end)

  it("survives errors", function()
    local out, errors = feed("error('boom')\nx =+\nerror({})\n1\n")
    assert.equal("> error('boom')\n> x =+\n> error({})\n> 1\n1\n> \n", out)
    local trace = "stack traceback:\n\t[C]: in function 'error'\n\tstdin:1: in main chunk\n"
      .. "\t[C]: in ?\n"
    local expected = "stdin:1: boom\n" .. trace .. "stdin:1: unexpected symbol near '+'\n"
      .. "(error object is a table value)\n" .. trace
    assert.equal(expected, errors)
    local _, unprintable = feed("setmetatable({}, { __tostring = function() error('no') end })\n")
    assert.equal("error calling 'print': stdin:1: no", unprintable:match("^[^\n]*"))
  end)

  it("takes its prompts from _PROMPT and _PROMPT2", function()
    assert.equal("> _PROMPT, _PROMPT2 = '$ ', '.. '\n$ print(\n.. 1)\n1\n$ \n",
      feed("_PROMPT, _PROMPT2 = '$ ', '.. '\nprint(\n1)\n"))
  end)

  it("follows a script and keeps what that left", function()
    with_file("x = ...", function(path)
      assert.equal("> x\na\n> \n", feed("x\n", { "-i", path, "a" }))
    end)
    assert.equal("", run({ "-i", "-e", "error(1)" }, { input = "print(1)\n" }).out:match("\n(.*)$"))
  end)

  -- Types keys, a string for each prompt, into a session on a terminal in `folder`, which `setup`
  -- prepares; returns what the terminal showed, without \r.
  local function type_keys(folder, keys, setup)
    child.write(table.concat(keys, "\n") .. "\n", folder .. "/keys")
    -- typing waits for the next prompt: before it the terminal is not the editor's
    local session = [[
      cd %s && : >screen && prompts=0 && while IFS= read -r line; do
        prompts=$((prompts + 1))
        until [ "$(grep -c '^>*> ' screen)" -ge $prompts ]; do sleep 0.01; done
        printf %%s "$line"
      done <keys | script -q -e -f -c %s screen]]
    local wrun = "env TERM=xterm LC_ALL=C.UTF-8 XDG_STATE_HOME=$PWD " .. child.quote(child.wrun)
    session = session:format(folder, child.quote((setup or "") .. wrun))
    local result = run({ "300", "sh", "-c", session }, { program = "timeout" })
    assert.equal(0, result.status)
    return (result.out:gsub("\r", ""))
  end

  it("edits, completes and remembers lines on a terminal", function()
    terminal.needed()
    child.with_folder(function(folder)
      local keys = {
        "name = { field = 5 }\r",
        "'sum', 1 + 12\b2\r", -- a mistake, taken back
        "'completed', na\t.fi\t\r",
        "from_file = { ['x\\27[2J'] = 1, xy = 6 }\r", -- whose first name is not offered
        "'offered', from_file.x\t\r",
        "'found', io.open('keys\t'):read(1)\r", -- the file of these keys, the only one
        "'option', data.loader({ x = wrun.ones(4, 1) }, { batch_si\t2 })\r",
        "for i = 1, 2 do\r",
        "print('line', i)\r",
        "end\r",
        "\27[A\2\2\2\2\2 * 10\r", -- the whole block, once more, its i changed
        "'é' .. 'ö\b'\r",
        "'lost\3", -- Ctrl-C
        "'kept'\r",
        "\27[A .. '!'\r", -- the line before, and more
        "\4", -- Ctrl-D
      }
      local shown = type_keys(folder, keys)
      for _, text in ipairs({
        "sum\t13", "completed\t5", "offered\t6", "found\tn",
        "option\tLoader(2 batches of 2, in order)", "line\t2", "line\t20", "é", "kept", "kept!",
      }) do
        assert.truthy(shown:find("\n" .. text .. "\n", 1, true), text .. " in " .. shown)
      end
      assert.is_nil(shown:find("\nlost", 1, true))
      local history = child.read(folder .. "/wrun/history")
      assert.truthy(history:find("\n'kept'\n'kept'\\040..\\040'!'\n", 1, true), history)
    end)
  end)

  it("shows help with a pager where it is longer than the terminal, and only then", function()
    terminal.needed()
    child.with_folder(function(folder)
      local shown = type_keys(folder, { "help\r", "help 'nothing'\r", "\4" },
        "stty rows 10 cols 100; PAGER='sed s/^/paged:/' ")
      assert.truthy(shown:find("\npaged:  nn          Neural networks\n", 1, true), shown)
      assert.truthy(shown:find("\nhelp: nothing has the name nothing", 1, true), shown)
      local plain = type_keys(folder, { "help\r", "\4" },
        "stty rows 10 cols 100; PAGER=/no/such/pager ")
      assert.truthy(plain:find("\n  nn          Neural networks\n", 1, true), plain)
    end)
  end)
end)
