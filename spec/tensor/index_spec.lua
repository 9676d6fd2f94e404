--- Parts by key and by indices, read and written, beside PyTorch's and at the edges.

local cases = require "spec.support.cases"
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

--- Another tensor with the same elements, not in a row.
local function scattered(x)
  local wide = wrun.zeros_like(wrun.stack({ x, x }, x.ndim + 1))
  local view = wide:select(-1, 1)
  view:copy_(x)
  return view
end

describe("fixtures of index #many", function()
  for claim, check in cases.each(require "spec.fixtures.index", {}) do
    it(claim, check)
  end
end)

describe("index_select", function()
  it("picks indices of one dimension, each as often as it is named", function()
    local x = counted(3, 4)
    assert.same({ { 9, 10, 11, 12 }, { 1, 2, 3, 4 }, { 9, 10, 11, 12 } },
      x:index_select(1, wrun.tensor({ 3, 1, 3 })):long():tolist())
    assert.same({ { 4 }, { 8 }, { 12 } }, x:index_select(-1, wrun.tensor({ 4 })):long():tolist())
    assert.same({ 3, 0 }, x:index_select(2, wrun.zeros(0, { dtype = "int64" })).shape)
  end)

  it("works for every type, and for tensors and indices that do not lie in a row", function()
    local indices = scattered(wrun.tensor({ 2, 1 }))
    for _, dtype in ipairs({ "bool", "uint8", "int64", "float32", "float64" }) do
      local x = wrun.tensor({ { 1, 0 }, { 0, 1 }, { 1, 1 } }):to(dtype)
      for _, y in ipairs({ x, scattered(x), x:t():contiguous():t() }) do
        local got = y:index_select(1, indices)
        assert.equal(dtype, got.dtype)
        assert.same({ { 0, 1 }, { 1, 0 } }, got:long():tolist())
      end
    end
  end)

  it("picks many rows as it picks few", function()
    local x = counted(500, 200)
    local indices = wrun.arange(2000):remainder(500) + 1
    local y = x:index_select(1, indices)
    for _, i in ipairs({ 1, 499, 500, 501, 2000 }) do
      assert.is_true(y[i]:equal(x[(i - 1) % 500 + 1]))
    end
  end)

  it("refuses wrong indices before anything is picked", function()
    local x = wrun.zeros(3, 4)
    assert.equal("index_select: argument 3: expected indices from 1 to 3, got 4 at index 2",
      refusal(wrun.index_select, x, 1, wrun.tensor({ 1, 4 })))
    assert.equal("index_select: argument 3: expected indices from 1 to 4, got 0 at index 1",
      refusal(wrun.index_select, x, 2, wrun.tensor({ 0 })))
    assert.equal("index_select: argument 3: expected an int64 tensor of indices, "
      .. "got a float32 tensor [1]", refusal(wrun.index_select, x, 1, wrun.tensor({ 1.0 })))
    assert.equal("index_select: argument 3: expected a list of indices (one dimension), "
      .. "got an int64 tensor [1, 1]", refusal(wrun.index_select, x, 1, wrun.tensor({ { 1 } })))
    assert.equal("index_select: argument 3: expected a tensor, got a table",
      refusal(wrun.index_select, x, 1, { 1 }))
    assert.equal("index_select: argument 2: expected a dimension from 1 to 2 or from -2 to -1, "
      .. "got 3", refusal(wrun.index_select, x, 3, wrun.tensor({ 1 })))
    assert.equal("index_select: argument 1: expected a tensor with dimensions, "
      .. "got a float32 tensor []", refusal(wrun.index_select, wrun.zeros(), 1, wrun.tensor({ 1 })))
    assert.equal("index_select: argument 1: expected a tensor, got nil", refusal(wrun.index_select))
  end)
end)

