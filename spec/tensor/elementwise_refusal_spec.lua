--- What elementwise operations refuse, and in which words.

local core = require("wrun.core")
local child = require("spec.support.child")
local refusal = require("spec.support.refusal")
local wrun = require("wrun")

describe("an elementwise operation", function()
  local x = wrun.zeros(2, 3)

  it("refuses what is neither tensor nor number", function()
    assert.equal("add: argument 2: expected a tensor or a number, got nil", refusal(wrun.add, x))
    assert.equal("add: argument 2: expected a tensor or a number, got the string '1'",
      refusal(wrun.add, x, "1"))
    assert.equal("exp: argument 1: expected a tensor, got a table", refusal(wrun.exp, {}))
    assert.equal("exp: argument 1: expected a tensor, got nil", refusal(wrun.exp))
    assert.equal("where: argument 3: expected a tensor or a number, got nil",
      refusal(wrun.where, x:gt(0), 1))
  end)

  it("refuses numbers alone", function()
    assert.equal("exp: argument 1: expected a tensor, got 1", refusal(wrun.exp, 1))
    assert.equal("add: argument 1: expected a tensor, got 1", refusal(wrun.add, 1, 2))
    assert.equal("where: argument 1: expected a tensor, got true", refusal(wrun.where, true, 1, 2))
    assert.equal("add_: argument 1: expected a tensor, got 1", refusal(wrun.add_, 1, x))
  end)

  it("refuses surplus arguments", function()
    assert.equal("neg: expected 1 argument, got 2", refusal(wrun.neg, x, 1))
    assert.equal("add: expected 2 arguments, got 3", refusal(wrun.add, x, 1, 2))
    assert.equal("where: expected 3 arguments, got 4", refusal(wrun.where, x:gt(0), 1, 2, 3))
  end)

  it("refuses shapes that do not broadcast", function()
    assert.equal("mul: argument 2: expected a shape that broadcasts with [2, 3], got [2]",
      refusal(wrun.mul, x, wrun.zeros(2)))
    assert.equal("where: argument 3: expected a shape that broadcasts with [2, 3], got [4]",
      refusal(wrun.where, x:gt(0), wrun.zeros(3), wrun.zeros(4)))
    assert.equal("eq: argument 2: expected a shape that broadcasts with [0], got [2]",
      refusal(wrun.eq, wrun.zeros(0), wrun.zeros(2)))
  end)

  it("refuses signs of booleans", function()
    local text = ": bool tensors have no sign; use logical_not, logical_xor or :to(\"int64\")"
    local mask = x:gt(0)
    assert.equal("neg" .. text, refusal(function() return -mask end))
    assert.equal("sub" .. text, refusal(wrun.sub, mask, mask))
    assert.equal("sub" .. text, refusal(wrun.sub, mask, true))
    assert.equal("int64", (mask - 1).dtype)
  end)

  it("refuses to divide integers by zero", function()
    for _, name in ipairs({ "floor_divide", "remainder" }) do
      local text = name .. ": argument 2: expected no zero, since integers are divided"
      local whole = wrun.tensor({ 5, 6 })
      assert.equal(text, refusal(wrun[name], whole, 0))
      assert.equal(text, refusal(wrun[name], 7, wrun.tensor({ 1, 0 })))
      assert.equal(text, refusal(wrun[name], whole:byte(), wrun.tensor({ { 1, 1 }, { 2, 0 } }):t()))
      assert.equal(text, refusal(wrun[name], whole:bool(), false))
      assert.same({ 2 }, wrun[name](whole:float(), 0).shape)
    end
    assert.equal(math.mininteger, wrun.tensor(math.mininteger):floor_divide(-1):item())
    assert.equal(0, wrun.tensor(math.mininteger):remainder(-1):item())
  end)

  it("refuses integers raised below zero", function()
    local text = "pow: argument 2: expected no negative power, since the base is an integer"
    assert.equal(text, refusal(wrun.pow, wrun.tensor({ 2 }), -1))
    assert.equal(text, refusal(wrun.pow, 2, wrun.tensor({ 1, -1 })))
    assert.same({ 0.5 }, wrun.tensor({ 2.0 }):pow(-1):tolist())
  end)

  it("wants a bound to clamp to", function()
    assert.equal("clamp: argument 2: expected a bound here or in argument 3, got nil",
      refusal(wrun.clamp, x))
    assert.equal("clamp_: argument 2: expected a bound here or in argument 3, got nil",
      refusal(wrun.clamp_, x))
    assert.equal("clamp: argument 1: expected a tensor, got 5", refusal(wrun.clamp, 5, 0, 1))
    local whole = wrun.tensor({ -5, 0, 5 })
    assert.same({ -2, 0, 5 }, whole:clamp(-2):tolist())
    assert.same({ -5, 0, 2 }, whole:clamp(nil, 2):tolist())
    assert.same({ 7, 7, 7 }, whole:clamp(9, 7):tolist())
    assert.equal("float32", whole:clamp(0.5).dtype)
    assert.equal("float64", whole:double():clamp(nil, 2.5).dtype)
  end)
end)

