--- Copies between tensors that lie differently, at sizes around the tiles they go by, beside loops
--- over plain tables.

local wrun = require "wrun"

local DTYPES = { "float32", "float64", "int64", "int32", "uint8", "bool" }

local function flat(x)
  return x:reshape(-1):tolist()
end

local function assert_same(want, got, what)
  if #want ~= #got then
    error(("%s: %d elements, expected %d"):format(what, #got, #want))
  end
  for i, element in ipairs(got) do
    if element ~= want[i] then
      error(("%s: element %d differs"):format(what, i))
    end
  end
end

--- f() on one thread, and on two and three where it must give the same
local function on_threads(f)
  local threads, result = wrun.get_num_threads(), nil
  for count = 1, 3 do
    wrun.set_num_threads(count)
    local y = f()
    wrun.set_num_threads(threads)
    assert(result == nil or result:equal(y))
    result = y
  end
  return result
end

local function numbers(dtype, n)
  local x = wrun.arange(n)
  return dtype == "bool" and (x * 7 % 3):eq(0) or (x * 7 % 251):to(dtype)
end

-- rows and columns around squares (2 and 4), lines of the cache, tiles and their widest (1024)
local PLANES = {
  { 1, 5 }, { 3, 4 }, { 4, 3 }, { 4, 4 }, { 5, 7 }, { 0, 4 }, { 16, 17 }, { 15, 33 }, { 64, 1023 },
  { 1025, 18 }, { 4, 5000 }, { 5000, 5 }, { 129, 255 },
}

describe("copies #many", function()
  it("of and to transposed tensors put each element where it belongs", function()
    for _, dtype in ipairs(DTYPES) do
      for _, plane in ipairs(PLANES) do
        local rows, columns = table.unpack(plane)
        local what = ("%s [%d, %d]"):format(dtype, rows, columns)
        local x = numbers(dtype, rows * columns):reshape(rows, columns)
        local elements, turned = flat(x), {}
        for i = 1, rows do
          for k = 1, columns do
            turned[(k - 1) * rows + i] = elements[(i - 1) * columns + k]
          end
        end
        assert_same(turned, flat(on_threads(function() return x:t():contiguous() end)), what)
        assert_same(turned, flat(on_threads(function()
          local y = wrun.zeros(rows, columns, { dtype = dtype }):t()
          y:copy_(x:t():clone())
          return y
        end)), what)
        assert_same(turned, flat(on_threads(function() -- a part of what is larger
          local y = wrun.zeros(columns + 3, rows + 5, { dtype = dtype })
          y:narrow(1, 2, columns):narrow(2, 3, rows):copy_(x:t())
          assert.equal(0, y:ne(0):long():sum():item() - x:ne(0):long():sum():item())
          return y:narrow(1, 2, columns):narrow(2, 3, rows)
        end)), what)
        local converted = dtype == "float64" and "int32" or "float64"
        assert_same(flat(x:t():contiguous():to(converted)), flat(x:t():to(converted)), what)
      end
    end
  end)

  it("of permuted tensors put each element where it belongs", function()
    local n = { 6, 35, 40, 5 }
    for _, dtype in ipairs(DTYPES) do
      local x = numbers(dtype, 6 * 35 * 40 * 5):reshape(n)
      local elements = flat(x)
      for _, order in ipairs {
        { 4, 3, 2, 1 }, { 1, 2, 4, 3 }, { 2, 1, 3, 4 }, { 4, 1, 2, 3 }, { 3, 4, 1, 2 },
        { 1, 4, 3, 2 },
      } do
        local want, at = {}, { 0, 0, 0, 0 }
        local a, b, c, d = table.unpack(order)
        for i = 0, n[a] - 1 do
          for k = 0, n[b] - 1 do
            for l = 0, n[c] - 1 do
              for m = 0, n[d] - 1 do
                at[a], at[b], at[c], at[d] = i, k, l, m
                want[#want + 1] = elements[((at[1] * 35 + at[2]) * 40 + at[3]) * 5 + at[4] + 1]
              end
            end
          end
        end
        local what = dtype .. " " .. table.concat(order, " ")
        local permuted = x:permute(order)
        assert_same(want, flat(on_threads(function() return permuted:contiguous() end)), what)
        assert_same(want, flat(on_threads(function()
          return wrun.zeros(n, { dtype = dtype }):permute(order):copy_(permuted)
        end)), what)
      end
    end
  end)

  it("of every second element, and of numbers, fill whole pieces", function()
    for _, n in ipairs { 0, 1, 2, 15, 1023, 1025, 16384, 16385, 40001 } do
      for _, dtype in ipairs(DTYPES) do
        local x = numbers(dtype, 2 * n)
        local elements, want = flat(x), {}
        for i = 1, n do
          want[i] = elements[2 * i]
        end
        local every_second = x:view(n, 2):select(2, 2)
        local what = ("%s, %d"):format(dtype, n)
        assert_same(want, flat(on_threads(function() return every_second:clone() end)), what)
        local converted = dtype == "float64" and "int32" or "float64"
        assert_same(flat(every_second:clone():to(converted)),
          flat(every_second:to(converted)), what)
        local value = dtype == "bool" and true or 3
        for i = 1, n do
          want[i] = value
        end
        assert_same(want, flat(on_threads(function()
          return wrun.full({ n }, value, { dtype = dtype })
        end)), what)
      end
    end
  end)
end)