describe("gather", function()
  it("takes for each element its own index", function()
    local x = counted(2, 3)
    local indices = wrun.tensor({ { 3, 1, 1 }, { 2, 2, 3 } })
    for _, other in ipairs({ x, scattered(x) }) do
      for _, p in ipairs({ indices, scattered(indices) }) do
        assert.same({ { 3, 1, 1 }, { 5, 5, 6 } }, other:gather(2, p):long():tolist())
      end
    end
    assert.same({ { 4, 2, 3 } }, x:gather(1, wrun.tensor({ { 2, 1, 1 } })):long():tolist())
    assert.equal(7, wrun.tensor(7):gather(1, wrun.tensor(1)):item())
  end)

  it("refuses indices of another shape or out of range", function()
    local x = wrun.zeros(2, 3)
    assert.equal("gather: argument 3: expected a shape within [2, 3] but for dimension 2, "
      .. "got [3, 1]",
      refusal(wrun.gather, x, 2, wrun.ones(3, 1, { dtype = "int64" })))
    assert.equal("gather: argument 3: expected a shape within [2, 3] but for dimension 1, got [2]",
      refusal(wrun.gather, x, 1, wrun.tensor({ 1, 1 })))
    assert.equal("gather: argument 3: expected indices from 1 to 3, got -1 at index 2",
      refusal(wrun.gather, x, 2, wrun.tensor({ { 1, -1 }, { 1, 1 } })))
    assert.equal("gather: argument 3: expected an int64 tensor of indices, "
      .. "got a uint8 tensor [2, 1]", refusal(wrun.gather, x, 2, wrun.ones(2, 1):byte()))
    assert.equal("gather: argument 3: expected a tensor, got 1", refusal(wrun.gather, x, 2, 1))
    assert.equal("gather: argument 1: expected a tensor, got 1", refusal(wrun.gather, 1))
    assert.equal("gather: argument 2: expected a dimension, got nil", refusal(wrun.gather, x))
  end)
end)

describe("index_add and scatter_add", function()
  it("add at indices, those named twice twice, and leave their argument alone", function()
    for _, dtype in ipairs({ "uint8", "int32", "int64", "float32", "float64" }) do
      local x = wrun.tensor({ { 1, 2 }, { 3, 4 } }):to(dtype)
      local rows = wrun.tensor({ { 10, 20 }, { 30, 40 }, { 50, 60 } }):to(dtype)
      local got = x:index_add(1, wrun.tensor({ 2, 1, 2 }), rows)
      assert.equal(dtype, got.dtype)
      assert.same({ { 31, 42 }, { 63, 84 } }, got:long():tolist())
      got = x:scatter_add(1, wrun.tensor({ { 1, 2 }, { 1, 1 }, { 2, 2 } }), scattered(rows))
      assert.same({ { 41, 42 }, { 53, 84 } }, got:long():tolist())
      assert.same({ { 1, 2 }, { 3, 4 } }, x:long():tolist())
    end
    assert.equal(9, wrun.tensor(4):scatter_add(1, wrun.tensor(1), wrun.tensor(5)):item())
  end)

  it("undo what index_select and gather do", function()
    local x, w = counted(4, 5), wrun.tensor({ 3, 1, 1 })
    local y = counted(3, 5) * 0.5
    local left = (x:index_select(1, w) * y):sum():item()
    assert.equal(left, (x * wrun.zeros(4, 5):index_add(1, w, y)):sum():item())
  end)

  it("refuse what does not fit", function()
    local x, indices = wrun.zeros(2, 3), wrun.tensor({ 1, 2, 1, 1 })
    assert.equal("index_add: argument 4: expected a number or a tensor of argument 1's type, "
      .. "got an int64 tensor [4, 3]",
      refusal(wrun.index_add, x, 1, indices, wrun.zeros(4, 3):long()))
    assert.equal("index_add: argument 4: expected a shape that broadcasts to [4, 3], got [4, 2]",
      refusal(wrun.index_add, x, 1, indices, wrun.zeros(4, 2)))
    assert.equal("index_add: argument 3: expected indices from 1 to 3, got 4 at index 1",
      refusal(wrun.index_add, x, 2, wrun.tensor({ 4 }), wrun.zeros(2, 1)))
    assert.equal("index_add: argument 4: expected a tensor or a number, got nil",
      refusal(wrun.index_add, x, 1, indices))
    assert.equal("index_add: argument 1: expected a tensor with dimensions, "
      .. "got a float32 tensor []", refusal(wrun.index_add, wrun.zeros(), 1, indices, 1))
    assert.equal("scatter_add: argument 3: expected a shape within [2, 3] but for dimension 1, "
      .. "got [4]", refusal(wrun.scatter_add, x, 1, indices, wrun.zeros(1, 3)))
    assert.equal("scatter_add: argument 4: expected a shape that covers [1, 3], got [1, 2]",
      refusal(wrun.scatter_add, x, 1, wrun.ones(1, 3):long(), wrun.zeros(1, 2)))
    assert.equal("scatter_add: argument 3: expected an int64 tensor of indices, "
      .. "got a float32 tensor [1, 3]",
      refusal(wrun.scatter_add, x, 1, wrun.ones(1, 3), wrun.zeros(1, 3)))
    assert.equal("scatter_add: argument 1: expected a tensor, got nil", refusal(wrun.scatter_add))
    assert.equal("scatter_add: argument 2: expected a dimension, got nil",
      refusal(wrun.scatter_add, x))
  end)
end)

