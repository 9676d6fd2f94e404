--- Ctrl-C: an error where the script is, in whatever it does; the second kills.

local child = require "spec.support.child"
local terminal = require "spec.support.terminal"

local run = child.run

--- Runs a script in the background and sends SIGINT each time it has printed another line.
local function interrupt(script, times)
  local path = child.write(script)
  local out = os.tmpname()
  local command = ([[
    wrun %s >%s & child=$!
    for line in $(seq %d); do
      while [ "$(wc -l <%s)" -lt $line ]; do sleep 0.01; done
      kill -INT $child
    done
    wait $child]]):format(path, out, times, out)
  local result = run({ "300", "sh", "-c", command }, { program = "timeout" })
  result.out = child.read(out)
  result.err = result.err:gsub(path, "script")
  os.remove(path)
  os.remove(out)
  return result
end

describe("Ctrl-C", function()
  it("raises an error where the script is", function()
    local result = interrupt("print 'ready'\nwhile true do end", 1)
    local trace = "\nstack traceback:\n\tscript:2: in main chunk\n\t[C]: in ?\n"
    local err = "wrun: script:2: interrupted!" .. trace
    assert.same({ out = "ready\n", err = err, status = 130 }, result)
  end)

  it("names the script's line wherever in wrun's modules it comes", function()
    for _ = 1, 5 do
      local result = interrupt([[
        local wrun = require "wrun"
        local net = wrun.nn.Sequential { wrun.nn.Linear(1, 1), wrun.nn.ReLU() }
        local x = wrun.ones(1, 1)
        print "ready"
        while true do net(x) end]], 1)
      assert.matches("^wrun: script:5: interrupted!\n", result.err)
    end
  end)

  it("says which file was saved last, and how it is read", function()
    child.with_folder(function(folder)
      local result = interrupt(([[
        local wrun = require "wrun"
        wrun.save("%s/run.safetensors", { x = wrun.ones(2), epoch = 3 })
        print "ready"
        while true do end]]):format(folder), 1)
      assert.equal(130, result.status)
      local path = folder .. "/run.safetensors"
      assert.matches(('\nwrun: %s was saved; wrun.load("%s") reads it, to go on from there\n')
        :format(path, path), result.err, 1, true)
      assert.is_nil(result.err:find("^wrun: /"))
    end)
  end)

  it("wipes a progress bar before the message", function()
    terminal.needed()
    local path = child.write([[
      local progress = require "wrun.progress"
      local bar <close> = progress.bar { label = "x", count = 1e9 }
      local step = 0
      while true do
        step = step + 1
        bar:update(step)
        if bar.length > 0 then
          io.popen("kill -INT $PPID"):close()
        end
      end]])
    local command = "env TERM=xterm NO_COLOR=1 " .. child.quote(child.wrun) .. " " .. path
    local result = run({ "300", "script", "-qec", command, "/dev/null" }, { program = "timeout" })
    os.remove(path)
    assert.equal(130, result.status)
    assert.matches("left\r\27%[K[^\n]*wrun: [^\n]*interrupted!\r\n", result.out)
  end)

  it("reaches the coroutine that runs, however deep", function()
    local result = interrupt([[
      local inner = coroutine.wrap(function()
        coroutine.yield()
        print("ready")
        while true do end
      end)
      local outer = coroutine.create(function() inner() coroutine.wrap(inner)() end)
      print(coroutine.resume(outer))]], 1)
    assert.equal(0, result.status)
    assert.truthy(result.out:find("false\t.*:4: interrupted!\n$"), result.out)
  end)

  it("reaches the script again after a coroutine has yielded, ended or failed", function()
    for _, body in ipairs({ "coroutine.yield()", "return", "error('x')" }) do
      local script = [[
        pcall(coroutine.wrap(function() %s end))
        collectgarbage()
        print "ready"
        while true do end]]
      local result = interrupt(script:format(body), 1)
      assert.equal(130, result.status)
      assert.truthy(result.err:find("^wrun: script:4: interrupted!\n"), result.err)
    end
  end)

  it("kills when it comes again", function()
    local result = interrupt([[
      print("ready")
      print(pcall(function() while true do end end))
      while true do end]], 2)
    assert.equal(130, result.status)
    assert.truthy(result.out:find("interrupted!", 1, true), result.out)
  end)

  it("reaches what coroutine.close and a failed coroutine.wrap close", function()
    for _, ending in ipairs({ "coroutine.close(co)", "pcall(wrapped)" }) do
      local result = interrupt([[
        local function closing()
          local _ <close> = setmetatable({}, { __close = function()
            print("ready")
            while true do end
          end })
          coroutine.yield()
          error("x")
        end
        local co, wrapped = coroutine.create(closing), coroutine.wrap(closing)
        coroutine.resume(co)
        wrapped()
        print(]] .. ending .. ")", 1)
      assert.equal(0, result.status)
      assert.truthy(result.out:find("false\t.*:4: interrupted!\n$"), result.out)
    end
  end)

  it("is not lost where the coroutine it reaches ends", function()
    local result = interrupt([[
      local pipe = io.popen("kill -INT $PPID") -- while a coroutine waits in C
      coroutine.wrap(pipe.close)(pipe)
      while true do end]], 0)
    assert.equal(130, result.status)
    assert.truthy(result.err:find("^wrun: script:%d: interrupted!\n"), result.err)
  end)

  -- Each statement of a session is a round; WRUN_INTERRUPTS=5000 makes as many.
  it("leaves no switch changed, wherever it comes #many", function()
    local count, rounds = tonumber(os.getenv("WRUN_INTERRUPTS")) or 200, {}
    for n = 1, count do
      rounds[n] = ("round(%d)\n"):format(n)
    end
    local setup = '_PROMPT = "" round = require "spec.support.interrupted"'
    local result = run({ "300", "wrun", "-i", "-e", setup },
      { program = "timeout", input = table.concat(rounds) })
    assert.equal("", result.err)
    local _, right = result.out:gsub("right\n", "")
    assert.equal(count, right, result.out)
    assert.equal(0, result.status)
  end)

  it("that ended a command of os.execute ends the script, as it ends a shell's", function()
    local result = run({ "-e", [[
      print(pcall(os.execute, "kill -INT $$"))
      print(os.execute("kill -TERM $$"))
      print(os.execute("exit 130"))
      os.execute("kill -INT $$")
      print("not reached")]] })
    assert.equal("false\t(command line):1: interrupted!\nnil\tsignal\t15\nnil\texit\t130\n",
      result.out)
    assert.truthy(result.err:find("^wrun: %(command line%):4: interrupted!\n"), result.err)
    assert.equal(130, result.status)
  end)
end)

describe("what computes", function()
  -- In a finaliser no hook runs, so that an interrupt that came is seen by what computes alone. Each
  -- operation is called there: it raises, or its results are those of a call before.
  local FINALISER = [[
    local core, operations = require "wrun.core", require "wrun.operations"
    local wrun = require "wrun"

    local generator = wrun.Generator({ seed = 5 })
    local function randn(...)
      return wrun.randn({ ... }, { dtype = "float64", generator = generator })
    end

    local calls = {}
    for name, row in pairs(operations.rows) do
      if row.sample then
        local arguments = table.pack(row.sample(randn))
        calls[name] = function()
          return operations[name](table.unpack(arguments, 1, arguments.n))
        end
      end
    end
    local a, b, c = wrun.rand(300, 300), wrun.rand(300, 300), wrun.rand(300, 300)
    local bits = wrun.randint(0, 9, { 300, 300 })
    for _, operation in ipairs(core.elementwise_rows()) do
      local takes_bits = operation.kind == "bitwise" or operation.kind == "shift"
      local arguments = takes_bits and { bits, bits } or { a, b, c }
      calls[operation.name] = function()
        return operations[operation.name](table.unpack(arguments, 1, operation.arity))
      end
    end

    local w = wrun.ones(300, 300, { requires_grad = true })
    local adam = wrun.optim.Adam({ w }, { lr = 1 })
    w:sum():backward()
    local loss = (w * a):square():sum()
    local MUST_STOP = {
      "add", "sum", "matmul", "softmax", "cumsum",
      "rand", "randn", "randint", "randperm", "bernoulli", "poisson", "multinomial", "uniform_",
      "random_", "sort", "searchsorted", "backward", "integers",
    }
    for _, name in ipairs({ "rand", "randn", "randperm" }) do
      calls[name] = function() return wrun[name](1000, { generator = wrun.Generator() }) end
    end
    for _, name in ipairs({ "uniform_", "random_" }) do
      calls[name] = function() return wrun.zeros(50)[name](wrun.zeros(50)) end
    end
    calls.randint = function() return wrun.randint(5, { 1000 }) end
    calls.bernoulli = function() return wrun.bernoulli(a) end
    calls.poisson = function() return wrun.poisson(a) end
    calls.multinomial = function() return wrun.multinomial(a, 5) end
    calls.sort = function() return a:sort() end
    calls.searchsorted = function() return wrun.searchsorted(wrun.ones(3), a) end
    calls.backward = function() return loss:backward(nil, { retain_graph = true }) end
    calls.integers = function() return a:long():matmul(b:long()) end
    local function called(name)
      return wrun.fork_rng(function() return table.pack(pcall(calls[name])) end)
    end
    local before = {}
    for name in pairs(calls) do
      before[name] = called(name)
    end

    local function is_whole(result, expected)
      for i = 1, expected.n do
        if wrun.is_tensor(expected[i]) then
          local same = result[i]:eq(expected[i]):logical_or(expected[i]:ne(expected[i]))
          if not same:all():item() then
            return false
          end
        end
      end
      return true
    end

    local after = {}
    setmetatable({}, { __gc = function()
      io.popen("kill -INT $PPID"):close()
      for name in pairs(calls) do
        after[name] = called(name)
      end
      after.step = table.pack(pcall(adam.step, adam))
    end })
    local ok, message = pcall(function()
      collectgarbage()
      while true do end
    end)
    assert(message:find("interrupted!$") and not ok)
    local stopped, whole = 0, 0
    for name, result in pairs(after) do
      if result[1] == false and before[name][1] then
        stopped = stopped + 1
        assert(result[2]:find("interrupted!$"), result[2])
      elseif name ~= "step" then
        whole = whole + 1
        assert(is_whole(result, before[name]), name)
      end
    end
    for _, name in ipairs(MUST_STOP) do
      assert(after[name] and after[name][1] == false, name)
    end
    assert(after.step[1] and w:abs():lt(1e-3):all():item()) -- lr and a sign from 1
    print(stopped > whole)
  ]]

  it("stops at Ctrl-C or gives whole results, and steps of optimisers are whole", function()
    local path = child.write(FINALISER)
    local result = run({ "300", "wrun", path }, { program = "timeout" })
    os.remove(path)
    assert.same({ out = "true\n", err = "", status = 0 }, result)
  end)

  it("stops at Ctrl-C long before its end", function()
    local LONG = {
      "wrun.ones(1, 1000000):expand(10000000, 1, 1000000):matmul(wrun.ones(1000000, 1))",
      "wrun.rand(10000):multinomial(1e9, true)",
      "wrun.ones(3000, 3000):long():matmul(wrun.ones(3000, 3000):long())",
      "wrun.rbm.new({ visible = 784, hidden = 25 }):log_z()",
      'wrun.data.csv("/dev/zero")',
      "wrun.data.npy(PIPE)",
    }
    for _, call in ipairs(LONG) do
      local result = interrupt(([[
        local wrun = require "wrun"
        wrun.rbm = wrun.rbm
        local PIPE <const> = os.tmpname() -- which somebody opens, and writes nothing to
        os.execute(("rm %%s && mkfifo %%s"):format(PIPE, PIPE))
        os.execute(("timeout 9 sh -c 'exec sleep 9 >%%s' &"):format(PIPE))
        local ok, message = pcall(function()
          print("ready")
          local y = %s
        end)
        os.remove(PIPE)
        io.stderr:write(tostring(message), "\n")
        print(wrun.ones(3, 3):matmul(wrun.ones(3, 3)):sum():item())]]):format(call), 1)
      assert.equal("script:8: interrupted!\n", result.err)
      assert.equal("ready\n27.0\n", result.out)
      assert.equal(0, result.status)
    end
  end)
end)
