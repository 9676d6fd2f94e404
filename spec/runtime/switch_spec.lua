--- What holds for the time of a call or a block: undone whatever ends it, and no other coroutine's.

local child = require "spec.support.child"
local wrun = require "wrun"

local zero = wrun.zeros(1, { requires_grad = true })

local function finds_anomalies()
  return not pcall(function()
    (zero:sqrt() * 0):sum():backward()
  end)
end

local function rng_state()
  return table.concat(wrun.get_rng_state():tolist(), " ")
end

--- The switches: by name the function that sets one, and what it sets.
local SWITCHES = {
  no_grad = { wrun.no_grad, wrun.is_grad_enabled },
  enable_grad = { wrun.enable_grad, wrun.is_grad_enabled, outside = wrun.no_grad },
  detect_anomaly = { wrun.autograd.detect_anomaly, finds_anomalies },
  fork_rng = { wrun.fork_rng, rng_state, inside = function() wrun.manual_seed(3) end },
}

for name, switch in pairs(SWITCHES) do
  local set, probe = table.unpack(switch)
  local outside = switch.outside or function(f, ...) return f(...) end
  local inside = switch.inside or function() end

  local function enter()
    inside()
    return probe()
  end

  describe(name, function()
    local before

    before_each(function()
      before = outside(probe)
    end)

    --- The scope's two forms: f(...) called in it.
    local FORMS = {
      ["of a call"] = set,
      ["of a block"] = function(f, ...)
        local _ <close> = set()
        return f(...)
      end,
    }

    for form, scoped in pairs(FORMS) do
      it("is undone after a return and after an error " .. form, function()
        outside(function()
          assert.are_not.equal(before, scoped(enter))
          assert.equal(before, probe())
          assert.is_false(pcall(scoped, function()
            enter()
            error("stop")
          end))
          assert.equal(before, probe())
        end)
      end)

      it("is its coroutine's, and its caller's only while that is inside, " .. form, function()
        outside(function()
          local within
          local step = coroutine.wrap(function()
            scoped(function()
              within = enter()
              coroutine.yield()
              assert.equal(within, probe())
              scoped(coroutine.yield)
              assert.equal(within, probe())
              assert.equal(within, coroutine.wrap(probe)())
            end)
            return probe()
          end)
          for _ = 1, 2 do
            step()
            assert.are_not.equal(before, within)
            assert.equal(before, probe())
          end
          local inner = scoped(function()
            local inner = enter()
            coroutine.wrap(function() scoped(coroutine.yield) end)()
            assert.equal(inner, probe())
            return inner
          end)
          assert.equal(within, inner)
          assert.equal(before, step())
          for _ = 1, 100 do -- abandoned
            coroutine.wrap(function() scoped(coroutine.yield) end)()
          end
          assert.equal(before, probe())
          collectgarbage()
          assert.equal(before, probe())
        end)
      end)
    end

    it("may be undone out of order", function()
      outside(function()
        local first, second = set(), set()
        local close = getmetatable(first).__close
        inside()
        close(first)
        close(second)
        close(second)
        assert.equal(before, probe())
      end)
    end)
  end)
end

describe("a guard that nothing holds", function()
  local TEXT = "guard:%d: %s: nothing holds its guard, so nothing would end it; write local _ "
    .. "<close> = before the call, or give it the function to call"

  local function run(code)
    local ok, message = pcall(assert(load("local wrun = ...\n" .. code, "=guard")), wrun)
    return ok or message
  end

  it("is refused at its line, when what it switches is next asked for, and once", function()
    for name, code in pairs {
      no_grad = "wrun.no_grad()", enable_grad = "wrun.enable_grad()",
      detect_anomaly = "wrun.autograd.detect_anomaly()",
    } do
      local after = "\nlocal x = wrun.ones(2, { requires_grad = true })\nx:sum():backward()"
      assert.equal(TEXT:format(2, name), run(code .. after))
      assert.is_true(run("assert(wrun.ones(1, { requires_grad = true }):sum().requires_grad)"))
    end
    assert.equal(TEXT:format(2, "fork_rng"), run("wrun.fork_rng()\nwrun.rand(1)"))
    assert.equal(TEXT:format(2, "no_grad"), run("local _ = { wrun.no_grad() } and nil\n"
      .. "wrun.ones(1, { requires_grad = true }):sum()"))
  end)

  it("is none where a variable, an argument or a caller holds it", function()
    local x = "wrun.ones(1, { requires_grad = true }):sum().requires_grad"
    assert.is_true(run("do local _ <close> = wrun.no_grad() assert(not " .. x .. ") end"))
    assert.is_true(run("local function off() return wrun.no_grad() end\n"
      .. "do local _ <close> = off() assert(not " .. x .. ") end assert(" .. x .. ")"))
    assert.is_true(run("local function held(g) local _ <close> = g return " .. x .. " end\n"
      .. "assert(not held(wrun.no_grad()))"))
    assert.is_true(run("assert(not coroutine.wrap(function() local _ <close> = wrun.no_grad()\n"
      .. "return " .. x .. " end)())"))
  end)
end)

