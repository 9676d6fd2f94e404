--- New tensors: from tables, filled, ranges, and like another.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local DTYPES = { "bool", "uint8", "int32", "int64", "float32", "float64" }

--- Asserts type, shape and elements, bit for bit.
local function assert_tensor(dtype, shape, values, tensor)
  assert.equal(dtype, tensor.dtype)
  assert.same(shape, tensor.shape)
  near.lists(values, near.flat(tensor))
end

describe("fixtures of create #many", function()
  for claim, check in cases.each(require "spec.fixtures.create", cases.ELEMENTWISE) do
    it(claim, check)
  end
end)

describe("wrun.tensor", function()
  it("infers the type from the elements", function()
    assert_tensor("int64", { 3 }, { 1, -2, 3 }, wrun.tensor({ 1, -2, 3 }))
    assert_tensor("float32", { 2 }, { 1.0, 2.5 }, wrun.tensor({ 1, 2.5 }))
    assert_tensor("bool", { 2 }, { true, false }, wrun.tensor({ true, false }))
    assert_tensor("float32", { 0 }, {}, wrun.tensor({}))
  end)

  it("takes a number or a boolean as a tensor without dimensions", function()
    assert_tensor("int64", {}, { 5 }, wrun.tensor(5))
    assert_tensor("float32", {}, { 0.5 }, wrun.tensor(0.5))
    assert_tensor("bool", {}, { true }, wrun.tensor(true))
  end)

  it("takes nested tables, the innermost last", function()
    assert_tensor("int64", { 2, 1, 3 }, { 1, 2, 3, 4, 5, 6 },
      wrun.tensor({ { { 1, 2, 3 } }, { { 4, 5, 6 } } }))
    assert_tensor("float32", { 2, 0 }, {}, wrun.tensor({ {}, {} }))
    local deep = 7
    for _ = 1, 32 do
      deep = { deep }
    end
    assert.equal(32, wrun.tensor(deep).ndim)
  end)

  it("converts to the type it is given", function()
    assert_tensor("float64", { 2 }, { 1.0, 0.1 }, wrun.tensor({ 1, 0.1 }, { dtype = "float64" }))
    assert_tensor("int64", { 3 }, { 1, -1, 0 },
      wrun.tensor({ 1.9, -1.9, 0.5 }, { dtype = "int64" }))
    assert_tensor("uint8", { 3 }, { 255, 0, 44 },
      wrun.tensor({ -1, 256, 300 }, { dtype = "uint8" }))
    assert_tensor("bool", { 4 }, { true, false, true, true },
      wrun.tensor({ 2, 0, 0.1, 0 / 0 }, { dtype = "bool" }))
    assert_tensor("float32", { 2 }, { 1.0, 0.0 },
      wrun.tensor({ true, false }, { dtype = "float32" }))
  end)

  it("keeps every bit of an integer and of a double", function()
    for _, x in ipairs({ math.maxinteger, math.mininteger, (1 << 53) + 1 }) do
      assert.equal(x, wrun.tensor(x):item())
    end
    for _, x in ipairs({ 0.1, 5e-324, 1.7976931348623157e308, -0.0, math.huge, 0 / 0 }) do
      near.lists({ x }, { wrun.tensor(x, { dtype = "float64" }):item() })
    end
  end)

  it("copies a tensor", function()
    local x = wrun.tensor({ 1.5, 2 }, { requires_grad = true })
    local y = wrun.tensor(x, { dtype = "float64" })
    assert_tensor("float64", { 2 }, { 1.5, 2.0 }, y)
    local same = wrun.tensor(x)
    same[1] = 9
    assert.equal(1.5, x[1]:item())
    assert.is_false(same.requires_grad)
  end)

  it("makes a leaf that requires a gradient when told", function()
    local x = wrun.tensor({ 1.0 }, { requires_grad = true })
    assert.is_true(x.requires_grad and x.is_leaf)
    assert.is_false(wrun.tensor({ 1.0 }).requires_grad)
  end)

  it("refuses what is no table of numbers", function()
    assert.equal("tensor: argument 1: expected a number, a boolean or a table of them, got nil",
      refusal(wrun.tensor))
    assert.equal("tensor: argument 1: expected a number, a boolean or a table of them, "
      .. "got the string '1'", refusal(wrun.tensor, "1"))
    assert.equal("tensor: argument 1: expected numbers or booleans in tables of one shape, "
      .. "got the string 'x'", refusal(wrun.tensor, { 1, "x" }))
    assert.equal("tensor: argument 1: expected numbers or booleans in tables of one shape, "
      .. "got a table", refusal(wrun.tensor, { 1, { 2 } }))
    assert.equal("tensor: argument 1: expected numbers or booleans in tables of one shape, "
      .. "got a float32 tensor [2]", refusal(wrun.tensor, { wrun.zeros(2) }))
    assert.equal("tensor: argument 1: expected either numbers or booleans, got both",
      refusal(wrun.tensor, { 1, true }))
  end)

  it("refuses ragged tables", function()
    assert.equal("tensor: argument 1: expected every table at depth 2 to hold 2 values, got 1",
      refusal(wrun.tensor, { { 1, 2 }, { 3 } }))
    assert.equal("tensor: argument 1: expected every table at depth 2 to hold 2 values, got 5",
      refusal(wrun.tensor, { { 1, 2 }, 5 }))
    assert.equal("tensor: argument 1: expected every table at depth 2 to hold 0 values, got 1",
      refusal(wrun.tensor, { {}, { 1 } }))
  end)

  it("refuses tables within themselves", function()
    local endless = {}
    endless[1] = endless
    assert.equal("tensor: argument 1: expected at most 32 levels of tables",
      refusal(wrun.tensor, endless))
  end)

  it("refuses options among the elements", function()
    assert.equal("tensor: argument 1: option dtype stands among the elements; "
      .. "options go into a table of their own",
      refusal(wrun.tensor, { 1, 2, dtype = "float64" }))
  end)
end)