describe("what writes at indices", function()
  it("refuses wrong values, and tensors that cannot be written to", function()
    local x, two = wrun.zeros(2, 3), wrun.tensor({ 2 })
    assert.equal("index_fill: argument 4: expected a number, got a float32 tensor [1]",
      refusal(wrun.index_fill, x, 1, two, wrun.zeros(1)))
    assert.equal("index_fill: argument 4: expected a tensor or a number, got the string 'a'",
      refusal(wrun.index_fill, x, 1, two, "a"))
    assert.equal("index_copy: argument 3: expected a list of indices (one dimension), "
      .. "got an int64 tensor [1, 1]", refusal(wrun.index_copy, x, 1, wrun.tensor({ { 1 } }), 0))
    assert.equal("scatter: argument 4: expected a tensor or a number, got nil",
      refusal(wrun.scatter, x, 1, wrun.tensor({ { 1 } })))
    assert.equal("put: argument 2: expected indices from 1 to 6, got 7 at index 1",
      refusal(wrun.put, x, wrun.tensor({ 7 }), 0))
    assert.equal("put: argument 3: expected a shape that broadcasts to [1], got [2]",
      refusal(wrun.put, x, two, wrun.zeros(2)))
    assert.equal("put: argument 4: expected true or false for accumulate, got 1",
      refusal(wrun.put, x, two, 0, 1))
    assert.equal("put_: argument 1: an expanded tensor shows one element several times; "
      .. "clone() it first", refusal(wrun.put_, wrun.zeros(1):expand(3), two, 1))
    assert.equal("index_add_: argument 1: a leaf that requires a gradient cannot be changed in "
      .. "place; do it inside wrun.no_grad",
      refusal(wrun.index_add_, wrun.zeros(3, { requires_grad = true }), 1, two, 1))
    assert.equal("take: argument 2: expected indices from 1 to 6, got -1 at index 2",
      refusal(wrun.take, x, wrun.tensor({ 1, -1 })))
    assert.equal("take: argument 2: expected an int64 tensor of indices, "
      .. "got a float32 tensor [1]", refusal(wrun.take, x, wrun.zeros(1)))
    assert.equal("take_along_dim: argument 2: expected as many dimensions as [2, 3], got [1]",
      refusal(wrun.take_along_dim, x, two, 1))
    assert.equal("take_along_dim: argument 2: expected a shape that broadcasts with [2, 3] but for "
      .. "dimension 1, got [1, 2]", refusal(wrun.take_along_dim, x, wrun.ones(1, 2):long(), 1))
    assert.equal("take_along_dim: argument 3: expected a dimension from 1 to 2 or from -2 to -1, "
      .. "got 3", refusal(wrun.take_along_dim, x, wrun.ones(1, 2):long(), 3))
    assert.same({ 0, 0, 0, 0, 0, 0 }, near.flat(x:long()))
  end)

  it("reads values that lie in the memory it writes to before it writes", function()
    local x = wrun.arange(1, 7)
    x:index_copy_(1, wrun.tensor({ 2, 3, 4 }), x:narrow(1, 1, 3))
    assert.same({ 1, 1, 2, 3, 5, 6 }, x:tolist())
    x:scatter_(1, wrun.tensor({ 2, 3, 4, 5 }), x)
    assert.same({ 1, 1, 1, 2, 3, 6 }, x:tolist())
    x:put_(wrun.tensor({ 6, 5, 4 }), x:narrow(1, 4, 3))
    assert.same({ 1, 1, 1, 6, 3, 2 }, x:tolist())
  end)

  it("counts as a change that a gradient may not pass by", function()
    local w = wrun.tensor({ 1.0, 2.0 }, { requires_grad = true })
    local x = w * 2
    local y = x * x
    x:put_(wrun.tensor({ 1 }), 5)
    assert.matches("^backward: argument 1 of mul, a float32 tensor %[2%], is needed for the "
      .. "gradient but was changed in place", refusal(function() y:sum():backward() end))
  end)
end)