describe("an elementwise operation in place", function()
  it("refuses results that its target cannot hold", function()
    assert.equal("add_: argument 1: its shape [3] cannot hold the result's [2, 3]",
      refusal(wrun.add_, wrun.zeros(3), wrun.zeros(2, 3)))
    assert.equal("mul_: argument 1: an int64 tensor [1] cannot hold results of type float32",
      refusal(wrun.mul_, wrun.tensor({ 1 }), 0.5))
    assert.equal("add_: argument 1: a bool tensor [1] cannot hold results of type int64",
      refusal(wrun.add_, wrun.tensor({ true }), 1))
    assert.equal("exp_: argument 1: an int64 tensor [1] cannot hold results of type float32",
      refusal(wrun.exp_, wrun.tensor({ 1 })))
    assert.same({ 3 }, wrun.tensor({ 1 }, { dtype = "uint8" }):add_(wrun.tensor({ 2 })):tolist())
  end)

  it("refuses a target whose elements repeat", function()
    assert.equal("add_: argument 1: an expanded tensor shows one element several times; "
      .. "clone() it first", refusal(wrun.add_, wrun.zeros(3, 1):expand(3, 2), 1))
  end)

  it("changes nothing when it refuses", function()
    local x = wrun.tensor({ 1, 2, 3 })
    pcall(x.add_, x, wrun.zeros(4))
    pcall(x.mul_, x, 0.5)
    pcall(x.floor_divide_, x, 0)
    assert.same({ 1, 2, 3 }, x:tolist())
    assert.equal(0, x.version)
  end)

  it("reads an argument that shares its memory as it was", function()
    local x = wrun.tensor({ { 1, 2 }, { 3, 4 } })
    assert.same({ { 2, 5 }, { 5, 8 } }, x:add_(x:t()):tolist())
    assert.same({ { 4, 10 }, { 10, 16 } }, x:add_(x):tolist())
    local y = wrun.tensor({ 1, 2, 3, 4 })
    y:narrow(1, 2, 3):add_(y:narrow(1, 1, 3))
    assert.same({ 1, 3, 5, 7 }, y:tolist())
    y:mul_(y[2])
    assert.same({ 3, 9, 15, 21 }, y:tolist())
  end)
end)

describe("the core without wrun.operations", function()
  it("computes, and refuses to record", function()
    local script = child.write([[
      local core = require("wrun.core")
      print(core.elementwise.add(core.unrecorded.ones(2), 1).dtype)
      print(pcall(core.elementwise.add, core.unrecorded.ones(2, { requires_grad = true }), 1))
    ]])
    local result = child.run({ script })
    os.remove(script)
    assert.equal("", result.err)
    assert.matches("^float32\nfalse\t[^\n]*:3: add: gradients need the module wrun.operations\n$",
      result.out)
  end)

  it("refuses to record what it cannot", function()
    assert.equal("differentiable: argument 2: expected a function of the core, got nil",
      refusal(core.graph.differentiable, {}))
    assert.equal("record: argument 3: expected a tensor, got nothing",
      refusal(core.graph.record, {}, 0))
  end)

  it("records calls of up to 32,765 arguments", function()
    local list, x = {}, wrun.ones(1, { requires_grad = true })
    for i = 1, 33000 do
      list[i] = x
    end
    assert.equal("cat: expected at most 32765 arguments where gradients are recorded, got 33001",
      refusal(wrun.cat, list))
    local y = wrun.cat(table.move(list, 1, 32764, 1, {}))
    y:sum():backward()
    assert.same({ 32764 }, x.grad:tolist())
  end)
end)