describe("a creating function", function()
  it("takes sizes as numbers or as a table, and none at all", function()
    assert_tensor("float32", { 2, 3 }, { 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 }, wrun.zeros(2, 3))
    assert_tensor("float32", { 1, 2 }, { 1.0, 1.0 }, wrun.ones({ 1, 2 }))
    assert_tensor("float32", {}, { 1.0 }, wrun.ones())
    assert_tensor("float32", {}, { 0.0 }, wrun.zeros({}))
    assert_tensor("float64", {}, { 0.0 }, wrun.zeros({ dtype = "float64" }))
    assert_tensor("int64", {}, { 0 }, wrun.zeros({}, { dtype = "int64" }))
    assert.same({ 2, 0, 3 }, wrun.empty(2, 0, 3).shape)
    assert.same({ 2, 3 }, wrun.zeros(2.0, 3.0).shape)
  end)

  it("makes every type", function()
    local one = { bool = true, uint8 = 1, int32 = 1, int64 = 1, float32 = 1.0, float64 = 1.0 }
    for _, dtype in ipairs(DTYPES) do
      assert_tensor(dtype, { 1 }, { one[dtype] }, wrun.ones(1, { dtype = dtype }))
      assert.equal(dtype, wrun.empty(1, { dtype = dtype }).dtype)
    end
  end)

  it("fills with one value, whose type it takes", function()
    assert_tensor("int64", { 2 }, { 7, 7 }, wrun.full({ 2 }, 7))
    assert_tensor("float32", { 2 }, { 0.5, 0.5 }, wrun.full({ 2 }, 0.5))
    assert_tensor("bool", { 2 }, { true, true }, wrun.full({ 2 }, true))
    assert_tensor("float64", {}, { 7.0 }, wrun.full({}, 7, { dtype = "float64" }))
    assert_tensor("float32", { 1 }, { 2.5 }, wrun.full({ 1 }, wrun.tensor(2.5)))
  end)

  it("makes an identity matrix of any proportions", function()
    assert_tensor("float32", { 2, 2 }, { 1.0, 0.0, 0.0, 1.0 }, wrun.eye(2))
    assert_tensor("int64", { 2, 3 }, { 1, 0, 0, 0, 1, 0 }, wrun.eye(2, 3, { dtype = "int64" }))
    assert_tensor("float64", { 3, 2 }, { 1.0, 0.0, 0.0, 1.0, 0.0, 0.0 },
      wrun.eye(3, 2, { dtype = "float64" }))
    assert.same({ 0, 4 }, wrun.eye(0, 4).shape)
    assert.same({ 4, 0 }, wrun.eye(4, 0).shape)
  end)

  it("gives a leaf a gradient when told", function()
    local options = { requires_grad = true }
    for _, x in ipairs({ wrun.zeros(1, options), wrun.ones(1, options), wrun.empty(1, options),
      wrun.full({ 1 }, 0.5, options), wrun.eye(1, options), wrun.arange(1.5, options),
      wrun.linspace(0, 1, 2, options) }) do
      assert.is_true(x.requires_grad and x.is_leaf)
    end
  end)

  it("aligns its memory and lays it out in rows", function()
    local x = wrun.zeros(2, 3, 4)
    assert.same({ 12, 4, 1 }, x:stride())
    assert.is_true(x:is_contiguous())
  end)

  it("refuses sizes that make no shape", function()
    assert.equal("zeros: a size is negative: [2, -1]", refusal(wrun.zeros, 2, -1))
    assert.equal("eye: a size is negative: [-1, -1]", refusal(wrun.eye, -1))
    assert.equal("linspace: a size is negative: [-1]", refusal(wrun.linspace, 0, 1, -1))
    assert.equal("zeros: argument 1: expected a size, got 2.5", refusal(wrun.zeros, 2.5))
    assert.equal("ones: argument 2: expected a size, got the string '3'",
      refusal(wrun.ones, 2, "3"))
    assert.equal("ones: argument 1: expected a size, got a float32 tensor [2]",
      refusal(wrun.ones, wrun.zeros(2)))
    assert.equal("empty: argument 1: expected a size, got true", refusal(wrun.empty, { 2, true }))
    assert.equal("zeros: argument 1: expected only sizes in this table; options go into the next",
      refusal(wrun.zeros, { 2, dtype = "int64" }))
    local sizes = {}
    for d = 1, 33 do
      sizes[d] = 1
    end
    assert.equal("zeros: argument 1: expected at most 32 dimensions, got 33",
      refusal(wrun.zeros, sizes))
    assert.equal("zeros: argument 33: expected at most 32 dimensions",
      refusal(wrun.zeros, table.unpack(sizes)))
    assert.equal(32, wrun.zeros(table.unpack(sizes, 1, 32)).ndim)
  end)

  it("refuses sizes that overflow", function()
    local half = 1 << 32
    assert.equal("zeros: the sizes overflow: [4294967296, 4294967296]",
      refusal(wrun.zeros, half, half))
    assert.equal("ones: the sizes overflow: [9223372036854775807]",
      refusal(wrun.ones, math.maxinteger))
    assert.equal("empty: the sizes overflow: [0, 4294967296, 4294967296]",
      refusal(wrun.empty, 0, half, half))
    assert.equal("full: the sizes overflow: [4294967296, 4294967296]",
      refusal(wrun.full, { half, half }, 0))
    assert.equal("eye: the sizes overflow: [4294967296, 4294967296]", refusal(wrun.eye, half))
  end)

  it("refuses unknown options and wrong values of them", function()
    assert.equal("zeros: option dtypes: unknown; the options are dtype, requires_grad",
      refusal(wrun.zeros, 2, { dtypes = "int64" }))
    assert.equal("tensor: option 1: unknown; the options are dtype, requires_grad",
      refusal(wrun.tensor, { 1 }, { "int64" }))
    assert.equal("eye: argument 3: expected nothing behind the table of options, got true",
      refusal(wrun.eye, 2, { dtype = "int64" }, true))
    assert.equal("int64", wrun.eye(2, nil, { dtype = "int64" }).dtype)
    assert.equal("float64", wrun.arange(3, nil, nil, { dtype = "float64" }).dtype)
    assert.equal("arange: option step: unknown; the options are dtype, requires_grad",
      refusal(wrun.arange, 3, { step = 2 }))
    assert.equal("ones: option dtype: expected bool, uint8, int32, int64, float32 or float64, "
      .. "got the string 'double'", refusal(wrun.ones, 2, { dtype = "double" }))
    assert.equal("full: option dtype: expected bool, uint8, int32, int64, float32 or float64, "
      .. "got 64",
      refusal(wrun.full, { 2 }, 1, { dtype = 64 }))
    assert.equal("eye: option requires_grad: expected true or false, got 1",
      refusal(wrun.eye, 2, { requires_grad = 1 }))
    assert.equal("tensor: option requires_grad: only float32 and float64 tensors have gradients, "
      .. "got int64", refusal(wrun.tensor, 1, { requires_grad = true }))
    assert.equal("tensor: argument 2: expected a table of options, got the string 'float64'",
      refusal(wrun.tensor, 1, "float64"))
    assert.equal("linspace: argument 4: expected a table of options, got 5",
      refusal(wrun.linspace, 0, 1, 5, 5))
  end)

  it("refuses what is missing or of the wrong kind", function()
    assert.equal("full: argument 1: expected a table of sizes, got 2", refusal(wrun.full, 2, 3))
    assert.equal("full: argument 2: expected a number, got nil", refusal(wrun.full, { 2 }))
    assert.equal("full: argument 2: expected a number, got a float32 tensor [2]",
      refusal(wrun.full, { 2 }, wrun.zeros(2)))
    assert.equal("eye: argument 1: expected a number of rows, got nothing", refusal(wrun.eye))
    assert.equal("eye: argument 2: expected a number of columns, got 1.5",
      refusal(wrun.eye, 2, 1.5))
    assert.equal("linspace: argument 1: expected a number, got nothing", refusal(wrun.linspace))
    assert.equal("linspace: argument 2: expected a number, got nil",
      refusal(wrun.linspace, 0, nil, 3))
    assert.equal("linspace: argument 3: expected a number of values, got 2.5",
      refusal(wrun.linspace, 0, 1, 2.5))
    assert.equal("arange: argument 1: expected a number, got the string '3'",
      refusal(wrun.arange, "3"))
  end)
end)