describe("scatter_reduce", function()
  local x, indices = wrun.zeros(3), wrun.tensor({ 1, 1, 3 })

  it("refuses other ways, and what scatter refuses", function()
    assert.equal("scatter_reduce: argument 5: expected sum, mean, prod, amax or amin, "
      .. "got the string 'max'", refusal(wrun.scatter_reduce, x, 1, indices, wrun.ones(3), "max"))
    assert.equal("scatter_reduce: argument 4: expected a tensor, got 1",
      refusal(wrun.scatter_reduce, x, 1, indices, 1, "sum"))
    assert.equal("scatter_reduce: argument 4: expected a shape that covers [3], got [2]",
      refusal(wrun.scatter_reduce, x, 1, indices, wrun.ones(2), "sum"))
    assert.equal("scatter_reduce: argument 3: expected indices from 1 to 3, got 4 at index 1",
      refusal(wrun.scatter_reduce, x, 1, wrun.tensor({ 4 }), wrun.ones(1), "amax"))
  end)

  it("lets NaN win, and counts from the least of a type where x does not count", function()
    local y = wrun.tensor({ 0 / 0, 1.0, 2.0 })
    local largest = x:scatter_reduce(1, indices, y, "amax"):tolist()
    assert.is_true(largest[1] ~= largest[1] and largest[3] == 2)
    for _, dtype in ipairs({ "uint8", "int32", "int64", "float64" }) do
      local low = wrun.tensor({ 3, 4, 5 }):to(dtype)
      local z = wrun.tensor({ 9, 9, 9 }):to(dtype)
      assert.same({ 4, 9, 5 }, z:scatter_reduce(1, indices, low, "amax", false):long():tolist())
      z = wrun.zeros_like(z)
      assert.same({ 3, 0, 5 }, z:scatter_reduce(1, indices, low, "amin", false):long():tolist())
    end
  end)

  it("has gradients of gradients, in every way", function()
    local generator = wrun.Generator({ seed = 3 })
    local function randn(...)
      return wrun.randn({ ... }, { dtype = "float64", generator = generator, requires_grad = true })
    end
    for _, way in ipairs({ "sum", "mean", "prod", "amax", "amin" }) do
      local function reduced(a, b, c)
        return wrun.scatter_reduce(a, 2, wrun.tensor({ { 1, 1, 3 }, { 2, 3, 3 } }), b, way, c)
      end
      for _, include_self in ipairs({ true, false }) do
        assert.is_true(wrun.gradcheck(reduced, { randn(2, 3), randn(2, 4), include_self }))
        assert.is_true(wrun.gradgradcheck(reduced, { randn(2, 3), randn(2, 4), include_self }))
      end
    end
  end)
end)

