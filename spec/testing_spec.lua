--- wrun.testing: what the matchers accept, and every message they give.

local wrun = require "wrun"

local nn = wrun.nn
local testing = require "wrun.testing"

local NAN, INF = 0 / 0, math.huge

--- The message of an assertion that must fail, without file and line in front, which must be of here.
local function failure(f, ...)
  local ok, caught = pcall(f, ...)
  assert(not ok, "expected the assertion to fail")
  local message = tostring(type(caught) == "table" and caught.message or caught)
  local text, count = message:gsub("^[^\n:]*spec/testing_spec%.lua:%d+: ", "")
  assert(count == 1, "the failure does not blame the spec: " .. message)
  return text
end

local function failing(name, ...)
  local assertion = assert[name]
  local arguments = table.pack(...)
  return failure(function()
    assertion(table.unpack(arguments, 1, arguments.n))
  end)
end

local MATRIX = wrun.tensor({ { 1.0, 2, 3 }, { 4, 5, 6 } })

--- a derivative of x^2 that is wrong: 3
local wrong = wrun.autograd.Function({
  forward = function(_, x) return x * x end,
  backward = function(_, g) return g * 3 end,
})

describe("assert.tensor_near", function()
  it("accepts what is near, and a number or a table for a tensor", function()
    assert.tensor_near(MATRIX, MATRIX + 1e-6)
    assert.tensor_near(MATRIX, MATRIX * 1.04, { rtol = 0.05 })
    assert.tensor_near(MATRIX, MATRIX + 0.04, { atol = 0.05 })
    assert.tensor_near(1.5, wrun.tensor(1.5))
    assert.tensor_near(wrun.tensor(1.5, { dtype = "float64" }), 1.5)
    assert.tensor_near({ { 1, 2, 3 }, { 4, 5, 6 } }, MATRIX)
    assert.tensor_near({ true, false }, wrun.tensor({ true, false }))
    assert.tensor_near({}, wrun.zeros(0))
    assert.tensor_near({ INF, -INF }, wrun.tensor({ INF, -INF }))
    assert.tensor_near({ NAN }, wrun.tensor({ NAN }), { equal_nan = true })
    assert.tensor_near(MATRIX, wrun.tensor(MATRIX:tolist(), { requires_grad = true }))
  end)

  it("takes PyTorch's tolerances where none is given, and 0 where the other is", function()
    local one = wrun.tensor({ 1.0 })
    assert.tensor_near(one * 1000, one * 1000.001)
    assert.is_not.tensor_near(one * 1000, one * 1000.002)
    assert.tensor_near(one:double(), one:double() + 1.9e-7)
    assert.is_not.tensor_near(one:double(), one:double() + 2.1e-7)
    assert.is_not.tensor_near(one:long(), one:long() + 1)
    assert.is_not.tensor_near(one * 0, one * 0 + 1e-6, { rtol = 0.5 })
    assert.is_not.tensor_near(one, one * 1.00001, { atol = 1e-7 })
  end)

  it("says where, by how much and how often tensors differ", function()
    local got = wrun.tensor({ { 1.0, 2, 3 }, { 4.5, 5, 7 } })
    assert.equal("Expected tensors that are near: within 0 + 0.05 |expected|.\n"
      .. "expected: float32 [2, 3]\ngot:      float32 [2, 3]\n"
      .. "2 of 6 elements differ, most at {2, 3}: expected 6, got 7, a difference of 1",
      failing("tensor_near", MATRIX, got, { rtol = 0.05 }))
    got[2][3] = 6
    assert.equal("Expected tensors that are near: within 1e-05 + 1.3e-06 |expected|.\n"
      .. "expected: float32 [2, 3]\ngot:      float32 [2, 3]\n"
      .. "1 of 6 elements differs, at {2, 1}: expected 4, got 4.5, a difference of 0.5",
      failing("tensor_near", MATRIX, got))
  end)

  it("says so of one element, of a number, and of NaN, which comes first", function()
    assert.matches("\ndiffers at {1}: expected 0%.1, got 0%.2, a difference of 0%.1$",
      failing("tensor_near", { 0.1 }, wrun.tensor({ 0.2 })))
    assert.matches("\nexpected 1, got 2, a difference of 1$",
      failing("tensor_near", 1, wrun.tensor(2)))
    assert.matches("\n2 of 2 elements differ, most at {2}: expected 0, got nan, a difference of",
      failing("tensor_near", { 0, 0 }, wrun.tensor({ 9, NAN })))
    assert.matches("\nexpected nan, got nan, a difference of nan$",
      failing("tensor_near", NAN, wrun.tensor(NAN)))
    assert.matches("\nexpected inf, got %-inf, a difference of inf$",
      failing("tensor_near", INF, wrun.tensor(-INF)))
  end)

  it("refuses other shapes and dtypes, however near", function()
    assert.equal("Expected tensors that are near: within 1e-05 + 1.3e-06 |expected|.\n"
      .. "expected: float32 [2, 3]\ngot:      float32 [3, 2]\nthe shapes differ",
      failing("tensor_near", MATRIX, MATRIX:t()))
    assert.equal("Expected tensors that are near: within 1e-05 + 1.3e-06 |expected|.\n"
      .. "expected: float32 [2, 3]\ngot:      float64 [2, 3]\nthe dtypes differ",
      failing("tensor_near", MATRIX, MATRIX:double()))
  end)

  it("can be negated", function()
    assert.is_not.tensor_near(MATRIX, MATRIX + 1)
    assert.not_tensor_near(MATRIX, MATRIX:double())
    assert.equal("Expected tensors that are not near: within 1e-05 + 1.3e-06 |expected|.\n"
      .. "expected: float32 [2, 3]\ngot:      float32 [2, 3]\nall 6 elements are",
      failing("not_tensor_near", MATRIX, MATRIX))
    assert.matches("\nthe element is$", failing("not_tensor_near", 1, wrun.tensor(1)))
  end)

  it("puts a message in front", function()
    assert.matches("^after training\nExpected tensors that are near",
      failing("tensor_near", MATRIX, MATRIX + 1, {}, "after training"))
    assert.matches("^after training\nExpected tensors that are near",
      failing("tensor_near", MATRIX, MATRIX + 1, "after training"))
  end)

  it("blames the spec for wrong use, negated or not", function()
    for _, name in ipairs { "tensor_near", "not_tensor_near" } do
      assert.equal("tensor_near: argument 2: expected a tensor, got nil",
        failing(name, MATRIX, nil))
      assert.equal("tensor_near: argument 1: expected a tensor, got 1", failing(name, 1, 2))
      assert.equal("tensor_near: option tol: unknown; the options are atol, equal_nan, rtol",
        failing(name, MATRIX, MATRIX, { tol = 1 }))
      assert.equal("tensor_near: option rtol: expected a number >= 0, got -1",
        failing(name, MATRIX, MATRIX, { rtol = -1 }))
    end
  end)
end)