describe("wrun.arange", function()
  it("counts from 0 up to what it does not reach", function()
    assert_tensor("int64", { 4 }, { 0, 1, 2, 3 }, wrun.arange(4))
    assert_tensor("int64", { 2 }, { 1, 2 }, wrun.arange(1, 3))
    assert_tensor("int64", { 3 }, { 7, 5, 3 }, wrun.arange(7, 2, -2))
    assert_tensor("int64", { 0 }, {}, wrun.arange(3, 3))
    assert_tensor("int64", { 0 }, {}, wrun.arange(0))
  end)

  it("is float32 when any part is", function()
    assert_tensor("float32", { 3 }, { 1.0, 1.5, 2.0 }, wrun.arange(1, 2.5, 0.5))
    assert_tensor("float32", { 2 }, { 0.0, 1.0 }, wrun.arange(2.0))
    assert_tensor("float64", { 3 }, { 0.0, 0.1, 0.2 },
      wrun.arange(0, 0.3, 0.1, { dtype = "float64" }))
    assert_tensor("int64", { 2 }, { 0, 1 }, wrun.arange(2.5, { dtype = "int64" }))
  end)

  it("keeps integers exact beyond what a double holds", function()
    local first = (1 << 60) + 1
    assert_tensor("int64", { 2 }, { first, first + 1 }, wrun.arange(first, first + 2))
  end)

  it("refuses steps that lead nowhere", function()
    assert.equal("arange: expected a step that leads from 0.0 to 4.0, got 0.0",
      refusal(wrun.arange, 0, 4, 0))
    assert.equal("arange: expected a step that leads from 0.0 to 4.0, got -1.0",
      refusal(wrun.arange, 0, 4, -1))
    assert.equal("arange: expected a step that leads from 0.0 to 1.0, got 0.5",
      refusal(wrun.arange, 0, 1, 0.5, { dtype = "int64" }))
    assert.equal("arange: expected a step that leads from 0.0 to -1.0, got 1.0",
      refusal(wrun.arange, -1))
    assert.equal("arange: expected a step that leads from 0.0 to inf, got 1.0",
      refusal(wrun.arange, math.huge))
    assert.matches("^arange: expected a step that leads from 0%.0 to 1%.0, got %-?nan$",
      refusal(wrun.arange, 0, 1, 0 / 0))
    assert.equal("arange: the sizes overflow: [1e+17]", refusal(wrun.arange, 1e17))
  end)
end)