describe("a key with tensors", function()
  local x = counted(4, 5)

  it("is refused when it does not fit", function()
    local function index(key)
      return refusal(function() return x[key] end)
    end
    assert.equal("index: part 1 of the key: expected indices from 1 to 4 (or -4 to -1), got 5 at "
      .. "index 2", index(wrun.tensor({ 1, 5 })))
    assert.equal("index: part 2 of the key: expected indices from 1 to 5 (or -5 to -1), got 0 at "
      .. "index 1", index({ {}, wrun.tensor({ 0 }) }))
    assert.equal("index: part 1 of the key: expected an int64 tensor of indices, "
      .. "got a float32 tensor [1]", index(wrun.tensor({ 1.0 })))
    assert.equal("index: part 1 of the key: expected a mask for dimension 1 and on of a tensor "
      .. "[4, 5], got [5]", index(wrun.ones(5):bool()))
    assert.equal("index: part 1 of the key: expected a mask for dimension 1 and on of a tensor "
      .. "[4, 5], got []", index(wrun.tensor(true)))
    assert.equal("index: expected a key for the 2 dimensions of [4, 5], got more",
      index({ x:gt(3), 1 }))
    assert.equal("index: expected tensors in the key that broadcast together, got [2] and [3]",
      index({ wrun.tensor({ 1, 2 }), wrun.tensor({ 1, 2, 3 }) }))
    assert.equal("index: expected an index from 1 to 5 (or -5 to -1) in dimension 2, got 6",
      index({ wrun.tensor({ 1 }), 6 }))
    assert.equal("assign: argument 3: expected a shape that broadcasts to [2, 5], got [3]",
      refusal(function() x[wrun.tensor({ 1, 2 })] = wrun.zeros(3) end))
    assert.equal("assign: argument 3: expected a tensor or a number, got nil",
      refusal(function() x[wrun.tensor({ 1, 2 })] = nil end))
    assert.equal("index_put_: argument 2: expected a key with a tensor in it, got 1",
      refusal(wrun.index_put_, x, 1, 0))
    assert.equal("index: argument 1: expected a tensor, got 1",
      refusal(wrun.index, 1, wrun.tensor({ 1 })))
  end)

  it("gives what stands at each of its indices, whatever the layout", function()
    local rows, columns = wrun.tensor({ { 4, 1 }, { -1, 2 } }), wrun.tensor({ 5, -5 })
    for _, y in ipairs({ x, scattered(x), x:t():contiguous():t() }) do
      assert.same({ { 20, 1 }, { 20, 6 } }, y[{ rows, columns }]:long():tolist())
      assert.same({ 2, 2, 5 }, y[rows].shape)
      assert.is_true(y[rows][1][2]:equal(x[1]))
    end
  end)
end)

describe("indexing", function()
  local x = wrun.arange(1, 25):reshape(4, 6)

  it("by an index takes from the first dimension", function()
    assert.same({ 7, 8, 9, 10, 11, 12 }, x[2]:tolist())
    assert.same({ 19, 20, 21, 22, 23, 24 }, x[-1]:tolist())
    assert.equal(9, x[2][3]:item())
    assert.equal(9, x[2.0][3]:item())
  end)

  it("by a table takes indices and slices, both ends included", function()
    assert.equal(9, x[{ 2, 3 }]:item())
    assert.same({ { 8, 9 }, { 14, 15 } }, x[{ { 2, 3 }, { 2, 3 } }]:tolist())
    assert.same({ 3, 9, 15, 21 }, x[{ {}, 3 }]:tolist())
    assert.same({ { 1, 4 }, { 19, 22 } }, x[{ { 1, 4, 3 }, { 1, -1, 3 } }]:tolist())
    assert.same({ 23, 24 }, x[{ -1, { -2, -1 } }]:tolist())
    assert.same({ 21, 22, 23, 24 }, x[{ -1, { 3 } }]:tolist())
    assert.same({ 2, 6 }, x[{ { 1, 2 } }].shape)
    assert.same({ 4, 6 }, x[{}].shape)
    assert.same({ 4, 0 }, x[{ {}, { 3, 2 } }].shape)
    assert.same({ 0, 6 }, x[{ { 5, 4 } }].shape)
    assert.same({ { 1 } }, x[{ { 1, 1, 5 }, { 1, 6, math.maxinteger } }]:tolist())
    assert.same({ 0, 3 }, wrun.zeros(0, 3)[{ {} }].shape)
  end)

  it("refuses indices outside", function()
    for _, i in ipairs({ 0, 5, -5 }) do
      assert.equal(("index: expected an index from 1 to 4 (or -4 to -1) in dimension 1, got %d")
        :format(i), refusal(function() return x[i] end))
    end
    assert.equal("index: expected an index from 1 to 6 (or -6 to -1) in dimension 2, got 7",
      refusal(function() return x[{ 1, 7 }] end))
    assert.equal("index: expected an index from 1 to 6 (or -6 to -1) in dimension 2, got 0",
      refusal(function() return x[{ {}, 0 }] end))
    assert.equal("index: argument 2: expected a whole index, got 1.5",
      refusal(function() return x[1.5] end))
    assert.equal("index: a tensor without dimensions has no indices",
      refusal(function() return wrun.tensor(1)[1] end))
  end)

  it("refuses slices outside", function()
    local text = "index: expected {from, to, step} within 1 to 6 in dimension 2, got {%d, %d, %d}"
    for _, part in ipairs({ { 0, 3, 1 }, { 1, 7, 1 }, { 4, 2, 1 }, { 1, 3, 0 }, { 1, 3, -1 },
      { -7, 3, 1 }, { 8, 7, 1 }, { 1, -8, 1 } }) do
      assert.equal(text:format(part[1], part[2], part[3]),
        refusal(function() return x[{ {}, part }] end))
    end
    assert.equal(text:format(1, 2, 1), refusal(function() return x[{ {}, { 1, 2, 1, 1 } }] end))
  end)

  it("refuses other keys", function()
    assert.equal("index: argument 2: expected an index or a table of indices and slices, "
      .. "got true", refusal(function() return x[true] end))
    assert.equal("index: expected at most 2 indices or slices, got 3",
      refusal(function() return x[{ 1, 2, 3 }] end))
    assert.equal("index: expected an index or a slice {from, to, step} for dimension 2, got 1.5",
      refusal(function() return x[{ 1, 1.5 }] end))
    assert.equal("index: expected an index or a slice {from, to, step} for dimension 1, "
      .. "got the string '1'", refusal(function() return x[{ "1" }] end))
  end)
end)