describe("assert.same_bits", function()
  it("tells what == does not", function()
    assert.same_bits(MATRIX, MATRIX:clone())
    assert.same_bits({ NAN, INF, -0.0 }, wrun.tensor({ -NAN, INF, -0.0 }))
    assert.same_bits({ 1, 2 }, wrun.tensor({ 1, 2 }, { dtype = "int64" }))
    assert.is_not.same_bits({ 0.0 }, wrun.tensor({ -0.0 }))
    assert.is_not.same_bits(MATRIX, MATRIX * (1 + 2 ^ -23))
    assert.is_not.same_bits(MATRIX, MATRIX:double())
    assert.is_not.same_bits({ 1e-45 }, wrun.tensor({ 0.0 }))
  end)

  it("says where", function()
    assert.equal("Expected tensors that are the same to the last bit.\n"
      .. "expected: float32 [2]\ngot:      float32 [2]\n"
      .. "1 of 2 elements differs, at {2}: expected 0, got -0, a difference of 0",
      failing("same_bits", { 1.0, 0.0 }, wrun.tensor({ 1.0, -0.0 })))
    assert.equal("Expected tensors that are the same to the last bit.\n"
      .. "expected: float64 []\ngot:      float64 []\n"
      .. "expected 0.1, got 0.10000000000000002, a difference of 1.39e-17",
      failing("same_bits", 0.1, wrun.tensor(0.1 + 2 ^ -56, { dtype = "float64" })))
    assert.equal("Expected tensors that are not the same to the last bit.\n"
      .. "expected: float32 [2]\ngot:      float32 [2]\nall 2 elements are",
      failing("not_same_bits", { 1, NAN }, wrun.tensor({ 1, NAN })))
    assert.equal("same_bits: argument 1: expected a tensor, got nil",
      failing("same_bits", nil, MATRIX))
  end)
end)

