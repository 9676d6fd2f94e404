--- The tensor as a Lua value: fields, elements, conversions and operators.

local core = require "wrun.core"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local DTYPES = { "bool", "uint8", "int32", "int64", "float32", "float64" }

describe("a tensor", function()
  it("has fields", function()
    local x = wrun.zeros(2, 3, { dtype = "float64", requires_grad = true })
    assert.same({ 2, 3 }, x.shape)
    assert.equal(2, x.ndim)
    assert.equal("float64", x.dtype)
    assert.is_true(x.requires_grad)
    assert.is_true(x.is_leaf)
    assert.is_nil(x.grad)
    assert.is_nil(x.grad_fn)
    assert.equal(0, x.version)
    assert.equal("tensor: no name 'colour'; wrun.help('Tensor') lists those there are",
      refusal(function() return x.colour end))
  end)

  it("has methods for its size", function()
    local x = wrun.zeros(2, 3):t()
    assert.same({ 3, 2 }, x:size())
    assert.equal(3, x:size(1))
    assert.equal(2, x:size(-1))
    assert.same({ 1, 3 }, x:stride())
    assert.equal(3, x:stride(2))
    assert.equal(6, x:numel())
    assert.equal(2, x:dim())
    assert.equal(3, #x)
    assert.is_false(x:is_contiguous())
    assert.is_true(wrun.zeros(2, 0, 3):transpose(1, 3):is_contiguous())
    assert.is_true(wrun.zeros(3, 1):t():is_contiguous())
    assert.equal(1, wrun.zeros():numel())
    assert.equal(0, wrun.zeros(0, 5):numel())
  end)

  it("hands out its shape as a table of the caller's own", function()
    local x = wrun.zeros(2, 3)
    x.shape[1] = 7
    x:size()[1] = 7
    assert.same({ 2, 3 }, x.shape)
  end)

  it("takes a gradient of its own kind, or nil", function()
    local x = wrun.zeros(2, { requires_grad = true })
    local g = wrun.ones(2)
    x.grad = g
    assert.equal(g, x.grad)
    x.grad = nil
    assert.is_nil(x.grad)
    for _, wrong in ipairs({ 5, "g", {} }) do
      local got = type(wrong) == "table" and "a table" or type(wrong) == "string"
        and "the string 'g'" or "5"
      assert.equal("grad: expected a float32 tensor [2] like its tensor, got " .. got,
        refusal(function() x.grad = wrong end))
    end
    assert.equal("grad: expected a float32 tensor [2] like its tensor, got a float32 tensor [3]",
      refusal(function() x.grad = wrun.ones(3) end))
    assert.equal("grad: expected a float32 tensor [2] like its tensor, got a float64 tensor [2]",
      refusal(function() x.grad = wrun.ones(2, { dtype = "float64" }) end))
  end)

  it("can be told to require a gradient", function()
    local x = wrun.zeros(2)
    x.requires_grad = true
    assert.is_true(x.requires_grad)
    assert.equal(x, x:requires_grad_(false))
    assert.is_false(x.requires_grad)
    assert.is_true(x:requires_grad_().requires_grad)
    assert.equal("requires_grad: expected true or false, got 1",
      refusal(function() x.requires_grad = 1 end))
    assert.equal("requires_grad_: only float32 and float64 tensors have gradients, "
      .. "got an int64 tensor []", refusal(wrun.requires_grad_, wrun.tensor(1)))
    assert.equal("requires_grad: only a leaf can give up its gradient; use detach() on a result",
      refusal(wrun.requires_grad_, x * 2, false))
    assert.equal("requires_grad_: argument 1: expected a tensor, got 5",
      refusal(wrun.requires_grad_, 5))
  end)

  it("refuses other fields, and lengths it does not have", function()
    local x = wrun.zeros(2)
    assert.equal("tensor: the field 'shape' cannot be set; grad and requires_grad can",
      refusal(function() x.shape = { 1, 2 } end))
    assert.equal("tensor: the field 'colour' cannot be set; grad and requires_grad can",
      refusal(function() x.colour = "red" end))
    assert.equal("#: a tensor without dimensions has no length",
      refusal(function() return #wrun.zeros() end))
    assert.equal("size: argument 2: expected a dimension from 1 to 1 or from -1 to -1, got 2",
      refusal(x.size, x, 2))
    assert.equal("stride: argument 2: expected a dimension, got the string '1'",
      refusal(x.stride, x, "1"))
    assert.equal("size: argument 1: expected a tensor with dimensions, got a float32 tensor []",
      refusal(x.size, wrun.zeros(), 1))
    assert.equal("stride: argument 1: expected a tensor with dimensions, got a float32 tensor []",
      refusal(x.stride, wrun.zeros(), -1))
  end)

  it("is told from other values by is_tensor", function()
    assert.is_true(wrun.is_tensor(wrun.zeros()))
    for _, other in ipairs({ 1, "x", {}, io.stdout, print, wrun.default_generator }) do
      assert.is_false(wrun.is_tensor(other))
    end
    assert.is_false(wrun.is_tensor(nil))
    assert.is_false(wrun.is_tensor())
  end)

  it("is needed by every method", function()
    for _, name in ipairs({ "size", "stride", "numel", "dim", "is_contiguous", "item", "tolist",
      "clone", "contiguous", "to", "detach", "copy_", "set_parameter" }) do
      local call = rawget(wrun, name) or core[name]
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(call, 5))
    end
  end)
end)

describe("describe and shape_text", function()
  it("say what a value is, as errors put it", function()
    local cases = {
      { nil, "nil" }, { 5, "5" }, { 2.5, "2.5" }, { 0 / 0, "nan" }, { false, "false" },
      { "a", "the string 'a'" }, { {}, "a table" }, { print, "a function" },
      { wrun.zeros(2, 3), "a float32 tensor [2, 3]" }, { wrun.tensor(1), "an int64 tensor []" },
      { wrun.default_generator, "a userdata" },
    }
    for i = 1, #cases do
      assert.equal(cases[i][2], core.describe(cases[i][1]))
    end
    assert.equal("[2, 3]", core.shape_text(wrun.zeros(2, 3)))
    assert.equal("[]", core.shape_text({}))
    assert.equal("[4, 0]", core.shape_text({ 4, 0 }))
  end)
end)

describe("item and tolist", function()
  it("give booleans, integers and floats as Lua has them", function()
    assert.is_true(wrun.tensor(true):item())
    assert.equal("integer", math.type(wrun.tensor(3, { dtype = "uint8" }):item()))
    assert.equal("integer", math.type(wrun.tensor(3):item()))
    assert.equal("float", math.type(wrun.tensor(3.0):item()))
    assert.equal(0.1, wrun.tensor({ { 0.1 } }, { dtype = "float64" }):item())
    assert.not_equal(0.1, wrun.tensor(0.1):item())
    assert.same({ { true }, { false } }, wrun.tensor({ { true }, { false } }):tolist())
    assert.same({}, wrun.zeros(0, 3):tolist())
    assert.same({ {}, {} }, wrun.zeros(2, 0):tolist())
    assert.equal(4, wrun.tensor(4):tolist())
  end)

  it("read views in the order of their shape", function()
    local x = wrun.tensor({ { 1, 2, 3 }, { 4, 5, 6 } })
    assert.same({ { 1, 4 }, { 2, 5 }, { 3, 6 } }, x:t():tolist())
    assert.equal(6, x[2][3]:item())
    assert.same({ { 2, 2 } }, x[1][2]:expand(1, 2):tolist())
  end)

  it("refuse an item of several", function()
    assert.equal("item: argument 1: expected a tensor with one element, got a float32 tensor [2]",
      refusal(wrun.item, wrun.zeros(2)))
    assert.equal("item: argument 1: expected a tensor with one element, got a float32 tensor [0]",
      refusal(wrun.item, wrun.zeros(0)))
  end)
end)

describe("a conversion", function()
  -- As C converts: floats towards zero, into bytes by their low eight bits, into booleans by being
  -- nonzero.
  local VALUES = {
    bool = { false, true, true, true },
    uint8 = { 0, 1, 255, 44 },
    int32 = { 0, 1, -1, 300 },
    int64 = { 0, 1, -1, 300 },
    float32 = { 0.0, 1.5, -1.5, 300.25 },
    float64 = { 0.0, 1.5, -1.5, 300.25 },
  }
  local TO_INTEGER = { 0, 1, -1, 300 }

  it("from every type to every type keeps what fits", function()
    for _, from in ipairs(DTYPES) do
      local x = wrun.tensor(VALUES[from], { dtype = from })
      for _, to in ipairs(DTYPES) do
        local want = {}
        for i, value in ipairs(VALUES[from]) do
          local number = type(value) == "boolean" and (value and 1 or 0) or value
          if to == "bool" then
            want[i] = number ~= 0
          elseif to:find("float") then
            want[i] = number * 1.0
          else
            number = from:find("float") and TO_INTEGER[i] or number
            want[i] = to == "uint8" and number & 255 or number
          end
        end
        local got = x:to(to)
        assert.equal(to, got.dtype)
        near.lists(want, near.flat(got))
        near.lists(want, near.flat(x:unsqueeze(2):expand(4, 2):to(to):select(2, 2)))
      end
    end
  end)

  it("has a name for each type", function()
    local x = wrun.tensor({ 0, 2 })
    assert.equal("float32", x:float().dtype)
    assert.equal("float64", x:double().dtype)
    assert.equal("int64", x:float():long().dtype)
    assert.equal("int32", x:int().dtype)
    assert.equal("uint8", x:byte().dtype)
    assert.same({ false, true }, x:bool():tolist())
  end)

  it("copies only when the type changes", function()
    local x = wrun.zeros(2)
    assert.equal(x, x:to("float32"))
    assert.equal(x, x:float())
    local y = x:to("float64")
    y[1] = 1
    assert.equal(0, x[1]:item())
  end)

  it("refuses unknown types", function()
    assert.equal("to: argument 2: expected bool, uint8, int32, int64, float32 or float64, "
      .. "got the string 'half'", refusal(wrun.to, wrun.zeros(1), "half"))
    assert.equal("to: argument 2: expected bool, uint8, int32, int64, float32 or float64, "
      .. "got nothing",
      refusal(wrun.to, wrun.zeros(1)))
  end)
end)

describe("clone, contiguous and detach", function()
  it("copy or share as they say", function()
    local x = wrun.tensor({ { 1, 2 }, { 3, 4 } })
    local copy = x:t():clone()
    assert.is_true(copy:is_contiguous())
    copy[1] = 0
    assert.same({ { 1, 2 }, { 3, 4 } }, x:tolist())
    assert.equal(x, x:contiguous())
    assert.same({ { 1, 3 }, { 2, 4 } }, x:t():contiguous():tolist())
    x:detach()[1][1] = 9
    assert.equal(9, x[1][1]:item())
  end)
end)

describe("copy_, fill_ and zero_", function()
  it("overwrite, convert and broadcast", function()
    local x = wrun.zeros(2, 2)
    assert.equal(x, x:copy_(wrun.tensor({ 1, 2 })))
    assert.same({ { 1, 2 }, { 1, 2 } }, x:tolist())
    x:t():copy_(wrun.tensor({ { 5, 6 }, { 7, 8 } }, { dtype = "uint8" }))
    assert.same({ { 5, 7 }, { 6, 8 } }, x:tolist())
    x:copy_(x:t())
    assert.same({ { 5, 6 }, { 7, 8 } }, x:tolist())
    assert.same({ { 0.5, 0.5 }, { 7, 8 } }, (x:narrow(1, 1, 1):fill_(0.5) and x):tolist())
    assert.same({ { 0, 0 }, { 0, 0 } }, x:zero_():tolist())
    assert.same({ true }, wrun.zeros(1, { dtype = "bool" }):fill_(2):tolist())
  end)

  it("refuse what does not fit", function()
    local x = wrun.zeros(2, 2)
    assert.equal("copy_: argument 2: expected a shape that broadcasts to [2, 2], got [3]",
      refusal(wrun.copy_, x, wrun.zeros(3)))
    assert.equal("copy_: argument 2: expected a shape that broadcasts to [2], got [2, 2]",
      refusal(wrun.copy_, x[1], x))
    assert.equal("copy_: argument 2: expected a tensor or a number, got nil",
      refusal(wrun.copy_, x))
    assert.equal("fill_: argument 2: expected a tensor or a number, got the string '1'",
      refusal(wrun.fill_, x, "1"))
    assert.equal("copy_: argument 1: an expanded tensor shows one element several times; "
      .. "clone() it first", refusal(wrun.copy_, wrun.zeros(1):expand(2), 1))
  end)
end)

describe("an operator", function()
  local x = wrun.tensor({ 7, -2 })
  local y = wrun.tensor({ 2, 3 })

  it("works between tensors, and with numbers on either side", function()
    local cases = {
      { x + y, { 9, 1 } }, { x + 1, { 8, -1 } }, { 1 + x, { 8, -1 } },
      { x - y, { 5, -5 } }, { x - 1, { 6, -3 } }, { 1 - x, { -6, 3 } },
      { x * y, { 14, -6 } }, { x * 2, { 14, -4 } }, { 2 * x, { 14, -4 } },
      { x // y, { 3, -1 } }, { x // 2, { 3, -1 } }, { 15 // x, { 2, -8 } },
      { x % y, { 1, 1 } }, { x % 3, { 1, 1 } }, { 15 % x, { 1, -1 } },
      { x ^ 2, { 49, 4 } }, { y ^ y, { 4, 27 } }, { 2 ^ y, { 4, 8 } }, { -x, { -7, 2 } },
    }
    for i, case in ipairs(cases) do
      assert.equal("int64", case[1].dtype, "case " .. i)
      assert.same(case[2], case[1]:tolist())
    end
    assert.same({ 3.5, 0.5 }, (x:float() / wrun.tensor({ 2, -4 })):tolist())
    assert.same({ 3.5, -1 }, (x / 2):tolist())
    assert.same({ 2, -7 }, (14 / x):tolist())
    assert.equal("float32", (x / y).dtype)
    assert.equal("float32", (x + 0.5).dtype)
    assert.same({ 3, -1 }, (x:float() // 2):tolist())
  end)

  it("is told what it cannot work with", function()
    assert.equal("add: argument 2: expected a tensor or a number, got a table",
      refusal(function() return x + {} end))
    assert.equal("mul: argument 1: expected a tensor, got the string 'a'",
      refusal(function() return "a" * x end))
    assert.equal("sub: argument 2: expected a tensor or a number, got nil",
      refusal(function() return x - nil end))
    assert.equal("div: argument 2: expected a shape that broadcasts with [2], got [3]",
      refusal(function() return x / wrun.zeros(3) end))
  end)

  it("leaves identity to ==", function()
    assert.is_true(x == x) -- luacheck: ignore
    assert.is_false(x == x:clone())
    assert.is_true(x:equal(x:clone()))
    assert.is_false(x:equal(y))
    assert.is_false(x:equal(wrun.zeros(3)))
    assert.is_true(x:allclose(x + 1e-7))
    assert.is_false(x:allclose(y))
    assert.is_true(wrun.tensor(0 / 0):allclose(wrun.tensor(0 / 0), { equal_nan = true }))
    assert.is_false(wrun.tensor(0 / 0):allclose(wrun.tensor(0 / 0)))
    assert.is_true(wrun.tensor(1.0):allclose(wrun.tensor(1.5), { atol = 0.5 }))
    assert.equal("allclose: option tol: unknown; the options are atol, equal_nan, rtol",
      refusal(wrun.allclose, x, y, { tol = 1 }))
    assert.equal("equal: argument 2: expected a tensor, got 7", refusal(wrun.equal, x, 7))
    assert.equal("equal: argument 1: expected a tensor, got 7", refusal(wrun.equal, 7, x))
  end)
end)
