--- Views beside PyTorch's: the same memory in another shape, order or part.

local cases = require "spec.support.cases"
local derivative = require "spec.support.derivative"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local refusals = require "spec.support.refusals"
local wrun = require "wrun"

--- 1, 2, 3, ... in a shape.
local function counted(...)
  local n = 1
  for _, size in ipairs({ ... }) do
    n = n * size
  end
  return wrun.arange(1, n + 1):reshape({ ... })
end

--- Asserts that y has this shape and these elements, and shows the memory of x.
local function assert_view(shape, values, x, y)
  assert.same(shape, y.shape)
  assert.same(values, near.flat(y))
  local version = x.version
  y:copy_(y)
  assert.equal(version + 1, x.version)
end

describe("fixtures of view #many", function()
  for claim, check in cases.each(require "spec.fixtures.view", {}) do
    it(claim, check)
  end
end)

describe("view and reshape", function()
  it("show the elements in another shape", function()
    local x = counted(2, 3)
    assert_view({ 3, 2 }, { 1, 2, 3, 4, 5, 6 }, x, x:view(3, 2))
    assert_view({ 6 }, { 1, 2, 3, 4, 5, 6 }, x, x:view({ 6 }))
    assert_view({ 1, 6, 1 }, { 1, 2, 3, 4, 5, 6 }, x, x:view(1, -1, 1))
    assert_view({ 2, 3 }, { 1, 2, 3, 4, 5, 6 }, x, x:reshape(2, -1))
    assert_view({ 2, 3 }, { 1, 2, 3, 4, 5, 6 }, x, x:view(6):view_as(x))
    assert_view({}, { 1 }, x, x[1][1]:view({}))
    assert_view({ 1, 1 }, { 1 }, x, x[1][1]:view(1, 1))
  end)

  it("reach through steps that lie evenly", function()
    local x = counted(4, 6)
    local columns = x[{ {}, { 1, -1, 2 } }]
    assert_view({ 4, 3, 1 }, near.flat(columns), x, columns:view(4, 3, 1))
    assert_view({ 2, 2, 3 }, near.flat(columns), x, columns:view(2, 2, 3))
    assert_view({ 12 }, near.flat(columns), x, columns:view(12))
    local rows = x[{ { 1, -1, 2 } }]
    assert_view({ 2, 2, 3 }, near.flat(rows), x, rows:view(2, 2, 3))
  end)

  it("copy only in reshape, and only where they must", function()
    local x = counted(2, 3)
    local y = x:t():reshape(6)
    assert.same({ 1, 4, 2, 5, 3, 6 }, near.flat(y))
    y[1] = 100
    assert.equal(1, x[1][1]:item())
    assert.same({ 1, 4, 2, 5, 3, 6 }, near.flat(counted(2, 3):t():reshape_as(wrun.zeros(6))))
    assert.equal("view: the elements do not lie in that order: a view of [3, 2] with strides "
      .. "[1, 3] cannot have the shape [6]; use reshape", refusal(wrun.view, x:t(), 6))
  end)

  it("shape what is empty", function()
    local x = wrun.zeros(2, 0, 3)
    assert.same({ 0 }, x:view(0).shape)
    assert.same({ 5, 0 }, x:view(5, 0).shape)
    assert.same({ 0, 3 }, x:view(-1, 3).shape)
    assert.same({ 0, 7 }, x:transpose(1, 3):reshape(0, 7).shape)
  end)

  it("refuse shapes of another size", function()
    local x = wrun.zeros(2, 3)
    assert.equal("view: expected a shape for the 6 elements of [2, 3], got [4]",
      refusal(wrun.view, x, 4))
    assert.equal("reshape: expected a shape for the 6 elements of [2, 3], got [4, -1]",
      refusal(wrun.reshape, x, 4, -1))
    assert.equal("reshape: expected a shape for the 0 elements of [0], got [-1, 0]",
      refusal(wrun.reshape, wrun.zeros(0), -1, 0))
    assert.equal("view: expected a shape for the 6 elements of [2, 3], "
      .. "got [4294967296, 4294967296]", refusal(wrun.view, x, 1 << 32, 1 << 32))
    assert.equal("view: expected sizes of 0 or more and at most one -1, got [-1, -1]",
      refusal(wrun.view, x, -1, -1))
    assert.equal("view: expected sizes of 0 or more and at most one -1, got [-2, 3]",
      refusal(wrun.view, x, { -2, 3 }))
    assert.equal("view: argument 1: expected a tensor, got 5", refusal(wrun.view, 5, 5))
    assert.equal("reshape: argument 3: expected a size, got 1.5", refusal(wrun.reshape, x, 6, 1.5))
    assert.equal("view_as: argument 2: expected a tensor, got nil", refusal(wrun.view_as, x))
    assert.equal("reshape_as: argument 2: expected a tensor, got 6", refusal(wrun.reshape_as, x, 6))
  end)
end)

