--- Tensors put together: values, types, refusals, and gradients of their gradients;
--- spec/tensor/arrange_spec.lua has more values.

local derivative = require "spec.support.derivative"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local refusals = require "spec.support.refusals"
local wrun = require "wrun"

local function counted(...)
  local n = 1
  for _, size in ipairs({ ... }) do
    n = n * size
  end
  return wrun.arange(1, n + 1):float():reshape({ ... })
end

describe("cat and stack", function()
  it("join along a dimension", function()
    local a, b = counted(2, 1), counted(2, 2) * 10
    assert.same({ { 1, 10, 20 }, { 2, 30, 40 } }, wrun.cat({ a, b }, 2):long():tolist())
    assert.same({ { 1, 10, 20 }, { 2, 30, 40 } }, wrun.cat({ a, b }, -1):long():tolist())
    assert.same({ 1, 2, 3 }, near.flat(wrun.cat({ wrun.tensor({ 1 }), wrun.tensor({ 2, 3 }) })))
    assert.same({ 3, 2 }, wrun.cat({ wrun.zeros(0, 2), wrun.zeros(3, 2) }).shape)
    assert.same({ { 1, 3 }, { 2, 4 } }, wrun.cat({ counted(2, 2):t() }):long():tolist())
    local x, y = wrun.tensor({ 1, 2 }), wrun.tensor({ 3, 4 })
    assert.same({ { 1, 2 }, { 3, 4 } }, wrun.stack({ x, y }):tolist())
    assert.same({ { 1, 3 }, { 2, 4 } }, wrun.stack({ x, y }, -1):tolist())
    assert.same({ 5, 6 }, wrun.stack({ wrun.tensor(5), wrun.tensor(6) }):tolist())
  end)

  it("promote to the common type", function()
    assert.equal("float32", wrun.cat({ wrun.tensor({ 1 }), wrun.tensor({ 0.5 }) }).dtype)
    assert.equal("int64", wrun.stack({ wrun.tensor(true), wrun.tensor(1) }).dtype)
  end)

  it("refuse what does not fit", function()
    local x = wrun.zeros(2, 3)
    assert.equal("cat: tensor 2: expected the shape [2, 3] but for dimension 1, got [2, 4]",
      refusal(wrun.cat, { x, wrun.zeros(2, 4) }))
    assert.equal("cat: tensor 3: expected the shape [2, 3] but for dimension 2, got [2]",
      refusal(wrun.cat, { x, x, wrun.zeros(2) }, 2))
    assert.equal("cat: tensor 2: expected a tensor, got 5", refusal(wrun.cat, { x, 5 }))
    assert.equal("cat: argument 1: expected a table of one or more tensors, got a table",
      refusal(wrun.cat, {}))
    assert.equal("cat: argument 1: expected a table of one or more tensors, "
      .. "got a float32 tensor [2, 3]", refusal(wrun.cat, x))
    assert.equal("cat: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.cat, { x }, 3))
    assert.equal("cat: argument 1: expected tensors with dimensions, got numbers; use stack",
      refusal(wrun.cat, { wrun.tensor(1) }))
    assert.equal("stack: tensor 2: expected the shape [2, 3], got [3, 2]",
      refusal(wrun.stack, { x, x:t() }))
    assert.equal("stack: argument 2: expected a dimension from 1 to 3 or from -3 to -1, got 4",
      refusal(wrun.stack, { x }, 4))
    assert.equal("stack: argument 1: expected a table of one or more tensors, got nil",
      refusal(wrun.stack))
    local vast = wrun.zeros(1):expand(1 << 56)
    local several = {}
    for i = 1, 129 do
      several[i] = vast
    end
    assert.equal("cat: the sizes overflow", refusal(wrun.cat, several))
  end)
end)

describe("tensors put together", function()
  it("hstack, vstack, broadcast_tensors, meshgrid and cartesian_prod refuse what does not fit",
    function()
      local x, v = wrun.arange(12):reshape(3, 4), wrun.arange(4)
      refusals {
        { "hstack: argument 1: expected a table of one or more tensors, got an int64 tensor [3, 4]",
          wrun.hstack, x },
        { "vstack: tensor 2: expected a tensor, got 1", wrun.vstack, { x, 1 } },
        { "cat: tensor 2: expected the shape [3, 4] but for dimension 2, got [4]",
          wrun.hstack, { x, v } },
        { "broadcast_tensors: argument 3: expected a shape that broadcasts with those before it, "
          .. "got [3]", wrun.broadcast_tensors, x, v, wrun.zeros(3) },
        { "broadcast_tensors: argument 2: expected a tensor, got 1",
          wrun.broadcast_tensors, x, 1 },
        { "meshgrid: tensor 2: expected at most one dimension, got [3, 4]",
          wrun.meshgrid, { v, x } },
        { "meshgrid: option indexing: expected ij or xy, got the string 'yx'",
          wrun.meshgrid, { v }, { indexing = "yx" } },
        { "cartesian_prod: argument 1: expected a table of one or more tensors, got nil",
          wrun.cartesian_prod },
      }
    end)
end)

describe("combinations", function()
  it("have gradients of both orders", function()
    derivative(function(y)
      return wrun.cartesian_prod({ y, y * 2 })
    end, { 3 })
  end)
end)