describe("assignment", function()
  local x

  before_each(function()
    x = wrun.zeros(3, 4, { dtype = "int64" })
  end)

  it("writes numbers and what broadcasts to the part", function()
    x[1] = 1
    x[{ 2, { 1, 2 } }] = wrun.tensor({ 2, 3 })
    x[{ {}, 4 }] = wrun.tensor({ 7, 8, 9 })
    x[{ 3, { 1, 3, 2 } }] = -1
    assert.same({ { 1, 1, 1, 7 }, { 2, 3, 0, 8 }, { -1, 0, -1, 9 } }, x:tolist())
    x[{}] = 5
    assert.equal(60, x:sum():item())
    x[{ { 2, 1 } }] = 9
    assert.equal(60, x:sum():item())
    x[-1][2] = 6
    assert.equal(6, x[3][2]:item())
    x[{ 1, 1 }] = wrun.tensor({ { 2.9 } }):view({})
    assert.equal(2, x[1][1]:item())
  end)

  it("reads its source before it writes", function()
    x:copy_(wrun.arange(12):reshape(3, 4))
    x[{ {}, { 1, 3 } }] = x[{ {}, { 2, 4 } }]
    assert.same({ { 1, 2, 3, 3 }, { 5, 6, 7, 7 }, { 9, 10, 11, 11 } }, x:tolist())
    x[{ {}, { 2, 4 } }] = x[{ {}, { 1, 3 } }]
    assert.same({ { 1, 1, 2, 3 }, { 5, 5, 6, 7 }, { 9, 9, 10, 11 } }, x:tolist())
  end)

  it("changes nothing when it refuses", function()
    assert.equal("assign: argument 3: expected a shape that broadcasts to [4], got [3]",
      refusal(function() x[1] = wrun.ones(3) end))
    assert.equal("assign: argument 3: expected a tensor or a number, got nil",
      refusal(function() x[1] = nil end))
    assert.equal("assign: argument 3: expected a tensor or a number, got a table",
      refusal(function() x[1] = { 1, 2, 3, 4 } end))
    assert.equal("assign: expected an index from 1 to 3 (or -3 to -1) in dimension 1, got 4",
      refusal(function() x[4] = 1 end))
    assert.equal("assign: argument 1: an expanded tensor shows one element several times; "
      .. "clone() it first", refusal(function() x[1][1]:expand(2)[1] = 1 end))
    assert.equal("assign: argument 2: expected an index or a table of indices and slices, "
      .. "got false", refusal(function() x[false] = 1 end))
    assert.equal(0, x:abs():sum():item())
    assert.equal(0, x.version)
  end)

  it("is counted by the version of the memory", function()
    local view = x[2]
    x[1] = 1
    view[1] = 2
    view:add_(1)
    assert.equal(3, x.version)
    assert.equal(3, view.version)
  end)
end)

describe("one_hot", function()
  it("refuses what are no classes", function()
    local v = wrun.arange(4)
    refusals {
      { "one_hot: argument 1: expected indices from 1 to 2, got 3 at index 3",
        wrun.one_hot, v + 1, 2 },
      { "one_hot: argument 1: expected an int64 tensor of indices, got a float32 tensor [4]",
        wrun.one_hot, v:float(), 2 },
      { "one_hot: argument 2: expected an integer >= 1, got 0", wrun.one_hot, v, 0 },
    }
  end)
end)
