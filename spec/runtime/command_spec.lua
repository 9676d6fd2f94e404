--- The wrun command: what it does as lua5.4 does, its own options, lost output.

local child = require "spec.support.child"

local run, quote, with_file = child.run, child.quote, child.with_file

local ARGUMENTS = [[
#!/usr/bin/env wrun
print("got", select("#", ...), ...)
for i = -20, 20 do
  local is_interpreter = arg[i] and not arg[i - 1]
  if arg[i] and not is_interpreter then
    print(i, arg[i])
  end
end
]]

local BANNER = "^[^\n]*Lua 5.4.%d+ .-\n%f[>$]" -- of a session, to its first prompt

--- What both interpreters must do alike: arguments, options of child.run, and a pattern to ignore.
--- SCRIPT stands for a file that holds ARGUMENTS.
local ALIKE = {
  ["passes arguments to a script"] = { { "SCRIPT", "a", "-e", "b c", "" } },
  ["counts options before the script backwards"] = { { "-e", "x = 1", "-W", "SCRIPT", "a" } },
  ["takes the value of an option from the same word"] = { { "-ex = 1", "-e", "print(x)" } },
  ["ends its options at --"] = { { "--", "SCRIPT", "-e" } },
  ["runs standard input for -"] = { { "-", "a", "b" }, { input = ARGUMENTS } },
  ["runs standard input that is no terminal"] = { {}, { input = "print(arg[0] ~= nil, ...)" } },
  ["runs statements in their order"] = { { "-e", "x = 1", "-e", "print(x)", "-e", "x = 2" } },
  ["does not read standard input after -e"] = { { "-e", "print(1)" }, { input = "print(2)" } },
  ["requires a library"] = { { "-l", "lfs", "-e", "print(type(lfs))" } },
  ["requires a library into another global"] = { { "-lf=lfs", "-e", "print(type(f))" } },
  ["says where a library was looked for"] = {
    { "-l", "no.such" },
    ignore = "\n\tno file 'lua/[^\n]*' in wrun",
  },
  ["reports a missing script"] = { { "nosuch.lua" } },
  ["reports a syntax error"] = { { "-e", "x =" } },
  ["traces back an error"] = { { "-e", "local function f() error('boom') end f()" } },
  ["leaves a long traceback short"] = {
    { "-" },
    { input = "local function f(n) if n == 0 then error('deep') end return (f(n - 1)) end f(40)" },
  },
  ["reports an error that is a table"] = { { "-e", "error({})" } },
  ["reports an error that is nil"] = { { "-e", "error()" } },
  ["reports an error that is a number"] = { { "-e", "error(12)" } },
  ["lets an error object speak for itself"] = {
    { "-e", "error(setmetatable({}, { __tostring = function() return 'mine' end }))" },
  },
  ["exits with true"] = { { "-e", "os.exit(true)" } },
  ["exits with false"] = { { "-e", "os.exit(false)" } },
  ["exits with a number"] = { { "-e", "os.exit(7)" } },
  ["closes the state at the end"] = {
    { "-e", "setmetatable({}, { __gc = function() print('closed') end })" },
  },
  ["closes the state when os.exit asks for it"] = {
    { "-e", "x = setmetatable({}, { __gc = function() print('closed') end }) os.exit(3, true)" },
  },
  ["does not close it when os.exit does not"] = {
    { "-e", "x = setmetatable({}, { __gc = function() print('closed') end }) os.exit(3)" },
  },
  ["keeps warnings quiet"] = {
    { "-e", "warn('a') warn('@on') warn('b', 'c') warn('@off') warn('d')" },
  },
  ["shows warnings with -W"] = { { "-W", "-e", "warn('a', 'b')" } },
  ["runs LUA_INIT"] = { { "-e", "print(x)" }, { env = "LUA_INIT='x = 1'" } },
  ["prefers LUA_INIT_5_4"] = {
    { "-e", "print(x)" },
    { env = "LUA_INIT='x = 1' LUA_INIT_5_4='x = 2'" },
  },
  ["names LUA_INIT in errors"] = { { "-e", "print(1)" }, { env = "LUA_INIT='error(\"a\")'" } },
  ["stops when LUA_INIT fails"] = { { "-e", "print(1)" }, { env = "LUA_INIT='x ='" } },
  ["reads LUA_INIT from a file"] = { { "-e", "print(1)" }, { env = "LUA_INIT=@SCRIPT" } },
  ["ignores the environment with -E"] = {
    { "-E", "-e", "print(x, package.path:find('here', 1, true))" },
    { env = "LUA_INIT='x = 1' LUA_PATH=here" },
  },
  ["reports bad arguments of functions it replaces"] = {
    { "-" },
    {
      input = [[
        for _, case in ipairs {
          { load }, { load, {} }, { load, "x", {} }, { load, "x", "n", {} }, { loadfile, {} },
          { loadfile, nil, {} }, { dofile, "nosuch" }, { coroutine.resume, 1 }, { coroutine.wrap },
        } do print(pcall(table.unpack(case))) end]],
    },
  },
  ["loads text in every way"] = {
    { "-" },
    {
      input = [[
        print(load("return 1")(), load("return x", "n", "t", { x = 2 })(), load("x ="))
        print(select("#", load("return 1")), pcall(load("return x.y", "=n", nil, nil)))
        local parts, i = { "return ", "3" }, 0
        print(load(function() i = i + 1 return parts[i] end)())
        print(load("return 1", "=n", "b"))
        print(loadfile("nosuch"))
        package.path = nil
        print(pcall(require, "nosuch"))]],
    },
    ignore = "%(mode is '[^']*'%)",
  },
  ["names whoever made Lua in its version"] = {
    { "-v", "-e", "print(1)" },
    ignore = "^[%w. ]*%f[L]Lua 5.4",
  },
  ["begins its messages with the name it was called by"] = { { "-e", "error('a', 0)" } },
  ["refuses short options that are combined"] = { { "-vi" }, ignore = "\nusage:.*" },
  ["needs a table of arguments"] = { { "-e", "arg = 1", "SCRIPT" } },
  ["shows a session that comes from a pipe"] = {
    { "-i" },
    { input = "1 + 1\n=f or\n'a'\nx = [[\nb]]\nx\n\nlocal y = 1\ny\nx =+\nerror('c')\n" },
    ignore = BANNER,
  },
  ["takes its prompts from anything with a text"] = {
    { "-e", "_PROMPT = setmetatable({}, { __tostring = function() return '$ ' end }) _PROMPT2 = 3",
      "-i" },
    { input = "f(\n1)\n2\n" },
    ignore = BANNER,
  },
  ["refuses to resume with more than fits"] = {
    { "-" },
    {
      input = [[
        local function full() return coroutine.yield(table.unpack({}, 1, 900000)) end
        local function many() return table.unpack({}, 1, 200000) end
        local co = coroutine.create(function() full() end)
        print(coroutine.resume(co) and coroutine.resume(co, many()))
        print(coroutine.resume(co, many()))
        print(coroutine.status(co), coroutine.resume(co))
        local w = coroutine.wrap(function() full() end)
        w()
        print(pcall(w, many()))
        print(pcall(w))]],
    },
  },
  ["runs coroutines"] = {
    { "-" },
    {
      input = [[
        local co = coroutine.create(function(...)
          print(...)
          print(coroutine.yield(1, 2))
          error("late")
        end)
        print(coroutine.resume(co, "a", "b"))
        print(coroutine.resume(co, "c"))
        print(coroutine.resume(co))
        print(coroutine.resume(coroutine.running()))
        for size = 999900, 999990, 5 do -- the stack has room for the results only once
          local full = coroutine.create(function() return table.unpack({}, 1, size) end)
          local room, message = coroutine.resume(full)
          if not room then print(message:match("too many results to resume")) break end
        end
        local closing = setmetatable({}, { __close = function(_, e) print("closed", e) end })
        local w = coroutine.wrap(function() local _ <close> = closing error("inside") end)
        print(pcall(w))
        print(pcall(w))
        local function squares() for i = 1, 3 do coroutine.yield(i, i * i) end end
        for i, square in coroutine.wrap(squares) do print(i, square) end
        local function depth(n)
          local ok, deepest = pcall(coroutine.wrap(depth), n + 1)
          return ok and deepest or n
        end
        print(depth(1))
        coroutine.wrap(function() error("uncaught") end)()]],
    },
  },
}

