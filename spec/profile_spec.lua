--- wrun --profile: calls, bytes and FLOPs beside counts by hand, and a trace beside the fields that
--- Chrome's Trace Event Format documents, read by Python's json.

local child = require "spec.support.child"

local READ = [==[
import json, sys
trace = json.load(open(sys.argv[1]))
other, ends = trace["otherData"], []
for e in trace["traceEvents"]:
    assert e["ph"] == "X" and e["pid"] == 1 and e["tid"] == 1, e
    assert isinstance(e["name"], str) and e["cat"] in ("operation", "layer", "collector"), e
    assert 0 <= e["ts"] and 0 <= e["dur"] and e["ts"] + e["dur"] <= 1e6 * other["seconds"], e
for e in sorted(trace["traceEvents"], key=lambda e: (e["ts"], -e["dur"])):
    while ends and ends[-1] <= e["ts"] + 0.01:
        ends.pop()
    assert not ends or e["ts"] + e["dur"] <= ends[-1] + 0.01, "crosses another: %s" % e
    ends.append(e["ts"] + e["dur"])
counts = {}
for e in trace["traceEvents"]:
    row = counts.setdefault((e["cat"], e["name"]), [0, 0, 0])
    row[0] += 1
    row[1] += e["args"]["bytes"]
    row[2] += e["args"]["flops"]
for row in other["operations"]:
    assert counts[("operation", row["name"])] == [row["calls"], row["bytes"], row["flops"]], row
for kind in "operations", "layers":
    for row in other[kind]:
        print(kind, row["name"], row["calls"], row["bytes"], row["flops"], sep="|")
]==]

--- Runs a script with --profile; returns what came of it, and counts.operations["add"] =
--- "calls bytes FLOPs", counts.layers likewise.
local function profiled(script, arguments)
  local result, counts
  child.with_folder(function(folder)
    local path = folder .. "/trace.json"
    child.with_file(script, function(script_path)
      result = child.run({ "--profile=" .. path, script_path, table.unpack(arguments or {}) })
    end)
    result.err = result.err:gsub(folder:gsub("%p", "%%%0"), "FOLDER")
    local read = child.shell(("python3 -c %s %s"):format(child.quote(READ), path))
    assert.equal("", read.err)
    counts = { operations = {}, layers = {} }
    for kind, name, calls, bytes, flops in read.out:gmatch("(%w+)|([^|\n]*)|(%d+)|(%d+)|(%d+)") do
      counts[kind][name] = ("%s %s %s"):format(calls, bytes, flops)
    end
  end)
  return result, counts
end

local TRAINING = [[
local wrun = require "wrun"
local nn = wrun.nn
local model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
local x = wrun.ones(3, 5)
for _ = 1, 7 do
  model:zero_grad()
  model(x):sum():backward()
end
print(wrun.fingerprint(nn.init.apply(model, "ones")))
]]

