--- Products to the last bit: beside sums of products by their definition, in the order that product.h
--- names, whatever the shape, the arrangement in memory, or the threads.

local child = require "spec.support.child"
local fused = require "spec.support.fused"
local near = require "spec.support.near"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local BLOCK = 256

--- Numbers of many sizes, so that another order has other bits.
local function numbers(dtype, ...)
  return wrun.randn({ ... }, { dtype = dtype }) * (wrun.randn({ ... }, { dtype = dtype }) * 3):exp()
end

--- A matrix where it lies, and the same transposed in memory, within a larger one, and both.
local function arrangements(x)
  local rows, columns = x:size(1), x:size(2)
  local wide = wrun.full({ rows, columns + 5 }, 99, { dtype = x.dtype }):narrow(2, 4, columns)
  local tall = wrun.full({ columns, rows + 3 }, 99, { dtype = x.dtype }):narrow(2, 2, rows):t()
  return { x, x:t():contiguous():t(), wide:copy_(x), tall:copy_(x) }
end

--- Asserts that c is start + scale a b: in its corners, and in elements drawn.
local function assert_sums(c, a, b, start, scale)
  local m, n = c:size(1), c:size(2)
  local places = { { 1, 1 }, { m, n }, { 1, n }, { m, 1 } }
  for i = 5, 12 do
    places[i] = { math.random(m), math.random(n) }
  end
  for _, place in ipairs(places) do
    local i, j = table.unpack(place)
    local want = fused.dot(c.dtype, a[i]:tolist(), b:select(2, j):tolist(), BLOCK,
      start and start[i][j]:item() or 0.0, scale or 1.0)
    near.lists({ want }, { c[i][j]:item() }, nil, c.dtype)
  end
end