it("switches are undone wherever a hook raises an error in a call", function()
  local function state()
    return { wrun.is_grad_enabled(), finds_anomalies(), rng_state() }
  end
  local function interrupted_at(n)
    local count = 0
    pcall(function()
      debug.sethook(function()
        count = count + 1
        if count == n then
          debug.sethook()
          error("interrupted")
        end
      end, "", 1)
      wrun.no_grad(function() wrun.enable_grad(wrun.is_grad_enabled) end)
      wrun.autograd.detect_anomaly(wrun.is_grad_enabled)
      wrun.fork_rng(function() wrun.manual_seed(1) end)
      debug.sethook()
    end)
    return count == n
  end
  local before, n = state(), 1
  while interrupted_at(n) do
    assert.same(before, state(), n)
    n = n + 1
  end
  assert.is_true(n > 20)
end)

describe("the hook of another host", function()
  -- As lua5.4's handler of SIGINT it raises once, at the call, the return or the instruction that
  -- comes next, and asks nobody.
  local PROGRAM = [[
    local wrun = require "wrun"
    collectgarbage("stop") -- what it collects, it ends
    local layer, x = wrun.nn.Linear(2, 2), wrun.ones(2, { requires_grad = true })
    local weight, other = layer.weight, wrun.ones(2, 2)
    local function finds_anomalies()
      local zero = wrun.zeros(1, { requires_grad = true })
      return not pcall(function() (zero:sqrt() * 0):sum():backward() end)
    end
    local function state()
      return table.concat({ tostring(wrun.is_grad_enabled()), tostring((x * 2).requires_grad),
        tostring(finds_anomalies()), table.concat(wrun.get_rng_state():tolist(), " "),
        tostring(layer.weight == weight) }, "|")
    end
    local programs = {
      { "call", function() wrun.no_grad(function() return x * 2 end) end },
      { "call of C", function() wrun.no_grad(wrun.exp, x) end },
      { "calls", function()
        wrun.no_grad(function() wrun.enable_grad(wrun.is_grad_enabled) end)
      end },
      { "block", function() local _ <close> = wrun.no_grad() return (x * 2) end },
      { "error", function() local _ <close> = wrun.no_grad() error("stop") end },
      { "blocks", function()
        local _ <close> = wrun.no_grad()
        do local _ <close> = wrun.enable_grad() end
        return (x * 2)
      end },
      { "anomaly", function() local _ <close> = wrun.autograd.detect_anomaly() end },
      { "fork", function() wrun.fork_rng(function() wrun.manual_seed(1) end) end },
      { "forks", function() local _ <close> = wrun.fork_rng() wrun.rand(1) end },
      { "coroutine", function()
        coroutine.wrap(function() local _ <close> = wrun.no_grad() coroutine.yield() end)()
      end },
      { "functional_call", function() wrun.nn.functional_call(layer, { weight = other }, x) end },
    }
    local function interrupted_at(n, program)
      local count = 0
      pcall(function()
        debug.sethook(function()
          count = count + 1
          if count == n then
            debug.sethook()
            error("interrupted!", 0)
          end
        end, "crl", 1)
        pcall(program)
        debug.sethook()
      end)
      return count == n
    end
    local before = state()
    for _, entry in ipairs(programs) do
      local name, program = table.unpack(entry)
      pcall(program)
      local n, wrong = 1, 0
      while interrupted_at(n, program) do
        wrong = wrong + (state() == before and 0 or 1)
        n = n + 1
      end
      print(name, n > 20, wrong)
    end]]

  it("leaves nothing switched, at whatever call or instruction it raises #many", function()
    local host = child.host(pending)
    if host then
      local result = child.run({ "-" }, { program = host.program, env = host.env, input = PROGRAM })
      assert.same({ err = "", status = 0 }, { err = result.err, status = result.status })
      local _, count = result.out:gsub("\ttrue\t0\n", "")
      assert.equal(11, count, result.out)
    end
  end)
end)
