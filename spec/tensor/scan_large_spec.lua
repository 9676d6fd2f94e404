--- Scans of as many lines and steps as are walked together, beside loops over plain tables.

local wrun = require "wrun"

local generator = wrun.Generator({ seed = 7 })

local function flat(x)
  return x:reshape(-1):tolist()
end

local function is_same(a, b)
  return a == b or (a ~= a and b ~= b)
end

--- Asserts that f() gives these lists of elements on one thread, two and three.
local function assert_elements(what, f, ...)
  local threads, wanted = wrun.get_num_threads(), { ... }
  for count = 1, 3 do
    wrun.set_num_threads(count)
    local results = { f() }
    wrun.set_num_threads(threads)
    for k, want in ipairs(wanted) do
      for i, element in ipairs(flat(results[k])) do
        if not is_same(element, want[i]) then
          error(("%s: element %d of result %d differs on %d threads"):format(what, i, k, count))
        end
      end
    end
  end
end

local ROUNDED = {
  float32 = function(x) return (string.unpack("f", string.pack("f", x))) end,
}

--- x[rows, columns] scanned along d: step(carry, element) -> carry; carries are rounded to x's type
--- where they are stored
local function scanned(x, d, reverse, first, step)
  local rows, columns = x:size(1), x:size(2)
  local elements, results = flat(x), {}
  local rounded = ROUNDED[x.dtype] or function(value) return value end
  local lines, n = d == 1 and columns or rows, d == 1 and rows or columns
  for line = 1, lines do
    local carry = first
    for i = reverse and n or 1, reverse and 1 or n, reverse and -1 or 1 do
      local at = d == 1 and (i - 1) * columns + line or (line - 1) * columns + i
      carry = step(carry, elements[at])
      results[at] = rounded(carry)
    end
  end
  return results
end

--- the extremes so far and their indices, by the last of equals, and NaN before all others
local function extremes(x, d, wins)
  local rows, columns = x:size(1), x:size(2)
  local elements, values, indices = flat(x), {}, {}
  for line = 1, d == 1 and columns or rows do
    local best, index
    for i = 1, d == 1 and rows or columns do
      local at = d == 1 and (i - 1) * columns + line or (line - 1) * columns + i
      local next = elements[at]
      if index == nil or next ~= next or wins(next, best) then
        best, index = next, i
      end
      values[at], indices[at] = best, index
    end
  end
  return values, indices
end

-- around the lines (8) and columns (64) walked together, pieces, and stretches of extremes (32)
local SHAPES = {
  { 1, 1 }, { 0, 3 }, { 3, 0 }, { 1, 97 }, { 7, 33 }, { 8, 32 }, { 9, 31 }, { 63, 64 }, { 65, 65 },
  { 130, 5 }, { 71, 131 },
}

describe("scans of many elements #many", function()
  it("sum and multiply every line in its order", function()
    for _, shape in ipairs(SHAPES) do
      for _, dtype in ipairs { "float32", "float64", "int64" } do
        local contiguous = wrun.randn(shape[1], shape[2], { generator = generator })
        contiguous = dtype == "int64" and (contiguous * 9):long() or contiguous:to(dtype)
        for _, x in ipairs { contiguous, contiguous:t() } do
          for d = 1, 2 do
            local what = ("%s %d of %s"):format(dtype, d, table.concat(x.shape, " "))
            local zero, one = dtype == "int64" and 0 or 0.0, dtype == "int64" and 1 or 1.0
            for _, reverse in ipairs { false, true } do
              assert_elements("cumsum " .. what, function()
                return x:cumsum(d, { reverse = reverse })
              end, scanned(x, d, reverse, zero, function(carry, e) return carry + e end))
            end
            assert_elements("cumprod " .. what, function() return x:cumprod(d) end,
              scanned(x, d, false, one, function(carry, e) return carry * e end))
          end
        end
      end
    end
  end)

  it("leave what they read as it was", function()
    local x, a = wrun.randn(70, 40), wrun.randn(70, 40)
    local before, before_a = x:clone(), a:clone()
    for d = 1, 2 do
      assert.is_false(x:cumsum(d):equal(x))
      x:cummax(d)
      a:linear_recurrence(x, d)
    end
    assert(x:equal(before) and a:equal(before_a))
  end)

  it("find the extremes so far", function()
    for _, shape in ipairs(SHAPES) do
      for _, dtype in ipairs { "float32", "float64", "int64", "int32", "uint8", "bool" } do
        local draw = wrun.randint(0, dtype == "bool" and 2 or 200, shape, { generator = generator })
        local rising = wrun.arange(draw:numel()):reshape(shape) -- each wins
        for _, x in ipairs { draw:to(dtype), rising:to(dtype), draw:to(dtype):t() } do
          if dtype:find "float" and x:numel() > 40 then
            x = x:clone()
            x:view(-1)[20], x:view(-1)[40] = 0 / 0, 0 / 0
          end
          local number = dtype == "bool" and function(e) return e and 1 or 0 end
            or function(e) return e end
          for d = 1, 2 do
            local what = ("%s %d of %s"):format(dtype, d, table.concat(x.shape, " "))
            assert_elements("cummax " .. what, function() return x:cummax(d) end,
              extremes(x, d, function(a, b) return number(a) >= number(b) end))
            assert_elements("cummin " .. what, function() return x:cummin(d) end,
              extremes(x, d, function(a, b) return number(a) <= number(b) end))
          end
        end
      end
    end
  end)
end)
