--- Counting beside PyTorch's, at its edges, and what it refuses.

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local NAN = 0 / 0

describe("fixtures of count #many", function()
  for claim, check in cases.each(require "spec.fixtures.count", cases.SUMS) do
    it(claim, check)
  end
end)

describe("histc", function()
  it("counts long rows as it counts their parts, with few bins and with many", function()
    local x = (wrun.arange(70001) * 7919 % 10007):float()
    for _, bins in ipairs { 3, 1000, 40000 } do
      local sum = wrun.zeros(bins)
      for first = 1, 70001, 10000 do
        sum:add_(x:narrow(1, first, math.min(10000, 70002 - first)):histc(bins, 5, 10000))
      end
      assert.same(sum:tolist(), x:histc(bins, 5, 10000):tolist())
      assert.equal(x:ge(5):logical_and(x:le(10000)):sum():item(), sum:sum():item())
    end
  end)

  it("has the largest numbers in the last bin", function()
    local x = wrun.tensor({ 3e38, 1.0, 0 / 0, -1.0 })
    local y = x:histc(100, 0, 3e38)
    assert.same({ 1, 1 }, { y[1]:item(), y[100]:item() })
    assert.equal(2, y:sum():item())
  end)
end)

describe("unique and unique_consecutive", function()
  it("give back x from values and inverse", function()
    local x = (wrun.arange(3 * 500) * 7919 % 101):reshape(3, 500)
    for _, name in ipairs { "unique", "unique_consecutive" } do
      local values, inverse, counts = wrun[name](x, { return_inverse = true, return_counts = true })
      local again = values:index_select(1, inverse:reshape(-1)):reshape(3, 500)
      assert.is_true(again:equal(x))
      assert.equal(1500, counts:sum():item())
    end
    local parts, inverse = (x % 2):unique { dim = 2, return_inverse = true }
    assert.is_true(parts:index_select(2, inverse):equal(x % 2))
    assert.is_true(parts:size(2) <= 8)
  end)

  it("take a number without dimensions, and what is empty", function()
    local values, inverse = wrun.tensor(5):unique { return_inverse = true }
    assert.same({ 5 }, values:tolist())
    assert.same({}, inverse.shape)
    assert.same({ 5 }, (wrun.tensor(5):unique { dim = 1 }):tolist())
    assert.same({ 0, 3 }, (wrun.zeros(0, 3):unique { dim = 1 }).shape)
    assert.same({ 1, 0 }, (wrun.zeros(3, 0):unique { dim = 1 }).shape)
    assert.same({ 0 }, (wrun.zeros(0, 3):unique_consecutive()).shape)
  end)

  it("carry no gradient", function()
    local x = wrun.ones(3, { requires_grad = true })
    assert.is_false((x:unique()).requires_grad)
  end)

  it("refuse what they do not know", function()
    local x = wrun.zeros(2, 3)
    assert.equal("unique: argument 1: expected a tensor, got 5", refusal(wrun.unique, 5))
    assert.equal("unique: option counts: unknown; the options are dim, return_counts, "
      .. "return_inverse, sorted", refusal(wrun.unique, x, { counts = true }))
    assert.equal("unique_consecutive: option sorted: unknown; the options are dim, return_counts, "
      .. "return_inverse", refusal(wrun.unique_consecutive, x, { sorted = true }))
    assert.equal("unique: option return_counts: expected true or false, got 1",
      refusal(wrun.unique, x, { return_counts = 1 }))
    assert.equal("unique: option dim: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.unique, x, { dim = 3 }))
  end)
end)

describe("searchsorted and bucketize", function()
  it("are the insertion that keeps the order, NaN being the largest", function()
    local sequence = wrun.tensor({ 1, 2, 2, NAN, NAN })
    local values = wrun.tensor({ 2, 5, NAN, math.huge })
    assert.same({ 2, 4, 4, 4 }, sequence:searchsorted(values):tolist())
    assert.same({ 4, 4, 6, 4 }, sequence:searchsorted(values, { right = true }):tolist())
    assert.same({ 2, 4, 4, 4 }, values:bucketize(sequence):tolist())
  end)

  it("find of many values what they find of each", function()
    local ends = wrun.tensor { NAN, math.huge, -math.huge }
    local values = wrun.cat { wrun.arange(2000) / 3 - 5, ends }
    for _, n in ipairs { 0, 1, 7, 1024, 1025 } do
      local sequence = (wrun.arange(n) // 2):double()
      for _, right in ipairs { false, true } do
        local all = sequence:searchsorted(values:double(), { right = right })
        for i = 1, 2000, 97 do
          local before = right and sequence:le(values[i]) or sequence:lt(values[i])
          assert.equal(before:sum():item() + 1, all[i]:item())
        end
        assert.same({ n + 1, n + 1, 1 }, all:narrow(1, 2001, 3):tolist())
      end
    end
  end)

  it("compare numbers of different types", function()
    assert.equal(3, wrun.tensor({ 1, 2, 3 }):searchsorted(2.5):item())
    assert.equal(2, wrun.tensor({ 0.5, 1.5 }):searchsorted(1):item())
    assert.same({ 3 }, wrun.tensor({ 1, 2, 3 }):searchsorted(wrun.tensor({ 2.5 })):tolist())
  end)

  it("give the same for any number of threads", function()
    local threads = wrun.get_num_threads()
    local sequence = wrun.arange(1000) * 3
    local values = wrun.arange(20000) * 7919 % 3100
    wrun.set_num_threads(1)
    local one = sequence:searchsorted(values)
    wrun.set_num_threads(3)
    assert.is_true(one:equal(sequence:searchsorted(values)))
    wrun.set_num_threads(threads)
    assert.is_true(one:equal(((values + 2) / 3):floor():long():clamp(0, 1000) + 1))
  end)

  it("refuse what they cannot search", function()
    local x = wrun.zeros(2, 3)
    assert.equal("searchsorted: argument 1: expected a tensor, got 5",
      refusal(wrun.searchsorted, 5, x))
    assert.equal("searchsorted: argument 1: expected a tensor with dimensions, got a float32 "
      .. "tensor []", refusal(wrun.searchsorted, wrun.tensor(1.0), x))
    assert.equal("searchsorted: argument 2: expected a tensor, got nil",
      refusal(wrun.searchsorted, x))
    assert.equal("searchsorted: argument 2: expected the shape [2, 3] but for the last dimension, "
      .. "got [3, 2]", refusal(wrun.searchsorted, x, wrun.zeros(3, 2)))
    assert.equal("searchsorted: option side: expected left or right, got the string 'up'",
      refusal(wrun.searchsorted, x, x, { side = "up" }))
    assert.equal("searchsorted: option side: expected right, as option right says, got left",
      refusal(wrun.searchsorted, x, x, { side = "left", right = true }))
    assert.equal("searchsorted: option sorter: expected a tensor, got 1",
      refusal(wrun.searchsorted, x, x, { sorter = 1 }))
    assert.equal("bucketize: argument 2: expected a tensor, got nil", refusal(wrun.bucketize, x))
    assert.equal("bucketize: argument 2: expected a tensor of 1 dimension, got a float32 tensor "
      .. "[2, 3]", refusal(wrun.bucketize, 1, x))
    assert.equal("bucketize: argument 1: expected a tensor, got the string 'x'",
      refusal(wrun.bucketize, "x", wrun.zeros(2)))
    assert.equal("bucketize: option right: expected true or false, got 1",
      refusal(wrun.bucketize, x, wrun.zeros(2), { right = 1 }))
    assert.equal("isin: argument 1: expected a tensor, got nil", refusal(wrun.isin, nil, x))
    assert.equal("isin: argument 2: expected a tensor, got nil", refusal(wrun.isin, x))
    assert.equal("isin: option invert: expected true or false, got 1",
      refusal(wrun.isin, x, x, { invert = 1 }))
  end)
end)

describe("bincount", function()
  it("counts from 1, as classes do", function()
    assert.same({ 1, 0, 2 }, wrun.tensor({ 3, 1, 3 }):bincount():tolist())
    assert.same({ 1, 0, 2, 0 }, wrun.tensor({ 3, 1, 3 }):bincount(nil, 4):tolist())
    assert.same({ 0, 0 }, wrun.zeros(0, { dtype = "int64" }):bincount(nil, 2):tolist())
    for _, dtype in ipairs { "uint8", "int32" } do
      assert.equal(2, wrun.full({ 2 }, 255, { dtype = dtype }):bincount()[255]:item())
    end
  end)

  it("sends gradients to the weights", function()
    local weights = wrun.tensor({ 1.0, 2, 3 }, { requires_grad = true })
    local sums = wrun.tensor({ 2, 1, 2 }):bincount(weights)
    assert.same({ 2, 4 }, sums:tolist())
    sums:backward(wrun.tensor({ 5.0, 7 }))
    assert.same({ 7, 5, 7 }, weights.grad:tolist())
  end)

  it("refuses what is no list of numbers from 1", function()
    local wanted = "bincount: argument 1: expected an integer tensor of 1 dimension, got "
    assert.equal("bincount: argument 1: expected a tensor, got nil", refusal(wrun.bincount))
    assert.equal(wanted .. "a float32 tensor [2]", refusal(wrun.bincount, wrun.zeros(2)))
    assert.equal(wanted .. "an int64 tensor [1, 1]", refusal(wrun.bincount, wrun.tensor({ { 1 } })))
    assert.equal("bincount: argument 1: expected integers >= 1, got 0; numbers that count from 0 "
      .. "need +1", refusal(wrun.bincount, wrun.tensor({ 2, 0 })))
    assert.equal("bincount: argument 1: expected integers >= 1, got -3",
      refusal(wrun.bincount, wrun.tensor({ 2, -3 })))
    local x = wrun.tensor({ 1, 2 })
    assert.equal("bincount: argument 2: expected weights of shape [2], got [3]",
      refusal(wrun.bincount, x, wrun.zeros(3)))
    assert.equal("bincount: argument 2: expected a tensor, got 1", refusal(wrun.bincount, x, 1))
    assert.equal("bincount: argument 3: expected an integer >= 0, got -1",
      refusal(wrun.bincount, x, nil, -1))
  end)
end)

describe("histc and histogram", function()
  it("leave out what is outside or no number, and count the upper edge", function()
    local x = wrun.tensor({ 0, 1, 2, 2.5, -0.5, NAN, math.huge, -math.huge })
    assert.same({ 1, 2 }, x:histc(2, 0, 2):tolist())
    assert.same({ 1, 2 }, (x:histogram(2, { range = { 0, 2 } })):tolist())
    assert.same({ 1, 1, 3 }, (x:histogram(wrun.tensor { -1, 0, 1, 2.5 })):tolist())
  end)

  it("refuse ranges, bins and weights that cannot be", function()
    local x = wrun.tensor({ 1, 2.5 })
    for _, name in ipairs { "histc", "histogram" } do
      assert.equal(name .. ": argument 1: expected a tensor, got nil", refusal(wrun[name]))
      assert.equal(name .. ": argument 1: expected a float32 or float64 tensor, got an int64 "
        .. "tensor [1]", refusal(wrun[name], wrun.tensor({ 1 }), 2))
      assert.equal(name .. ": argument 1: expected a finite range, got nan to nan",
        refusal(wrun[name], wrun.tensor({ 1, NAN }), 2))
      assert.equal(name .. ": argument 1: expected a finite range, got 1.0 to inf",
        refusal(wrun[name], wrun.tensor({ 1, math.huge }), 2))
      assert.equal(name .. ": argument 2: expected an integer >= 1, got 0",
        refusal(wrun[name], x, 0))
    end
    assert.equal("histc: argument 3: expected a number, got the string 'a'",
      refusal(wrun.histc, x, 2, "a"))
    assert.equal("histc: argument 4: expected a number >= 2, got 1",
      refusal(wrun.histc, x, 2, 2, 1))
    assert.equal("histogram: argument 2: expected a float32 tensor of 2 or more edges, got a "
      .. "float32 tensor [1]", refusal(wrun.histogram, x, wrun.zeros(1)))
    assert.equal("histogram: option range: expected two numbers, got {1}",
      refusal(wrun.histogram, x, 2, { range = { 1 } }))
    assert.equal("histogram: option range: expected two numbers in order, got 2 and 1",
      refusal(wrun.histogram, x, 2, { range = { 2, 1 } }))
    assert.equal("histogram: option range: expected none where the edges are given",
      refusal(wrun.histogram, x, wrun.zeros(2), { range = { 1, 2 } }))
    assert.equal("histogram: option weight: expected a float32 tensor [2], got a float32 tensor "
      .. "[3]",
      refusal(wrun.histogram, x, 2, { weight = wrun.zeros(3) }))
    assert.equal("histogram: option density: expected true or false, got 1",
      refusal(wrun.histogram, x, 2, { density = 1 }))
  end)
end)
