--- Products beside PyTorch's and sums of products, in every arrangement of memory.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

-- Products of k numbers below 3 in magnitude, added in an order of BLAS's own.
local PRODUCT = {
  float32 = { rtol = 1e-5, atol = 1e-5 },
  float64 = { rtol = 1e-13, atol = 1e-13 },
}

local function numbers(shape, dtype)
  local n = 1
  for _, size in ipairs(shape) do
    n = n * size
  end
  local x = (wrun.arange(n):double() * 1.7):sin():reshape(shape) * 3
  return x:to(dtype)
end

--- a[m][k] b[k][n], by the definition.
local function product(a, b)
  local columns, result = b:t():tolist(), {}
  for _, row in ipairs(a:tolist()) do
    for _, column in ipairs(columns) do
      local sum = 0
      for l, x in ipairs(row) do
        sum = sum + x * column[l]
      end
      result[#result + 1] = sum
    end
  end
  return result
end

--- The same matrix in each way memory can hold it.
local function arrangements(x)
  local rows, columns = x:size(1), x:size(2)
  local wide = wrun.full({ rows, columns + 3 }, 99, { dtype = x.dtype })
  local part = wide:narrow(2, 2, columns)
  part:copy_(x)
  local stepped = wrun.full({ rows, 2 * columns }, 99, { dtype = x.dtype })[{ {}, { 1, -1, 2 } }]
  stepped:copy_(x)
  local tall = wrun.full({ columns + 2, rows }, 99, { dtype = x.dtype }):narrow(1, 2, columns):t()
  tall:copy_(x)
  return { x, x:t():contiguous():t(), part, stepped, tall }
end

local SIZES = { { 1, 1, 1 }, { 2, 3, 4 }, { 1, 7, 5 }, { 5, 7, 1 }, { 3, 1, 2 }, { 17, 33, 9 } }

describe("fixtures of linalg #many", function()
  for claim, check in cases.each(require "spec.fixtures.linalg", cases.SUMS) do
    it(claim, check)
  end
end)

describe("matmul", function()
  for _, dtype in ipairs({ "float32", "float64" }) do
    it("is the sum of products however its arguments lie, in " .. dtype, function()
      for _, size in ipairs(SIZES) do
        local m, k, n = table.unpack(size)
        local a, b = numbers({ m, k }, dtype), numbers({ k, n }, dtype)
        local want = product(a:double(), b:double())
        for _, left in ipairs(arrangements(a)) do
          for _, right in ipairs(arrangements(b)) do
            local got = left:matmul(right)
            assert.same({ m, n }, got.shape)
            assert.equal(dtype, got.dtype)
            near.lists(want, near.flat(got:double()), PRODUCT[dtype])
          end
        end
      end
    end)
  end

  it("of integers is exact and stays in their type", function()
    local a = wrun.tensor({ { 1 << 60, 2 }, { 3, -4 } })
    assert.same({ { (1 << 60) + 14, 6 }, { -25, -12 } },
      a:matmul(wrun.tensor({ { 1, 0 }, { 7, 3 } })):tolist())
    local b = wrun.tensor({ { 200, 1 } }, { dtype = "uint8" })
    local got = b:matmul(b:t())
    assert.equal("uint8", got.dtype)
    assert.equal(40001 % 256, got:item())
    assert.equal("float32", a:matmul(wrun.ones(2, 2)).dtype)
    assert.equal("float64", wrun.ones(2, 2):matmul(wrun.ones(2, { dtype = "float64" })).dtype)
  end)

  it("takes a vector as a row on the left and as a column on the right", function()
    local a, v = numbers({ 3, 4 }, "float64"), numbers({ 4 }, "float64")
    local w = numbers({ 3 }, "float64")
    near.lists(product(a, v:unsqueeze(2)), near.flat(a:matmul(v)), PRODUCT.float64)
    near.lists(product(w:unsqueeze(1), a), near.flat(w:matmul(a)), PRODUCT.float64)
    assert.same({ 3 }, a:matmul(v).shape)
    assert.same({ 4 }, w:matmul(a).shape)
    assert.same({}, v:matmul(v).shape)
    near.lists(near.flat((v * v):sum()), near.flat(v:matmul(v)), PRODUCT.float64)
  end)

  it("broadcasts batches", function()
    local a, b = numbers({ 2, 1, 3, 4 }, "float64"), numbers({ 5, 4, 2 }, "float64")
    local got = a:matmul(b)
    assert.same({ 2, 5, 3, 2 }, got.shape)
    for i = 1, 2 do
      for j = 1, 5 do
        near.lists(product(a[i][1], b[j]), near.flat(got[i][j]), PRODUCT.float64)
      end
    end
    assert.same({ 2, 1, 3 }, a:matmul(numbers({ 4 }, "float64")).shape)
    assert.same({ 5, 2 }, numbers({ 4 }, "float64"):matmul(b).shape)
    assert.is_true(got:equal(a:expand(2, 5, 3, 4):matmul(b:expand(2, 5, 4, 2))))
    local turned = a:transpose(-1, -2):contiguous():transpose(-1, -2)
    near.lists(near.flat(got), near.flat(turned:matmul(b)), PRODUCT.float64)
  end)

  it("of nothing is nothing, or zeros", function()
    assert.same({ 0, 4 }, wrun.zeros(0, 3):matmul(wrun.zeros(3, 4)).shape)
    assert.same({ { 0, 0 }, { 0, 0 } }, wrun.ones(2, 0):matmul(wrun.ones(0, 2)):tolist())
    assert.same({ 0, 2, 2 }, wrun.zeros(0, 2, 3):matmul(wrun.zeros(3, 2)).shape)
    assert.equal(0, wrun.zeros(0):matmul(wrun.zeros(0)):item())
  end)

  it("keeps NaN and infinity, also beside zeros", function()
    for _, n in ipairs({ 1, 40, 300 }) do
      local a, b = wrun.zeros(n, n), wrun.zeros(n, n)
      b[1][n] = 0 / 0
      b[n][1] = math.huge
      local got = a:matmul(b)
      assert.is_true(got:select(2, n):isnan():all():item())
      assert.is_true(got:select(2, 1):isnan():all():item())
    end
  end)

  it("cut into tiles is the product of the parts", function()
    local a, b = numbers({ 257, 70 }, "float64"), numbers({ 70, 391 }, "float64")
    local got = a:matmul(b)
    for _, index in ipairs({ { 1, 1 }, { 128, 129 }, { 257, 391 }, { 200, 3 } }) do
      local want = (a[index[1]] * b:select(2, index[2])):sum():item()
      near.lists({ want }, { got[index[1]][index[2]]:item() }, PRODUCT.float64)
    end
    local ones = wrun.ones(391, { dtype = "float64" })
    near.lists(near.flat(a:matmul(b:matmul(ones))), near.flat(got:matmul(ones)),
      { rtol = 1e-11, atol = 1e-10 })
  end)

  it("refuses shapes that do not fit", function()
    assert.equal("matmul: argument 2: expected 784 rows to match [32, 784], got [128, 10]",
      refusal(wrun.matmul, wrun.zeros(32, 784), wrun.zeros(128, 10)))
    assert.equal("matmul: argument 2: expected 3 rows to match [3], got [2]",
      refusal(wrun.matmul, wrun.zeros(3), wrun.zeros(2)))
    assert.equal("matmul: argument 2: expected batch dimensions that broadcast with [2, 3, 4], "
      .. "got [5, 4, 3]", refusal(wrun.matmul, wrun.zeros(2, 3, 4), wrun.zeros(5, 4, 3)))
    assert.equal("matmul: argument 1: expected a tensor with dimensions, got a float32 tensor []",
      refusal(wrun.matmul, wrun.zeros(), wrun.zeros(2)))
    assert.equal("matmul: argument 2: expected a tensor with dimensions, got a float32 tensor []",
      refusal(wrun.matmul, wrun.zeros(2), wrun.zeros()))
    assert.equal("matmul: argument 1: expected a tensor, got nil", refusal(wrun.matmul))
    assert.equal("matmul: argument 2: expected a tensor, got 5",
      refusal(wrun.matmul, wrun.zeros(2), 5))
    local deep = wrun.ones(1):view(load("return {" .. ("1,"):rep(32) .. "}")())
    assert.equal("matmul: argument 1: expected fewer dimensions, got a float32 tensor "
      .. require("wrun.core").shape_text(deep), refusal(wrun.matmul, deep, deep))
  end)
end)

describe("linear", function()
  it("is x weight^T + bias over the last dimension, however its arguments lie", function()
    for _, dtype in ipairs({ "float32", "float64" }) do
      local x, w = numbers({ 5, 4 }, dtype), numbers({ 3, 4 }, dtype)
      local bias = numbers({ 6 }, dtype)[{ { 1, -1, 2 } }]
      local want = x:matmul(w:t()) + bias
      for _, input in ipairs(arrangements(x)) do
        for _, weight in ipairs(arrangements(w)) do
          local rule = PRODUCT[dtype]
          near.lists(near.flat(want), near.flat(wrun.linear(input, weight, bias)), rule)
          near.lists(near.flat(want - bias), near.flat(wrun.linear(input, weight)), rule)
        end
      end
    end
  end)

  it("takes inputs of any rank", function()
    local w, b = numbers({ 3, 4 }, "float64"), numbers({ 3 }, "float64")
    local x = numbers({ 2, 5, 4 }, "float64")
    local y = wrun.linear(x, w, b)
    assert.same({ 2, 5, 3 }, y.shape)
    near.lists(near.flat(wrun.linear(x:view(10, 4), w, b)), near.flat(y), PRODUCT.float64)
    local turned = x:transpose(1, 2)
    near.lists(near.flat(y:transpose(1, 2)), near.flat(wrun.linear(turned, w, b)), PRODUCT.float64)
    assert.same({ 3 }, wrun.linear(x[1][1], w, b).shape)
    assert.same({ 0, 3 }, wrun.linear(wrun.zeros(0, 4, { dtype = "float64" }), w, b).shape)
    local none = wrun.linear(wrun.zeros(2, 3, 0), wrun.zeros(2, 0), wrun.tensor({ 1.0, 2 }))
    assert.same({ 2, 3, 2 }, none.shape)
    assert.same({ 1, 2 }, none[2][3]:tolist())
  end)

  it("refuses what does not fit", function()
    local x, w = wrun.zeros(2, 4), wrun.zeros(3, 4)
    assert.equal("linear: argument 1: expected [..., 4], got [2, 5]",
      refusal(wrun.linear, wrun.zeros(2, 5), w))
    assert.equal("linear: argument 1: expected [..., 4], got []",
      refusal(wrun.linear, wrun.zeros(), w))
    assert.equal("linear: argument 2: expected a weight [out, in], got a float32 tensor [4]",
      refusal(wrun.linear, x, wrun.zeros(4)))
    assert.equal("linear: argument 3: expected a bias [3], got [4]",
      refusal(wrun.linear, x, w, wrun.zeros(4)))
    assert.equal("linear: argument 3: expected a bias [3], got [1, 3]",
      refusal(wrun.linear, x, w, wrun.zeros(1, 3)))
    assert.equal("linear: argument 3: expected a tensor, got 1", refusal(wrun.linear, x, w, 1))
    assert.equal("linear: argument 2: expected a tensor, got nil", refusal(wrun.linear, x))
    assert.equal("linear: argument 1: expected a tensor, got nil", refusal(wrun.linear))
    assert.equal("linear: expected float tensors of one type, got a float32 tensor [2, 4], "
      .. "a float64 tensor [3, 4] and nil", refusal(wrun.linear, x, w:double()))
    assert.equal("linear: expected float tensors of one type, got an int64 tensor [2, 4], "
      .. "an int64 tensor [3, 4] and an int64 tensor [3]",
      refusal(wrun.linear, x:long(), w:long(), wrun.zeros(3):long()))
  end)
end)

describe("mm, mv, dot, bmm and outer", function()
  it("are matmul for given ranks", function()
    local a, v = numbers({ 2, 3 }, "float64"), numbers({ 3 }, "float64")
    assert.is_true(a:mm(a:t()):equal(a:matmul(a:t())))
    assert.is_true(a:mv(v):equal(a:matmul(v)))
    assert.is_true(v:dot(v):equal(v:matmul(v)))
    local batch = numbers({ 2, 3, 3 }, "float64")
    assert.is_true(batch:bmm(batch):equal(batch:matmul(batch)))
    assert.same({ { 3, 4 }, { 6, 8 } },
      wrun.outer(wrun.tensor({ 1, 2 }), wrun.tensor({ 3, 4 })):tolist())
  end)

  it("refuse other ranks", function()
    local a, v = wrun.zeros(2, 3), wrun.zeros(3)
    for name, dims in pairs({ mm = "2 and 2", mv = "2 and 1", bmm = "3 and 3" }) do
      assert.equal(("%s: expected %s dimensions, got a float32 tensor [3] and a float32 tensor [3]")
        :format(name, dims), refusal(wrun[name], v, v))
    end
    assert.equal("dot: expected 1 and 1 dimensions, got a float32 tensor [2, 3] and 5",
      refusal(wrun.dot, a, 5))
    assert.equal("mm: argument 1: expected a tensor, got nil", refusal(wrun.mm))
    assert.equal("outer: argument 1: expected a tensor, got nil", refusal(wrun.outer))
    assert.equal("outer: argument 2: expected a tensor, got 2", refusal(wrun.outer, v, 2))
  end)
end)

describe("products with a vector", function()
  -- Sums in double of 2^20 terms of size 1 at most.
  local CLOSE = { float32 = 1e-6, float64 = 1e-11 }

  local function assert_close(want, got)
    local scale = want:abs():max():item() + 1
    assert.is_true((got:double() - want):abs():max():item() <= CLOSE[got.dtype] * scale)
  end

  for dtype in pairs(CLOSE) do
    it("are sums of products, however long, few or arranged, in " .. dtype .. " #many", function()
      for _, shape in ipairs { { 1, 1 }, { 1, 33 }, { 3, 31 }, { 70, 4 }, { 600, 129 },
        { 2, 100000 }, { 1, 1000003 }, { 17, 40000 }, { 5, 65539 } } do
        local n, k = shape[1], shape[2]
        local m, v = wrun.randn(n, k, { dtype = dtype }), wrun.randn(k, { dtype = dtype })
        local want = (m:double() * v:double()):sum(2)
        local by_columns = m:t():contiguous():t()
        local apart = wrun.stack({ v, v }, 2):select(2, 1)
        assert_close(want, m:matmul(v))
        assert_close(want, by_columns:matmul(apart))
        assert_close(want, v:matmul(m:t()))
        assert_close(want, apart:matmul(by_columns:t()))
        local column = v:unsqueeze(2)
        local three = wrun.full({ n, 1 }, 3, { dtype = dtype })
        assert_close(want + 3, wrun.addmm(three, m, column):squeeze(2))
        local bias = wrun.full({ 1 }, -2, { dtype = dtype })
        assert_close(want - 2, wrun.linear(m, v:unsqueeze(1), bias):squeeze(2))
        assert_close(want:sub(2), wrun.linear(v:unsqueeze(1), m,
          wrun.full({ n }, -2, { dtype = dtype }))[1])
        local threads = wrun.get_num_threads()
        wrun.set_num_threads(1)
        local alone = { m:matmul(v), by_columns:matmul(v) }
        wrun.set_num_threads(3)
        assert.is_true(alone[1]:equal(m:matmul(v)) and alone[2]:equal(by_columns:matmul(v)))
        wrun.set_num_threads(threads)
      end
      assert.same({ 2, 0 }, wrun.zeros(2, 5):matmul(wrun.zeros(5, 0)).shape)
      assert.equal(0, wrun.zeros(0):dot(wrun.zeros(0)):item())
    end)
  end

  it("have for each row the bits that it has alone, however short", function()
    for dtype in pairs(CLOSE) do
      for k = 1, 40 do
        local m, v = wrun.randn(37, k, { dtype = dtype }), wrun.randn(k, { dtype = dtype })
        m:narrow(1, 5, 1):mul_(-0.0)
        local got = m:matmul(v)
        for i = 1, 37 do
          assert.equal(("%a"):format(m[i]:dot(v):item()), ("%a"):format(got[i]:item()))
        end
      end
    end
  end)

  it("do not overflow on the way", function()
    local x = wrun.tensor { 3e38, 3e38, -3e38, -3e38, 0 }
    assert.equal(0, x:dot(wrun.ones(5)):item())
  end)
end)