describe("wrun, like lua5.4,", function()
  for title, case in pairs(ALIKE) do
    it(title, function()
      with_file(ARGUMENTS, function(path)
        local results = {}
        for _, program in ipairs({ "lua5.4", "wrun" }) do
          local arguments, options = {}, {}
          for i, argument in ipairs(case[1]) do
            arguments[i] = argument:gsub("SCRIPT", path)
          end
          for name, value in pairs(case[2] or {}) do
            options[name] = value:gsub("SCRIPT", path)
          end
          options.program = program
          local result = run(arguments, options)
          result.err = result.err:gsub("%f[^\n\0]lua5.4: ", "wrun: "):gsub(case.ignore or "$", "")
          result.out = result.out:gsub(case.ignore or "$", "")
          results[#results + 1] = result
        end
        assert.same(results[1], results[2])
      end)
    end)
  end
end)

--- What differs on purpose, as the head of main.c lists it: arguments, options of child.run, and
--- the output and status of lua5.4 and of wrun.
local DIFFERENT = {
  ["refuses bytecode"] = {
    { "-e", "print(load(string.dump(function() return 1 end)) ~= nil)" }, {},
    { "true\n", 0 }, { "false\n", 0 },
  },
  ["fails when standard input fails as a script"] = {
    {}, { input = "print(1) error()" },
    { "1\n", 0 }, { "1\n", 1 },
  },
  ["refuses names of files that hold zero bytes"] = {
    { "-e", "for _, f in ipairs { loadfile, dofile } do print(select(-1, pcall(f, '/\\0x'))) end" },
    {},
    { ("cannot read /: Is a directory\n"):rep(2), 0 },
    {
      "bad argument #1 to 'loadfile' (string contains zeros)\n"
        .. "bad argument #1 to 'dofile' (string contains zeros)\n",
      0,
    },
  },
  ["shows no terminal the control characters of a message"] = {
    { "-e", "error('\27[31m\u{9b}31m\xff\u{e9}', 0)" }, { after = "2>&1 | sed -n '1s/.*: //p'" },
    { "\27[31m\u{9b}31m\xff\u{e9}\n", 0 }, { "\\x1b[31m\\xc2\\x9b31m\\xff\u{e9}\n", 0 },
  },
  ["fails when its output is lost"] = {
    { "-e", "print(1)" }, { after = ">&-" },
    { "", 0 }, { "", 1 },
  },
  ["finds modules inside itself"] = {
    { "-l", "wrun.check", "-e", "print(1)" }, { env = "LUA_PATH= LUA_CPATH=" },
    { "", 1 }, { "1\n", 0 },
  },
}

describe("wrun, unlike lua5.4,", function()
  for title, case in pairs(DIFFERENT) do
    it(title, function()
      for i, program in ipairs({ "lua5.4", "wrun" }) do
        local options = { program = program }
        for name, value in pairs(case[2]) do
          options[name] = value
        end
        local result = run(case[1], options)
        assert.same(case[2 + i], { result.out, result.status })
      end
    end)
  end
end)

describe("wrun's options", function()
  it("are explained by --help", function()
    local result = run({ "--help", "nosuch.lua" })
    assert.equal(0, result.status)
    assert.equal("", result.err)
    assert.equal("usage: wrun [options] [script [args]]", result.out:match("^[^\n]*"))
    for option in ("-e -i -l -v -E -W --threads --help --version -- -"):gmatch("%S+") do
      assert.truthy(result.out:find("\n  " .. option .. " ", 1, true), option)
    end
  end)

  it("lists the scripts inside wrun, with what each is", function()
    local help, count = run({ "--help" }).out, 0
    for path in child.shell("ls scripts/*.lua").out:gmatch("scripts/(%S+)") do
      assert.matches("\n  " .. path:gsub("%.", "%%.") .. " +%u[^\n]* %w", help)
      count = count + 1
    end
    assert.is_true(count >= 8)
  end)

  it("show what wrun runs on with --version", function()
    local result = run({ "--version" })
    assert.equal(0, result.status)
    local lines = {}
    for line in result.out:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.equal("wrun 0.1.0", lines[1])
    assert.truthy(lines[2]:find("^Lua 5%.4%.%d+$"), lines[2])
    assert.truthy(lines[3]:find("^OpenBLAS %d+%.%d+%.%d+"), lines[3])
    assert.truthy(lines[4]:find("^vector path: %w+$"), lines[4])
    assert.truthy(lines[5]:find("^bits: of "), lines[5])
    assert.truthy(lines[6]:find("^threads: %d+$"), lines[6])
    assert.equal(6, #lines)
    assert.truthy(run({ "--threads", "7", "--version" }).out:find("threads: 7\n", 1, true))
  end)

  it("show the version with -v and go on", function()
    local result = run({ "-v", "-e", "print(1)" })
    assert.truthy(result.out:find("^wrun 0%.1%.0 on Lua 5%.4%.%d+ [^\n]+\n1\n$"), result.out)
  end)

  it("are refused when unknown or incomplete, with the usage", function()
    local bad = {
      ["-x"] = "unrecognized option '-x'",
      ["-vi"] = "unrecognized option '-vi'",
      ["--nosuch"] = "unrecognized option '--nosuch'",
      ["--helpful"] = "unrecognized option '--helpful'",
      ["-e"] = "'-e' needs argument",
      ["-l"] = "'-l' needs argument",
      ["--threads"] = "'--threads' needs argument",
    }
    for option, message in pairs(bad) do
      local result = run({ option })
      assert.equal(1, result.status)
      assert.equal("", result.out)
      assert.equal("wrun: " .. message .. "\nusage: wrun", result.err:sub(1, #message + 18))
      assert.equal(1, run({ option, "-E" }).status)
    end
  end)

  it("take a number of threads in either form", function()
    local show = { "-e", "print(debug.getregistry()['wrun.threads'])" }
    assert.equal("nil\n", run(show).out)
    assert.equal("3\n", run({ "--threads", "3", table.unpack(show) }).out)
    assert.equal("256\n", run({ "--threads=256", table.unpack(show) }).out)
    for _, value in ipairs({ "0", "257", "-1", "two", "1.5", "", "99999999999999999999" }) do
      local result = run({ "--threads=" .. value, table.unpack(show) })
      assert.equal(1, result.status)
      local expected = "wrun: --threads: expected a whole number from 1 to 256, got '%s'\n"
      assert.equal(expected:format(value), result.err)
    end
  end)

  it("end at the script's name", function()
    with_file("print(...)", function(path)
      assert.equal("--help\t--threads\n", run({ path, "--help", "--threads" }).out)
    end)
  end)
end)

describe("output that cannot be written", function()
  local lost = "wrun: cannot write standard output: No space left on device\n"

  it("is an error, however the script ends", function()
    if not os.execute("test -c /dev/full") then
      pending("/dev/full is not a device here")
      return
    end
    for _, ending in ipairs({ "", "os.exit()", "os.exit(0, true)", "os.exit(7)" }) do
      for _, output in ipairs({ "print(1)", "io.write(1)", "io.write(('x'):rep(100000))" }) do
        local result = run({ "-e", output .. " " .. ending }, { after = ">/dev/full" })
        assert.same({ out = "", err = lost, status = 1 }, result)
      end
    end
    assert.same({ out = "", err = lost, status = 1 }, run({ "--help" }, { after = ">/dev/full" }))
  end)

  it("is none when there is none", function()
    if not os.execute("test -c /dev/full") then
      pending("/dev/full is not a device here")
      return
    end
    assert.equal(0, run({ "-e", "x = 1" }, { after = ">/dev/full" }).status)
    assert.equal(7, run({ "-e", "os.exit(7)" }, { after = ">/dev/full" }).status)
    assert.equal(0, run({ "-e", "x = 1" }, { after = ">&-" }).status)
    assert.equal(1, run({ "-e", "print(1)" }, { after = ">&-" }).status)
  end)

  it("ends wrun by SIGPIPE when nobody reads on", function()
    local status = os.tmpname()
    local endless = quote("while true do print(1) end")
    local command = "{ %s -e %s; echo $? >%s; } | head -n 1"
    child.shell(command:format(quote(child.wrun), endless, status))
    assert.equal("141\n", child.read(status))
    os.remove(status)
  end)
end)

describe("a script in another folder", function()
  local function with_scripts(use)
    child.with_folder(function(folder)
      child.write("print(require 'part')", folder .. "/main.lua")
      child.write("return 'found'", folder .. "/part.lua")
      use(folder)
    end)
  end

  it("requires what lies beside it", function()
    with_scripts(function(folder)
      local expected = ("found\t%s/part.lua\n"):format(folder)
      assert.same({ out = expected, err = "", status = 0 }, run({ folder .. "/main.lua" }))
    end)
  end)

  it("finds that before what has the same name elsewhere", function()
    with_scripts(function(folder)
      local elsewhere = folder .. "/elsewhere"
      child.shell("mkdir " .. elsewhere)
      child.write("return 'wrong'", elsewhere .. "/part.lua")
      local result = run({ folder .. "/main.lua" }, { env = "LUA_PATH=" .. elsewhere .. "/?.lua" })
      assert.matches("^found\t", result.out)
    end)
  end)

  it("runs where package.path is no text, and in a folder whose name stands for others", function()
    with_scripts(function(folder)
      child.write("print(...)", folder .. "/bare.lua")
      for _, change in ipairs { "package.path = 7", "package = nil",
        "package.loaded.package = 1" } do
        local result = run({ "-e", change, folder .. "/bare.lua", "x" })
        assert.same({ out = "x\n", err = "", status = 0 }, result)
      end
      child.shell(("cd %s && mkdir 'a;b?c' && cp main.lua part.lua 'a;b?c'"):format(folder))
      local result = run({ folder .. "/a;b?c/main.lua" })
      assert.matches("module 'part' not found", result.err)
    end)
  end)
end)
