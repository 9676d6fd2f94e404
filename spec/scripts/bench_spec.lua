--- `make bench-compare`: what two results of the benchmarks look like side by side.

local child = require "spec.support.child"

local MACHINE = [[
{"blas": "OpenBLAS 0.3, core X", "commit": "abc", "processor": "P \"1\"", "threads": 2}
]]

local A = MACHINE .. [[
{"name": "a + b", "part": "small", "unit": "s", "value": 2e-07, "yardstick": "PyTorch"}
{"name": "only in A", "part": "small", "unit": "s", "value": 0.5}
{"name": "peak", "part": "memory", "unit": "MB", "value": 100.0}
]]

local B = MACHINE .. [[
{"name": "a + b", "part": "small", "unit": "s", "value": 1e-07, "yardstick": "PyTorch"}
{"name": "peak", "part": "memory", "unit": "MB", "value": 150.0}
{"name": "only in B", "part": "memory", "unit": "MB", "value": 7}
]]

local TABLE = [[
A  P "1"; OpenBLAS 0.3, core X; 2 threads; no PyTorch; abc
B  P "1"; OpenBLAS 0.3, core X; 2 threads; no PyTorch; abc

small                                               A          B    ratio
a + b                                          200 ns     100 ns      0.5
only in A                                      500 ms

memory                                              A          B    ratio
peak                                           100 MB     150 MB      1.5
only in B                                                   7 MB
]]

local function compare(a, b)
  local result
  child.with_file(a, function(path_a)
    child.with_file(b, function(path_b)
      result = child.run({ "scripts/bench/compare.lua", path_a, path_b })
      result.err = result.err:gsub(path_b:gsub("%p", "%%%0"), "B")
    end)
  end)
  return result
end

describe("bench-compare", function()
  it("prints rows side by side, with B's ratio to A", function()
    assert.same({ out = TABLE, err = "", status = 0 }, compare(A, B))
  end)

  it("refuses files that are no results", function()
    local refused = { out = "", err = "B: is no result of make bench\n", status = 1 }
    for _, text in ipairs {
      "", "# wrun\n", '{"a": 1}\n', B:sub(1, -20), B .. "and more\n",
      MACHINE .. '{"name": "a", "part": "b", "unit": "s", "value": "fast"}\n',
    } do
      assert.same(refused, compare(A, text), text)
    end
  end)

  it("asks for two files", function()
    local result = child.run({ "scripts/bench/compare.lua", "one.jsonl" })
    assert.equal(1, result.status)
    assert.equal("two results are compared: make bench-compare A=build/bench/ONE.jsonl B=...\n",
      result.err)
  end)

  it("says which file is not there", function()
    local result = child.run({ "scripts/bench/compare.lua", "/nowhere", "/nowhere" })
    assert.same({ out = "", err = "/nowhere: No such file or directory\n", status = 1 }, result)
  end)
end)
