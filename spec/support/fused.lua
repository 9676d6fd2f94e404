--- Sums of products by their definition: one after the other, each added with one rounding. Only
--- doubles are at hand; [Boldo2008] says how to round as if there were more digits.

local M = {}

-- x + y as the nearest double and what is missing, exactly.
local function two_sum(x, y)
  local sum = x + y
  local part = sum - x
  return sum, (x - (sum - part)) + (y - part)
end

-- x y likewise, of halves that have few digits [Dekker1971].
local function two_product(x, y)
  local product = x * y
  local function halves(z)
    local large = z * 134217729.0
    local high = large - (large - z)
    return high, z - high
  end
  local x1, x2 = halves(x)
  local y1, y2 = halves(y)
  return product, ((x1 * y1 - product) + x1 * y2 + x2 * y1) + x2 * y2
end

-- x + y, where inexact that neighbour whose last bit is set: a later rounding then errs no more.
local function odd_sum(x, y)
  local sum, missing = two_sum(x, y)
  local bits = string.unpack("<i8", string.pack("<d", sum))
  if missing ~= 0 and bits % 2 == 0 then
    bits = bits + ((missing > 0) == (sum > 0) and 1 or -1)
    sum = string.unpack("<d", string.pack("<i8", bits))
  end
  return sum
end

local add_product = {}

--- Returns x y + sum for numbers of float32, rounded once.
function add_product.float32(x, y, sum)
  return (string.unpack("<f", string.pack("<f", odd_sum(x * y, sum))))
end

--- Returns x y + sum, rounded once, where nothing overflows or underflows on the way.
function add_product.float64(x, y, sum)
  local product, product_rest = two_product(x, y)
  local low, low_rest = two_sum(sum, product_rest)
  local high, high_rest = two_sum(product, low)
  return high + odd_sum(low_rest, high_rest)
end

M.add_product = add_product

--- Returns start + scale a b: blocks of the sum of products of two lists, each begun with 0, then
--- added to what is there.
function M.dot(dtype, a, b, block, start, scale)
  local result = start
  for first = 1, #a, block do
    local sum = 0.0
    for l = first, math.min(first + block - 1, #a) do
      sum = add_product[dtype](a[l], b[l], sum)
    end
    result = add_product[dtype](scale, sum, result)
  end
  return result
end

return M