describe("wrun.linspace", function()
  it("holds both ends and even steps", function()
    assert_tensor("float32", { 5 }, { 0.0, 0.25, 0.5, 0.75, 1.0 }, wrun.linspace(0, 1, 5))
    assert_tensor("float32", { 3 }, { 3.0, 0.0, -3.0 }, wrun.linspace(3, -3, 3))
    assert_tensor("float32", { 1 }, { 3.0 }, wrun.linspace(3, 10, 1))
    assert_tensor("float32", { 0 }, {}, wrun.linspace(3, 10, 0))
    assert_tensor("int64", { 3 }, { 0, 2, 5 }, wrun.linspace(0, 5, 3, { dtype = "int64" }))
    local ends = wrun.linspace(0.1, 0.7, 100, { dtype = "float64" })
    assert.equal(0.1, ends[1]:item())
    assert.equal(0.7, ends[100]:item())
  end)
end)

describe("wrun.logspace", function()
  it("gives a leaf, and refuses what is no number", function()
    assert.is_true(wrun.logspace(0, 1, 2, { requires_grad = true }).is_leaf)
    assert.equal("logspace: argument 1: expected a number, got nil", refusal(wrun.logspace))
    assert.equal("logspace: argument 2: expected a number, got the string '1'",
      refusal(wrun.logspace, 0, "1"))
    assert.equal("logspace: argument 3: expected an integer >= 0, got 2.5",
      refusal(wrun.logspace, 0, 1, 2.5))
    assert.equal("logspace: option base: expected a number, got the string 'e'",
      refusal(wrun.logspace, 0, 1, 2, { base = "e" }))
  end)
end)