describe("transpose, t and permute", function()
  it("exchange dimensions", function()
    local x = counted(2, 3)
    assert_view({ 3, 2 }, { 1, 4, 2, 5, 3, 6 }, x, x:t())
    assert_view({ 3, 2 }, { 1, 4, 2, 5, 3, 6 }, x, x:transpose(1, 2))
    assert_view({ 3, 2 }, { 1, 4, 2, 5, 3, 6 }, x, x:transpose(-1, -2))
    assert_view({ 2, 3 }, { 1, 2, 3, 4, 5, 6 }, x, x:transpose(2, 2))
    local vector, number = counted(3), wrun.tensor(4)
    assert.equal(vector, vector:t())
    assert.equal(number, number:t())
    assert_view({}, { 4 }, number, number:transpose(1, -1))
  end)

  it("put element (i, j, k) where the order says", function()
    local x = counted(2, 3, 4)
    local y = x:permute(3, 1, -2)
    assert.same({ 4, 2, 3 }, y.shape)
    for i = 1, 2 do
      for j = 1, 3 do
        for k = 1, 4 do
          assert.equal(x[i][j][k]:item(), y[k][i][j]:item())
        end
      end
    end
    assert.same(y:tolist(), x:permute({ 3, 1, 2 }):tolist())
    assert.same({}, wrun.tensor(1):permute({}).shape)
  end)

  it("permute of a single number has a gradient, however no dimensions are given", function()
    for _, order in ipairs { {}, { {} } } do
      local x = wrun.tensor(3.0, { requires_grad = true })
      x:permute(table.unpack(order)):backward()
      assert.equal(1, x.grad:item())
    end
  end)

  it("refuse dimensions that are not there", function()
    local x = wrun.zeros(2, 3, 4)
    assert.equal("transpose: argument 2: expected a dimension from 1 to 3 or from -3 to -1, got 0",
      refusal(wrun.transpose, x, 0, 1))
    assert.equal("transpose: argument 3: expected a dimension from 1 to 3 or from -3 to -1, got 4",
      refusal(wrun.transpose, x, 1, 4))
    assert.equal("transpose: argument 3: expected a dimension, got nothing",
      refusal(wrun.transpose, x, 1))
    assert.equal("transpose: argument 2: expected a dimension, got 1.5",
      refusal(wrun.transpose, x, 1.5, 1))
    assert.equal("transpose: argument 1: expected a tensor, got nothing", refusal(wrun.transpose))
    assert.equal("permute: argument 1: expected a tensor, got nil", refusal(wrun.permute, nil))
    for _, order in ipairs({ "1, 2", "1, 2, 2", "0, 1, 2", "1, 2, 4", "1, 2, -4" }) do
      local list = load("return {" .. order .. "}")()
      assert.equal(("permute: expected each dimension from 1 to 3 once, got [%s]"):format(order),
        refusal(wrun.permute, x, list))
    end
    assert.equal("t: argument 1: expected at most 2 dimensions, got [2, 3, 4]; use transpose",
      refusal(wrun.t, x))
    assert.equal("t: argument 1: expected a tensor, got true", refusal(wrun.t, true))
  end)
end)

