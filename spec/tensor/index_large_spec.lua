--- Choices by index and writes at indices of so many elements that threads share them out, beside
--- loops over plain tables.

local wrun = require "wrun"

local generator = wrun.Generator({ seed = 5 })

--- whole numbers, so that sums do not depend on their order
local function draw(dtype, sizes)
  local x = wrun.randint(0, dtype == "bool" and 2 or 100, sizes, { generator = generator })
  return x:to(dtype)
end

local function draw_indices(n, sizes)
  return wrun.randint(1, n + 1, sizes, { generator = generator })
end

local function flat(x)
  return x:reshape(-1):tolist()
end

--- Asserts that f() is [shape] of these elements on one thread, two and three.
local function assert_elements(f, elements, shape)
  local threads = wrun.get_num_threads()
  for count = 1, 3 do
    wrun.set_num_threads(count)
    local y = f()
    wrun.set_num_threads(threads)
    assert.same(shape, y.shape)
    for i, element in ipairs(flat(y)) do
      if element ~= elements[i] then
        error(("element %d differs on %d threads"):format(i, count))
      end
    end
  end
end

local function written(to, from, adds)
  if not adds then
    return from
  elseif type(from) == "boolean" then
    return to or from
  end
  return to + from
end

-- shapes around the pieces that threads take (16384 elements), and strips of columns (512)
local SHAPES = {
  { 1, 1 }, { 3, 0 }, { 0, 3 }, { 1, 16383 }, { 2, 16385 }, { 40, 511 }, { 40, 512 },
  { 17, 1025 }, { 16400, 3 }, { 20000, 1 },
}

describe("indices of many elements #many", function()
  local function each(f)
    for _, dtype in ipairs { "float32", "float64", "int64", "int32", "uint8", "bool" } do
      for _, shape in ipairs(SHAPES) do
        f(dtype, shape[1], shape[2])
      end
    end
  end

  it("choose elements along both dimensions, also of strided tensors", function()
    each(function(dtype, rows, columns)
      local x = draw(dtype, { columns, rows }):t()
      local elements = flat(x)
      for d = 1, 2 do
        local n = d == 1 and rows or columns
        local indices = draw_indices(math.max(n, 1), { rows, columns })
        local chosen = {}
        for at, index in ipairs(flat(indices)) do
          local row, column = (at - 1) // columns, (at - 1) % columns
          local from = d == 1 and (index - 1) * columns + column + 1 or row * columns + index
          chosen[at] = elements[from]
        end
        assert_elements(function() return x:gather(d, indices) end, chosen, { rows, columns })
      end
      if rows * columns > 0 then
        local list = draw_indices(rows * columns, { rows * columns })
        local chosen = {}
        for at, index in ipairs(flat(list)) do
          chosen[at] = elements[index]
        end
        assert_elements(function() return x:take(list) end, chosen, { rows * columns })
      end
    end)
  end)

  it("write elements along both dimensions, in the order of the indices", function()
    each(function(dtype, rows, columns)
      local x, y = draw(dtype, { rows, columns }), draw(dtype, { rows, columns })
      local source = flat(y)
      for d = 1, 2 do
        local n = math.max(d == 1 and rows or columns, 1)
        local indices = draw_indices(n, { rows, columns })
        for _, name in ipairs { "scatter", "scatter_add" } do
          local elements = flat(x)
          for at, index in ipairs(flat(indices)) do
            local row, column = (at - 1) // columns, (at - 1) % columns
            local to = d == 1 and (index - 1) * columns + column + 1 or row * columns + index
            elements[to] = written(elements[to], source[at], name == "scatter_add")
          end
          if dtype ~= "uint8" then -- whose sums leave the type
            assert_elements(function() return x[name](x, d, indices, y) end, elements, x.shape)
          end
        end
      end
    end)
  end)

  it("write rows and columns, in the order of the indices", function()
    each(function(dtype, rows, columns)
      local x = draw(dtype, { rows, columns })
      for d = 1, 2 do
        local n = d == 1 and rows or columns
        local list = draw_indices(math.max(n, 1), { n })
        local y = draw(dtype, { rows, columns })
        local source, order = flat(y), flat(list)
        for _, name in ipairs { "index_copy", "index_add", "index_fill", "index_select" } do
          local elements, own = flat(x), flat(x)
          for i, index in ipairs(order) do
            for k = 1, d == 1 and columns or rows do
              local at = d == 1 and (i - 1) * columns + k or (k - 1) * columns + i
              local to = d == 1 and (index - 1) * columns + k or (k - 1) * columns + index
              if name == "index_fill" then
                elements[to] = source[1]
              elseif name == "index_select" then
                elements[at] = own[to]
              else
                elements[to] = written(elements[to], source[at], name == "index_add")
              end
            end
          end
          local argument = y
          if name == "index_fill" then
            argument = source[1] == nil and 0 or source[1]
          end
          if name == "index_select" then
            assert_elements(function() return x:index_select(d, list) end, elements, x.shape)
          elseif dtype ~= "uint8" then
            assert_elements(function() return x[name](x, d, list, argument) end, elements, x.shape)
          end
        end
      end
    end)
  end)

  it("of the elements that are not 0 are listed in order", function()
    each(function(dtype, rows, columns)
      local x = draw(dtype, { rows, columns }) * draw("bool", { rows, columns })
      local places, indices = {}, {}
      for at, element in ipairs(flat(x)) do
        if element ~= 0 and element ~= false then
          table.insert(places, (at - 1) // columns + 1)
          table.insert(places, (at - 1) % columns + 1)
          table.insert(indices, at)
        end
      end
      assert_elements(function() return x:nonzero() end, places, { #indices, 2 })
      assert_elements(function() return x:reshape(-1):nonzero() end, indices, { #indices, 1 })
    end)
    local long = wrun.arange(1100000)
    assert_elements(function() return (long % 100000):eq(0):nonzero() end,
      flat(wrun.arange(1, 1100000, 100000)), { 11, 1 })
  end)

  it("are refused wherever the first wrong one stands", function()
    local x = wrun.zeros(10)
    for _, at in ipairs { 1, 1024, 16384, 16385, 40000 } do
      local indices = wrun.ones(40000, { dtype = "int64" })
      indices[at] = 11
      assert.has_error(function() x:take(indices) end)
      local _, message = pcall(wrun.index_select, x, 1, indices)
      assert.matches("got 11 at index " .. at, message, 1, true)
    end
  end)
end)