describe("wrun --profile", function()
  it("counts calls, bytes and FLOPs of each operation", function()
    local _, counts = profiled([[
      local wrun = require "wrun"
      local a, b = wrun.ones(2, 3), wrun.ones(3, 4)
      for _ = 1, 5 do local _ = a:matmul(b) end
      local _ = a + 1, a + a
      a:mul_(2)
      a:double():exp()
      local _ = a:t(), a:float(), a:reshape(3, 2), a:sum()
      local _ = wrun.zeros(1000, 10):index_select(1, wrun.tensor { 7, 9 })]])
    local c = counts.operations
    assert.equal(("5 %d %d"):format(5 * 4 * (2 * 3 + 3 * 4 + 2 * 4), 5 * 2 * 2 * 3 * 4), c.matmul)
    assert.equal(("2 %d %d"):format(4 * (6 + 6) + 4 * (6 + 6 + 6), 6 + 6), c.add)
    assert.equal(("1 %d %d"):format(4 * (6 + 6), 6), c.mul_)
    assert.equal(("1 %d %d"):format(8 * (6 + 6), 6), c.exp)
    assert.equal("1 0 0", c.transpose)
    assert.equal("1 0 0", c.reshape)
    assert.equal(("2 %d 0"):format(4 * 6 + 8 * 6), c.to) -- to float it was already
    assert.equal(("1 %d 0"):format(4 * 6 + 4), c.sum)
    assert.equal(("1 %d 0"):format(2 * 8 + 2 * 2 * 10 * 4), c.index_select)
  end)

  it("counts the walk backward, and what each layer computes in both directions", function()
    local _, counts = profiled(TRAINING)
    local c, layers = counts.operations, counts.layers
    local products = 2 * 3 * (5 * 4 + 4 * 2) -- of a batch of 3
    assert.equal(7 * products, tonumber(c.linear:match("%d+$")))
    assert.equal(7 * products, tonumber(c._linear_weight_gradient:match("%d+$")))
    assert.equal(("7 %d %d"):format(7 * 4 * (3 * 2 + 4 * 2 + 3 * 4), 7 * 2 * 3 * 4 * 2),
      c._linear_input_gradient) -- of the second layer alone: x wants no gradient
    assert.equal(("7 %d %d"):format(7 * 4 * 3 * (3 * 4), 7 * 3 * 4), c.ReluBackward0)
    assert.equal("7 0 0", c.backward)
    assert.equal(("7 %d %d"):format(7 * 4 * (2 + 3) * (3 * 4), 7 * 2 * 3 * 4),
      layers["Sequential[2] ReLU"])
    assert.equal(7 * 2 * 2 * 3 * 5 * 4,
      tonumber(layers["Sequential[1] Linear(5 -> 4)"]:match("%d+$")))
    assert.equal(7 * 3 * 2 * 3 * 4 * 2,
      tonumber(layers["Sequential[3] Linear(4 -> 2)"]:match("%d+$")))
    assert.equal("7 0 0", layers.Sequential)
  end)

  it("counts the step of an optimiser: parameters, gradients and states", function()
    local _, counts = profiled([[
      local wrun = require "wrun"
      local p = wrun.nn.Parameter(wrun.ones(10))
      local optimizer = wrun.optim.Adam({ p })
      for _ = 1, 2 do
        p.grad = wrun.ones(10)
        optimizer:step()
      end]])
    local first, second = 2 + 1, 2 + 1 + 2 * 2 -- the first makes the states
    assert.equal(("2 %d 0"):format(4 * 10 * (first + second)), counts.operations.adam_step)
  end)

  it("changes no bit", function()
    local result = profiled(TRAINING)
    child.with_file(TRAINING, function(path)
      assert.equal(child.run({ path }).out, result.out)
    end)
  end)

  it("says how the time is shared, and what took longest first", function()
    local result = profiled(TRAINING)
    assert.equal(0, result.status)
    for _, pattern in ipairs {
      "^profile +seconds +share\noperations .-\ncollector .-\nLua and waiting .-\nall .- 100.0 %%",
      "\npeak: [%d.]+ [kMGT]FLOP/s in a product, [%d.]+ [kMGT]bytes/s in a copy, on %d threads?\n",
      "\n\noperation +calls +seconds +share +bytes +FLOPs +bytes/s +FLOP/s +of peak\n",
      "\n\nlayer +calls +forward +backward +share +bytes +FLOPs +bytes/s +FLOP/s +of peak\n",
      "\ntrace: FOLDER/trace.json; Perfetto and chrome://tracing show it\n$",
    } do
      assert.matches(pattern, result.err)
    end
    local rows, last = result.err:match("\noperation .-\n(.-)\n\n"), math.huge
    for seconds in rows:gmatch("%d +(%d+%.%d+) +%d+%.%d %%") do
      assert.is_true(tonumber(seconds) <= last)
      last = tonumber(seconds)
    end
    assert.is_true(last < math.huge)
  end)

  it("times the collector", function()
    local result, counts = profiled([[
      local wrun = require "wrun"
      for _ = 1, 200 do local _ = wrun.zeros(100000) end]])
    assert.equal(("200 %d 0"):format(200 * 400000), counts.operations.zeros)
    assert.is_nil(result.err:find("\ncollector +- "))
  end)

  it("tells what there is where the script fails, and counts no call that failed", function()
    local result, counts = profiled([[
      local wrun = require "wrun"
      local nn = wrun.nn
      local layer = nn.Linear(3, 2)
      for _ = 1, 4 do pcall(layer, wrun.ones(5, 7)) end
      layer(wrun.ones(5, 3))
      error("on purpose")]])
    assert.equal(1, result.status)
    assert.matches("^wrun: [^\n]*: on purpose\n", result.err)
    assert.matches("\nlinear +1 ", result.err)
    assert.equal(("1 %d %d"):format(4 * (15 + 6 + 2 + 10), 2 * 5 * 3 * 2), counts.operations.linear)
    assert.equal(counts.operations.linear, counts.layers["Linear(3 -> 2)"])
  end)

  it("does so after Ctrl-C and os.exit too", function()
    local result, counts = profiled([[
      local wrun = require "wrun"
      local a = wrun.ones(2)
      while true do
        a:neg()
        io.popen("kill -INT $PPID"):close()
      end]])
    assert.equal(130, result.status)
    assert.equal("1 16 2", counts.operations.neg)
    result, counts = profiled('require("wrun").ones(2):neg() os.exit(7)')
    assert.equal(7, result.status)
    assert.equal("1 16 2", counts.operations.neg)
  end)

  it("stays right with coroutines that begin in a layer and end outside, or never", function()
    local _, counts = profiled([[
      local wrun = require "wrun"
      local Pausing = wrun.nn.Module:extend("Pausing")
      function Pausing:forward(x)
        coroutine.yield()
        return -x
      end
      local x = wrun.ones(2)
      for i = 1, 6 do
        local step = coroutine.wrap(function() return Pausing()(x) end)
        step()
        x:exp()
        if i % 2 == 0 then step() end
      end]])
    assert.equal("6 96 12", counts.operations.exp)
    assert.equal("3 48 6", counts.operations.neg)
  end)

  it("knows no script that has not required the library", function()
    local result, counts = profiled("print(1)")
    assert.equal("1\n", result.out)
    assert.same({ operations = {}, layers = {} }, counts)
  end)

  it("names characters that JSON escapes", function()
    local _, counts = profiled([[
      local wrun = require "wrun"
      local Odd = wrun.nn.Module:extend('a "b\\c\27')
      function Odd:forward(x) return x end
      Odd()(wrun.ones(1))]])
    assert.equal("1 0 0", counts.layers['a "b\\c\\x1b'])
  end)

  it("writes wrun-profile.json where no file is named", function()
    child.with_folder(function(folder)
      local result = child.run({ "-c", "cd " .. folder .. " && wrun --profile -e 'x = 1' && ls" },
        { program = "sh" })
      assert.equal("wrun-profile.json\n", result.out)
      assert.matches("\ntrace: wrun%-profile.json; Perfetto and chrome://tracing show it\n$",
        result.err)
    end)
  end)

  it("fails where the trace cannot be written, but shows the table", function()
    local result = child.run({ "--profile=/nonexistent/a.json", "-e", "x = 1" })
    assert.equal(1, result.status)
    assert.matches("^profile .*\n/nonexistent/a.json: [^\n]+\n$", result.err)
  end)

  it("is refused without a file after the equals sign", function()
    local result = child.run({ "--profile=", "-e", "x = 1" })
    assert.equal(1, result.status)
    assert.matches("^wrun: unrecognized option '%-%-profile='\n", result.err)
  end)
end)