describe("squeeze, unsqueeze and flatten", function()
  it("take out, put in and join dimensions", function()
    local x = counted(1, 3, 1)
    assert_view({ 3 }, { 1, 2, 3 }, x, x:squeeze())
    assert_view({ 3, 1 }, { 1, 2, 3 }, x, x:squeeze(1))
    assert_view({ 1, 3 }, { 1, 2, 3 }, x, x:squeeze(-1))
    assert_view({ 1, 3, 1 }, { 1, 2, 3 }, x, x:squeeze(2))
    assert_view({ 1, 3, 1, 1 }, { 1, 2, 3 }, x, x:unsqueeze(-1))
    assert_view({ 1, 1, 3, 1 }, { 1, 2, 3 }, x, x:unsqueeze(2))
    assert_view({ 3 }, { 1, 2, 3 }, x, x:flatten())
    local y = counted(2, 3, 4)
    assert.same({ 6, 4 }, y:flatten(1, 2).shape)
    assert.same({ 2, 12 }, y:flatten(-2).shape)
    assert.same({ 2, 3, 4 }, y:flatten(2, 2).shape)
    local number = wrun.tensor(4)
    assert_view({ 1 }, { 4 }, number, number:unsqueeze(1))
    assert_view({}, { 4 }, number, number:squeeze())
    assert_view({ 1 }, { 4 }, number, number:flatten())
  end)

  it("refuse dimensions that are not there", function()
    local x = wrun.zeros(2, 3)
    assert.equal("squeeze: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.squeeze, x, 3))
    assert.equal("unsqueeze: argument 2: expected a dimension from 1 to 3 or from -3 to -1, got 4",
      refusal(wrun.unsqueeze, x, 4))
    assert.equal("unsqueeze: argument 2: expected a dimension from 1 to 3 or from -3 to -1, "
      .. "got nil", refusal(wrun.unsqueeze, x))
    assert.equal("flatten: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
      refusal(wrun.flatten, x, 0))
    assert.equal("flatten: argument 3: expected a dimension from 1 to 2 or from -2 to -1, got 5",
      refusal(wrun.flatten, x, 1, 5))
    assert.equal("flatten: expected the first dimension before the last, got 2 and 1",
      refusal(wrun.flatten, x, 2, 1))
    for _, name in ipairs({ "squeeze", "unsqueeze", "flatten" }) do
      assert.equal(name .. ": argument 1: expected a tensor, got 7", refusal(wrun[name], 7, 1))
    end
  end)
end)

describe("expand", function()
  it("repeats without copying", function()
    local x = counted(3, 1)
    local y = x:expand(2, -1, 2)
    assert.same({ 2, 3, 2 }, y.shape)
    assert.same({ 0, 1, 0 }, y:stride())
    assert.same({ 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3 }, near.flat(y))
    x[2] = 20
    assert.equal(20, y[2][2][1]:item())
    assert.same({ 4, 3, 5 }, x:expand({ 4, 3, 5 }).shape)
    assert.same({ 3, 0 }, x:expand(3, 0).shape)
    assert.same({ 2, 2 }, wrun.tensor(1):expand(2, 2).shape)
    assert.same({ 3, 4 }, x:expand_as(wrun.zeros(3, 4)).shape)
  end)

  it("refuses what does not broadcast", function()
    local x = wrun.zeros(3, 1)
    for _, shape in ipairs({ "4, 2", "3", "-1, 3, 1", "3, -2", "4294967296, 3, 4294967296" }) do
      local list = load("return {" .. shape .. "}")()
      assert.equal(("expand: expected a shape that [3, 1] broadcasts to, got [%s]"):format(shape),
        refusal(wrun.expand, x, list))
    end
    assert.equal("expand: argument 1: expected a tensor, got nothing", refusal(wrun.expand))
    assert.equal("expand_as: argument 2: expected a tensor, got 4", refusal(wrun.expand_as, x, 4))
  end)
end)

describe("narrow and select", function()
  it("show a part", function()
    local x = counted(3, 4)
    assert_view({ 3, 2 }, { 2, 3, 6, 7, 10, 11 }, x, x:narrow(2, 2, 2))
    assert_view({ 2, 4 }, { 5, 6, 7, 8, 9, 10, 11, 12 }, x, x:narrow(1, -2, 2))
    assert_view({ 3, 0 }, {}, x, x:narrow(-1, 5, 0))
    assert_view({ 4 }, { 5, 6, 7, 8 }, x, x:select(1, 2))
    assert_view({ 3 }, { 4, 8, 12 }, x, x:select(-1, -1))
  end)

  it("refuse what lies outside", function()
    local x = wrun.zeros(3, 4)
    local tail = "narrow: expected a part of dimension 2, which has 4 elements, "
      .. "got start %d, length %d"
    for _, part in ipairs({ { 0, 1 }, { 6, 0 }, { 2, 4 }, { 1, -1 }, { -5, 1 },
      { 1, math.maxinteger }, { math.mininteger, 1 }, { math.maxinteger, 1 } }) do
      assert.equal(tail:format(part[1], part[2]), refusal(wrun.narrow, x, 2, part[1], part[2]))
    end
    for _, index in ipairs({ 0, 5, -5, math.maxinteger, math.mininteger }) do
      assert.equal(("select: expected an index from 1 to 4 (or -4 to -1) in dimension 2, got %d")
        :format(index), refusal(wrun.select, x, 2, index))
    end
    assert.equal("narrow: argument 3: expected an index, got nothing", refusal(wrun.narrow, x, 1))
    assert.equal("narrow: argument 4: expected a length, got 0.5",
      refusal(wrun.narrow, x, 1, 1, 0.5))
    assert.equal("narrow: argument 1: expected a tensor with dimensions, got a float32 tensor []",
      refusal(wrun.narrow, wrun.zeros(), 1, 1, 1))
    assert.equal("narrow: argument 1: expected a tensor, got nothing", refusal(wrun.narrow))
    assert.equal("select: argument 1: expected a tensor with dimensions, got a float32 tensor []",
      refusal(wrun.select, wrun.zeros(), 1, 1))
    assert.equal("select: argument 3: expected an index, got the string '1'",
      refusal(wrun.select, x, 1, "1"))
    assert.equal("select: argument 1: expected a tensor, got nothing", refusal(wrun.select))
    assert.equal("select: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.select, x, 3, 1))
  end)
end)

describe("a view", function()
  it("of a view of a view lies where its strides say", function()
    local x = counted(4, 5, 6)
    local y = x:permute(3, 1, 2)[{ { 2, -1, 2 }, {}, { 1, 4, 3 } }]:select(2, -2)
    assert.same({ 3, 2 }, y.shape)
    for k = 1, 3 do
      for j = 1, 2 do
        assert.equal(x[3][3 * j - 2][2 * k]:item(), y[k][j]:item())
      end
    end
  end)

  it("keeps its memory alive", function()
    local y
    do
      y = wrun.full({ 100 }, 7):narrow(1, 50, 2):view(2, 1)
    end
    collectgarbage()
    for _ = 1, 100 do
      assert.equal(8, wrun.full({ 100 }, 8)[50]:item()) -- where the bytes of y would lie if free
    end
    assert.same({ { 7 }, { 7 } }, y:tolist())
  end)
end)

local matrix, vector, number = wrun.arange(12):reshape(3, 4), wrun.arange(4), wrun.tensor(1)

local DIMENSION = "expected a dimension from 1 to 2 or from -2 to -1, got "

describe("parts of a tensor", function()
  it("unfold and diagonal refuse what shows nothing", function()
    refusals {
      { "unfold: argument 1: expected a tensor with dimensions, got an int64 tensor []",
        wrun.unfold, number, 1, 1, 1 },
      { "unfold: argument 2: " .. DIMENSION .. "3", wrun.unfold, matrix, 3, 1, 1 },
      { "unfold: argument 3: expected a size from 0 to 4, got 5", wrun.unfold, matrix, 2, 5, 1 },
      { "unfold: argument 4: expected a step of 1 or more, got 0", wrun.unfold, matrix, 2, 2, 0 },
      { "diagonal: argument 1: expected a tensor with two dimensions or more, "
        .. "got an int64 tensor [4]", wrun.diagonal, vector },
      { "diagonal: argument 2: expected an offset, got 0.5", wrun.diagonal, matrix, 0.5 },
      { "diagonal: expected two different dimensions, got 2 twice",
        wrun.diagonal, matrix, 0, 2, -1 },
    }
  end)

  it("split, chunk, tensor_split and unbind refuse what does not add up", function()
    refusals {
      { "split: argument 1: expected a tensor, got {1, 2}", wrun.split, { 1, 2 }, 1 },
      { "split: argument 1: expected a tensor with dimensions, got an int64 tensor []",
        wrun.split, number, 1 },
      { "split: argument 2: expected a size of 1 or more or a table of sizes, got 0",
        wrun.split, matrix, 0 },
      { "split: argument 2: expected a size of 1 or more or a table of sizes, got nil",
        wrun.split, matrix },
      { "split: argument 2: expected sizes of 0 or more, got -1", wrun.split, matrix, { 4, -1 } },
      { "split: argument 2: expected sizes that add up to 4, the size of dimension 2, got 3",
        wrun.split, matrix, { 1, 2 }, 2 },
      { "split: argument 3: " .. DIMENSION .. "0", wrun.split, matrix, 1, 0 },
      { "chunk: argument 2: expected a number of parts from 1, got 1.5", wrun.chunk, matrix, 1.5 },
      { "tensor_split: argument 2: expected a number of parts from 1 or a table of cuts, got 0",
        wrun.tensor_split, matrix, 0 },
      { "tensor_split: argument 2: expected cuts of 0 or more, got -1",
        wrun.tensor_split, matrix, { -1 } },
      { "unbind: argument 2: " .. DIMENSION .. "3", wrun.unbind, matrix, 3 },
    }
  end)
end)

describe("new shapes", function()
  it("squeeze, unflatten, movedim and mT refuse what does not fit", function()
    refusals {
      { "squeeze: argument 2: " .. DIMENSION .. "3", wrun.squeeze, matrix, { 1, 3 } },
      { "unflatten: argument 3: expected sizes for the 4 indices of dimension 2, got {3, -1}",
        wrun.unflatten, matrix, 2, { 3, -1 } },
      { "unflatten: argument 3: expected sizes for the 4 indices of dimension 2, got {-1, -1}",
        wrun.unflatten, matrix, 2, { -1, -1 } },
      { "unflatten: argument 3: expected sizes for the 4 indices of dimension 2, got 2",
        wrun.unflatten, matrix, 2, 2 },
      { "unflatten: argument 2: " .. DIMENSION .. "3", wrun.unflatten, matrix, 3, { 4 } },
      { "movedim: argument 3: " .. DIMENSION .. "3", wrun.movedim, matrix, 1, 3 },
      { "movedim: argument 2: dimension 2 is given twice",
        wrun.movedim, matrix, { 2, -1 }, { 1, 2 } },
      { "movedim: expected as many dimensions as indices, got 2 and 1",
        wrun.movedim, matrix, { 1, 2 }, 1 },
      { "mT: argument 1: expected two dimensions or more, got [4]", wrun.mT, vector },
    }
  end)
end)

describe("parts", function()
  it("have gradients of both orders", function()
    derivative(wrun.unfold, { 2, 5 }, -1, 2, 3)
    derivative(wrun.unfold, { 5, 2 }, 1, 3, 1)
    derivative(wrun.diagonal, { 2, 3, 4 }, 1, -1, 1)
    derivative(wrun.diagonal, { 3, 2 }, -5)
    derivative(wrun.movedim, { 2, 3, 2 }, { 1, 2 }, { 3, 1 })
    derivative(function(y)
      return y:split({ 1, 2 })[2] * y:unbind()[1] * y:chunk(3)[3]
    end, { 3, 2 })
  end)
end)