describe("assert.shape", function()
  it("compares sizes", function()
    assert.shape(MATRIX, { 2, 3 })
    assert.shape(wrun.tensor(1), {})
    assert.is_not.shape(MATRIX, { 3, 2 })
    assert.is_not.shape(MATRIX, { 2, 3, 1 })
  end)

  it("says both", function()
    assert.equal("Expected the shape [3, 2].\ngot: float32 [2, 3]",
      failing("shape", MATRIX, { 3, 2 }))
    assert.equal("Expected another shape than [2, 3].", failing("not_shape", MATRIX, { 2, 3 }))
    assert.matches("^of a batch\nExpected the shape",
      failing("shape", MATRIX, { 3, 2 }, "of a batch"))
    assert.equal("shape: argument 1: expected a tensor, got nil", failing("shape", nil, {}))
    assert.equal("shape: argument 2: expected a table of integers, got 2",
      failing("shape", MATRIX, 2))
  end)
end)

describe("assert.gradients", function()
  it("accepts right ones, of functions and of modules in float32", function()
    assert.gradients(wrun.tanh, wrun.randn(2, 3))
    assert.gradients(function(a, b, n) return (a * b) ^ n end, { wrun.rand(3), wrun.rand(3), 2 })
    local y = wrun.tensor({ 1, 2, 1 }, { dtype = "int64" })
    assert.gradients(nn.CrossEntropyLoss(), { wrun.randn(3, 2), y })
    assert.gradients(nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2)),
      wrun.randn(5, 3))
  end)

  it("leaves the module, its input and the generator as they were", function()
    local layer, x = nn.Linear(3, 2), wrun.randn(4, 3, { requires_grad = true })
    layer.bias:requires_grad_(false)
    local weight, values = layer.weight, layer.weight:clone()
    local draws = wrun.default_generator:get_state()
    assert.gradients(nn.Sequential(layer, nn.Dropout(0.5)), x)
    assert.is_not.gradients(function(t) return wrong(layer(t:float()):double()) end, x)
    assert.equal(weight, layer.weight)
    assert.same_bits(values, layer.weight)
    assert.is_false(layer.bias.requires_grad)
    assert.is_nil(weight.grad or x.grad)
    assert.same_bits(draws, wrun.default_generator:get_state())
    pcall(testing.gradients, layer, wrun.ones(7))
    assert.equal(weight, layer.weight)
  end)

  it("moves one element of one parameter at a time", function()
    local Sum = nn.Module:extend("Sum")
    function Sum:init()
      self.a, self.b = nn.Parameter(wrun.ones(2)), nn.Parameter(wrun.ones(2))
    end
    local most = 0
    function Sum:forward(x)
      local moved = wrun.cat({ self.a:detach(), self.b:detach() }):ne(1):long():sum():item()
      most = math.max(most, moved)
      return x * self.a + self.b
    end
    assert.gradients(Sum(), wrun.ones(2))
    assert.equal(1, most)
  end)

  it("says which differ, where and by how much", function()
    local Scaled = nn.Module:extend("Scaled")
    function Scaled:init()
      self.by = nn.Parameter(wrun.tensor({ 2.0, 2.0 }))
      self.unused = nn.Parameter(wrun.ones(3))
    end
    function Scaled:forward(x)
      return wrong(x) * self.by
    end
    local message = failing("gradients", Scaled(), wrun.tensor({ 1.5, 1.0 }))
    -- by differences 0.5 * 2 * 2 * 1.5 and 1.5 * 2 * 2 * 1: weights of the sum, factors, 2 x
    assert.equal("Expected the gradients that finite differences give, within 1e-05 + 0.001 "
      .. "|expected|.\ninput 1, float64 [2]: 1 of 2 elements differs, at {2}: expected 6, got 9, "
      .. "a difference of 3", (message:gsub("expected [56]%.%d+", "expected 6")))
    Scaled.forward = function(self, x)
      return x + wrong(self.by)
    end
    assert.matches("\nparameter by, float64 %[2%]: 2 of 2 elements differ, most at {2}: expected",
      failing("gradients", Scaled(), wrun.ones(2)))
    assert.equal("Expected gradients that finite differences do not give, within 1e-05 + 0.001 "
      .. "|expected|;\nall 1 are right.", failing("not_gradients", wrun.exp, wrun.ones(2)))
    assert.matches("^with words\nExpected the gradients",
      failing("gradients", wrong, wrun.ones(2), { rtol = 0 }, "with words"))
  end)

  it("blames the spec for wrong use", function()
    assert.equal("gradients: argument 1: expected a function, got 3",
      failing("gradients", 3, MATRIX))
    assert.equal("gradients: argument 2: expected a tensor or a table of arguments, got nil",
      failing("gradients", wrun.exp, nil))
    assert.equal("gradcheck: expected at least one input that requires a gradient",
      failing("gradients", wrun.exp, {}))
    assert.equal("gradients: expected a float64 result, got a float32 tensor [2]: differences in "
      .. "float32 are mostly rounding; cast the tensors that the function uses with :double()",
      failing("gradients", function(x) return x:float() end, wrun.ones(2)))
    assert.equal("gradcheck: option step: unknown; the options are atol, eps, rtol",
      failing("gradients", wrun.exp, MATRIX, { step = 1 }))
    local count = 0
    assert.equal("gradcheck: input 1: two runs gave different gradients",
      failing("gradients", function(x)
        count = count + 1
        return x * count
      end, wrun.ones(2)))
  end)