describe("a function that makes one like another", function()
  it("takes shape and type from it", function()
    local x = wrun.tensor({ { 1, 2, 3 } })
    assert_tensor("int64", { 1, 3 }, { 0, 0, 0 }, wrun.zeros_like(x))
    assert_tensor("int64", { 1, 3 }, { 1, 1, 1 }, x:ones_like())
    assert_tensor("int64", { 1, 3 }, { 8, 8, 8 }, wrun.full_like(x, 8))
    assert.same({ 1, 3 }, wrun.empty_like(x).shape)
    assert_tensor("float64", { 1, 3 }, { 2.0, 2.0, 2.0 },
      wrun.full_like(x, 2, { dtype = "float64" }))
    assert.same({ 2, 2 }, wrun.randn_like(wrun.zeros(2, 2)).shape)
    assert.equal("float64", wrun.rand_like(wrun.zeros(2, { dtype = "float64" })).dtype)
  end)

  it("leaves behind gradients and strides, and the options it was given", function()
    local x = wrun.zeros(2, 3, { requires_grad = true }):t()
    local options = { dtype = "float64" }
    local y = wrun.zeros_like(x, options)
    assert.is_true(y:is_contiguous())
    assert.is_false(y.requires_grad)
    assert.same({ dtype = "float64" }, options)
    assert.is_true(wrun.ones_like(x, { requires_grad = true }).requires_grad)
  end)

  it("refuses what is no tensor, and unknown options", function()
    assert.equal("zeros_like: argument 1: expected a tensor, got {2, 3}",
      refusal(wrun.zeros_like, { 2, 3 }))
    assert.equal("full_like: argument 1: expected a tensor, got nil", refusal(wrun.full_like))
    assert.equal("ones_like: argument 2: expected a table of options, got 5",
      refusal(wrun.ones_like, wrun.zeros(1), 5))
    assert.equal("full_like: argument 3: expected a table of options, got 5",
      refusal(wrun.full_like, wrun.zeros(1), 1, 5))
    assert.equal("zeros_like: option type: unknown; the options are dtype, requires_grad",
      refusal(wrun.zeros_like, wrun.zeros(1), { type = "bool" }))
    assert.equal("rand_like: option dtype: expected float32 or float64, got int64",
      refusal(wrun.rand_like, wrun.tensor(1)))
  end)
end)