-- Around the rows and columns that are summed together in some vector unit, and around blocks of k.
local SHAPES = {
  { 2, 2, 1 }, { 4, 4, 4 }, { 3, 5, 17 }, { 7, 15, 31 }, { 6, 8, 256 }, { 13, 31, 255 },
  { 14, 32, 257 }, { 15, 33, 2 }, { 28, 64, 16 }, { 29, 63, 512 }, { 43, 17, 513 },
  { 70, 65, 300 }, { 2, 300, 1030 }, { 170, 16, 33 }, { 300, 7, 20 }, { 337, 130, 40 },
}
for size = 1, 30 do
  SHAPES[#SHAPES + 1] = { size * 37 % 69 + 2, size * 11 % 69 + 2, size * 53 % 70 + 1 }
end

local _, why = wrun.has_portable_bits()
local describe_products = why and why:find("^the processor") and pending or describe

describe_products("products", function()
  for _, dtype in ipairs({ "float32", "float64" }) do
    it("are sums in order, however their arguments lie, in " .. dtype .. " #many", function()
      wrun.manual_seed(11)
      for _, shape in ipairs(SHAPES) do
        local m, n, k = table.unpack(shape)
        local a, b = numbers(dtype, m, k), numbers(dtype, k, n)
        local c = a:matmul(b)
        assert_sums(c, a, b)
        for _, left in ipairs(arrangements(a)) do
          for _, right in ipairs(arrangements(b)) do
            assert.is_true(c:equal(left:matmul(right)))
          end
        end
      end
    end)

    it("begin with a bias, or with what stands there, in " .. dtype, function()
      wrun.manual_seed(12)
      for _, shape in ipairs({ { 3, 2, 5 }, { 29, 47, 600 }, { 20, 32, 256 } }) do
        local m, n, k = table.unpack(shape)
        local x, w, bias = numbers(dtype, m, k), numbers(dtype, n, k), numbers(dtype, n)
        assert_sums(wrun.linear(x, w, bias), x, w:t(), bias:expand(m, n))
        for _, scale in ipairs({ 1, -0.75, 0, 3 }) do
          local start = numbers(dtype, m, n)
          local c = start:clone()
          unrecorded.accumulate(c, x, w:t(), scale)
          assert_sums(c, x, w:t(), start, scale + 0.0)
        end
      end
    end)

    it("are those of their parts, on one thread and on eight, in " .. dtype, function()
      wrun.manual_seed(13)
      local rows, b = numbers(dtype, 413, 300), numbers(dtype, 300, 391)
      local threads = wrun.get_num_threads()
      for _, a in ipairs({ rows, rows:t():contiguous():t() }) do
        wrun.set_num_threads(1)
        local alone = a:matmul(b)
        wrun.set_num_threads(8)
        assert.is_true(alone:equal(a:matmul(b)))
        wrun.set_num_threads(threads)
        assert_sums(alone, a, b)
        local upper, lower = a:narrow(1, 1, 17):matmul(b), a:narrow(1, 18, 396):matmul(b)
        assert.is_true(alone:equal(wrun.cat({ upper, lower }, 1)))
        local left, right = a:matmul(b:narrow(2, 1, 2)), a:matmul(b:narrow(2, 3, 389))
        assert.is_true(alone:equal(wrun.cat({ left, right }, 2)))
      end
    end)

    it("keep NaN and infinity where they belong, in " .. dtype, function()
      local a, b = numbers(dtype, 31, 40), numbers(dtype, 40, 35)
      a[30][7], a[2][1] = 0 / 0, math.huge
      local is_finite = wrun.ones(31, 35):gt(0)
      is_finite[30], is_finite[2] = wrun.zeros(35):gt(0), wrun.zeros(35):gt(0)
      assert.is_true(is_finite:equal(a:matmul(b):isfinite()))
      assert.is_true(a:matmul(b)[30]:isnan():all():item())
      assert.is_true(a:matmul(b)[2]:eq(b[1]:sign() * math.huge):all():item())
      assert.is_true(is_finite:t():equal(b:t():matmul(a:t()):isfinite()))
    end)
  end

  -- Zeros as pictures have them: margins, lines between, and single ones.
  local function with_zeros(x)
    x:narrow(2, 1, 40):zero_()
    x:narrow(2, 90, 30):zero_()
    x:narrow(2, 200, 3):zero_()
    x:narrow(2, x:size(2) - 70, 71):zero_()
    x:narrow(1, 30, 25):narrow(2, 120, 60):zero_()
    x:mul_(wrun.rand(x.shape):gt(0.3):to(x.dtype))
    return x
  end

  --- Returns a b by parts of few rows, in which no zeros are looked for.
  local function by_rows(a, b)
    local parts = {}
    for i = 1, a:size(1), 16 do
      parts[#parts + 1] = a:narrow(1, i, math.min(16, a:size(1) - i + 1)):matmul(b)
    end
    return wrun.cat(parts, 1)
  end

  local function assert_same_bits(c, want)
    assert.is_true(c:isnan():equal(want:isnan()))
    assert.is_true(c:nan_to_num():equal(want:nan_to_num()))
    assert.is_true(c:signbit():logical_or(c:isnan()):equal(want:signbit():logical_or(c:isnan())))
  end

  for _, dtype in ipairs({ "float32", "float64" }) do
    it("pass over zeros, which changes no bit, in " .. dtype, function()
      wrun.manual_seed(14)
      local a, b = numbers(dtype, 100, 600), numbers(dtype, 600, 290)
      local sparse_a, sparse_b = with_zeros(a:clone()), with_zeros(b:t():contiguous()):t()
      for _, pair in ipairs({ { sparse_a, b }, { a, sparse_b }, { sparse_a, sparse_b } }) do
        local want = by_rows(pair[1], pair[2])
        assert_sums(want, pair[1], pair[2])
        for _, left in ipairs(arrangements(pair[1])) do
          for _, right in ipairs(arrangements(pair[2])) do
            assert_same_bits(left:matmul(right), want)
          end
        end
      end
    end)

    it("find what is not finite beside zeros, in " .. dtype, function()
      wrun.manual_seed(15)
      for _, value in ipairs({ 0 / 0, math.huge, -math.huge }) do
        local a, b = with_zeros(numbers(dtype, 100, 600)), numbers(dtype, 600, 290)
        b[7][200], b[560][3], a[50][300] = value, value, value
        local want = by_rows(a, b)
        local columns = want:narrow(1, 1, 49):isnan():all(1)
        assert.same({ true, true, 2 },
          { columns[3]:item(), columns[200]:item(), columns:sum():item() })
        for _, left in ipairs(arrangements(a)) do
          assert_same_bits(left:matmul(b), want)
          assert_same_bits(b:t():matmul(left:t()):t():contiguous(), want)
        end
      end
    end)
  end

  it("need no OpenBLAS, but by --native", function()
    local HAS = 'local x = require "wrun".ones(9, 9) x:mm(x) print(io.open("/proc/self/maps")'
      .. ':read("a"):find("openblas") ~= nil)'
    assert.equal("false\n", child.run({ "-e", HAS }).out)
    assert.equal("true\n", child.run({ "--native", "-e", HAS }).out)
  end)

  it("by --native are OpenBLAS's, near the same", function()
    child.with_folder(function(folder)
      local PRODUCTS = ([[
        local wrun = require "wrun"
        wrun.manual_seed(1)
        local a, b, c = wrun.randn(70, 300), wrun.randn(300, 90), wrun.randn(90)
        wrun.save("%s/" .. arg[1], { ab = a:mm(b), biased = wrun.linear(a, b:t(), c) })]])
        :format(folder)
      local script = folder .. "/products.lua"
      child.write(PRODUCTS, script)
      child.run({ script, "own" })
      child.run({ "--native", script, "native" })
      local own, native = wrun.load(folder .. "/own"), wrun.load(folder .. "/native")
      for name, x in pairs(own) do
        assert.is_true((x - native[name]):abs():max():item() < 1e-4)
      end
    end)
  end)
end)