end)

describe("assert.gradients of text", function()
  it("passes names of dtypes on", function()
    assert.gradients(function(x, dtype) return x:to(dtype) * 2 end, { wrun.rand(3), "float64" })
  end)
end)

describe("assert.healthy", function()
  it("holds for a start without faults", function()
    wrun.manual_seed(1)
    local model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
    assert.healthy(model, wrun.randn(50, 20))
    nn.init.zeros_(model[1].weight)
    nn.init.zeros_(model[1].bias)
    assert.is_not.healthy(model, wrun.randn(50, 20))
    local ok, message = pcall(assert.healthy, model, wrun.randn(50, 20))
    assert.is_false(ok)
    assert.truthy(tostring(message):find("Expected a healthy start:\nlayer ", 1, true))
    assert.truthy(tostring(message):find("! the 64 units of 1 compute the same", 1, true))
  end)
end)

describe("wrun.isclose", function()
  it("is allclose, element by element", function()
    local a = wrun.tensor({ 1, 1.01, NAN, INF })
    local b = wrun.tensor({ 1, 1, NAN, INF })
    assert.same({ true, false, false, true }, a:isclose(b):tolist())
    assert.same({ true, true, true, true },
      a:isclose(b, { rtol = 0.1, equal_nan = true }):tolist())
    assert.same({ true, false, false, false }, wrun.isclose(a, 1):tolist())
    assert.same({ false, false, true }, wrun.tensor({ 1, -INF, INF }):isclose(INF):tolist())
    assert.is_false(wrun.tensor({ -INF }):allclose(INF))
  end)
end)
