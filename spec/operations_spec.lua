--- Every row of wrun.operations against differences, first and second order.

local core = require("wrun.core")
local operations = require("wrun.operations")
local unrecorded = require("wrun.unrecorded")
local wrun = require("wrun")

local generator = wrun.Generator({ seed = 5 })

--- Normal numbers in float64; none so near another that differences would exchange their order.
local function randn(...)
  return wrun.randn({ ... }, { dtype = "float64", generator = generator })
end

--- Samples of the rows that change their first argument; it is copied first, since a leaf may not
--- be changed.
local IN_PLACE = {
  copy_ = function()
    return randn(2, 3), randn(3)
  end,
  assign = function()
    return randn(3, 4), { { 1, 3, 2 }, 2 }, randn(2)
  end,
}

--- The arguments with gradients wanted of all that can have one.
local function requiring(...)
  local arguments = table.pack(...)
  for i = 1, arguments.n do
    local x = arguments[i]
    if wrun.is_tensor(x) and x.dtype == "float64" then
      arguments[i] = x:clone():requires_grad_(true)
      if not x:is_contiguous() and x.ndim == 2 then
        arguments[i] = x:t():clone():t():detach():requires_grad_(true) -- as it lay
      end
    end
  end
  return arguments
end

local function check(f, ...)
  assert.is_true(wrun.gradcheck(f, requiring(...)))
  assert.is_true(wrun.gradgradcheck(f, requiring(...)))
end

--- Rows whose argument is a symmetric matrix: one half is read, the gradient is that of both.
local SYMMETRIC = { _cholesky = true, _eigh = true, _eigvalsh = true }

--- The recorded function of a row, on a copy of its first argument if it changes that.
local function function_of(name)
  local f = operations[name]
  if SYMMETRIC[name] then
    return function(x, ...)
      return f(x + x:transpose(-1, -2), ...)
    end
  elseif not operations.rows[name].in_place then
    return f
  end
  return function(x, ...)
    return f(x * 1, ...)
  end
end

describe("a structural operation", function()
  for name, row in pairs(operations.rows) do
    it("has the derivatives of its row: " .. name, function()
      local sample = row.sample or IN_PLACE[name]
      assert(sample, name .. " has no sample")
      assert.equal("function", type(unrecorded[name]))
      check(function_of(name), sample(randn))
    end)
  end
end)

-- The sum of all results that have gradients.
local function total(...)
  local sum = 0
  for _, y in ipairs({ ... }) do
    sum = wrun.is_tensor(y) and y.requires_grad and sum + y:sum() or sum
  end
  return sum
end

-- Asserts that each argument has a gradient, of zeros where `is_zero` says so.
local function has_gradients(f, arguments, is_zero)
  total(f(table.unpack(arguments, 1, arguments.n))):backward()
  for i = 1, arguments.n do
    local x = arguments[i]
    if wrun.is_tensor(x) and x.requires_grad then
      assert.is_not_nil(x.grad, "argument " .. i)
      assert.is_true(not is_zero or not is_zero[i] or wrun.equal(x.grad, wrun.zeros_like(x)))
    end
  end
end

describe("an argument without influence", function()
  for _, row in ipairs(core.elementwise_rows()) do
    if row.kind ~= "boolean" and row.kind ~= "bitwise" and row.kind ~= "shift" then
      it("has a gradient all the same: " .. row.name, function()
        local arguments, is_zero = { n = row.arity }, {}
        for i = 1, row.arity do
          is_zero[i] = row.derivatives[i] == "0"
          arguments[i] = randn(4):requires_grad_(row.kind ~= "select" or i > 1)
        end
        if row.kind == "select" then
          arguments[1] = arguments[1]:gt(0)
        elseif row.name == "polygamma" then
          arguments[2] = wrun.ones(4, { dtype = "float64" }):requires_grad_()
        end
        has_gradients(operations[row.name], arguments, is_zero)
      end)
    end
  end

  for name, row in pairs(operations.rows) do
    it("has a gradient all the same: " .. name, function()
      has_gradients(function_of(name), requiring((row.sample or IN_PLACE[name])(randn)))
    end)
  end

  local m, v = randn(3, 3), randn(3)
  for name, f in pairs({
    addmm = function(x) return wrun.addmm(x, m, m, { beta = 0 }) end,
    addr = function(x) return wrun.addr(x, v, v, { beta = 0 }) end,
    cdist = function(x) return wrun.cdist(x, m, 0) end,
    dist = function(x) return wrun.dist(x, m, 0) end,
    fill = function(x) return (x * 1):fill_(2) end,
    floor_divide = function(x) return x // 2 end,
    matrix_power = function(x) return x:matrix_power(0) end,
    norm = function(x) return x:norm(0) end,
    pow = function(x) return x ^ 0 end,
    zero = function(x) return (x * 1):zero_() end,
  }) do
    it("has a gradient of zeros: " .. name, function()
      for _, fill in ipairs({ 1.5, 0, math.huge, 0 / 0 }) do
        local x = m:clone()
        x[{ 1, 1 }] = fill
        has_gradients(f, { n = 1, x:requires_grad_() }, { true })
      end
    end)
  end
end)

describe("the derivative of an assignment", function()
  it("holds for every form of key", function()
    local assign = function_of("assign")
    check(assign, randn(3, 4), 2, randn(4))
    check(assign, randn(3, 4), -1, randn(1))
    check(assign, randn(3, 4), { {}, -1 }, randn(3))
    check(assign, randn(3, 4), { { 2, 3 }, { 1, 4, 3 } }, randn(2, 1))
    check(assign, randn(3, 4), {}, randn(4))
    check(assign, randn(3, 4), { 1, 2 }, 5)
    check(function_of("copy_"), randn(3, 4), 5)
    check(function_of("copy_"), randn(2, 3, 4), randn(3, 1))
  end)
end)

describe("the derivative of a part", function()
  it("holds for every form of index", function()
    for _, key in ipairs({ 2, -1, {}, { 1, 2 }, { {}, 2 }, { { 2, 3 } }, { {}, { 1, -1, 2 } },
      { { -2, -1 }, { 2, 4, 2 } }, { { 3, 2 } } }) do
      check(wrun.index, randn(3, 5), key)
    end
  end)

  it("holds for narrow and select from either end", function()
    for _, part in ipairs({ { 1, 1, 2 }, { 2, -2, 2 }, { -2, 5, 1 }, { -2, -3, 1 }, { 1, 1, 0 },
      { 2, 6, 0 }, { 3, 1, 2 } }) do
      check(wrun.narrow, randn(3, 5, 2), table.unpack(part))
    end
    for _, part in ipairs({ { 1, 1 }, { 1, -1 }, { 2, 3 }, { -1, -2 }, { -3, 2 } }) do
      check(wrun.select, randn(3, 5, 2), table.unpack(part))
    end
  end)

  it("holds for picked indices along every dimension", function()
    for d = -3, 3 do
      if d ~= 0 then
        check(wrun.index_select, randn(2, 2, 2), d, wrun.tensor({ 2, 1, 2 }))
        check(wrun.gather, randn(2, 2, 2), d, wrun.tensor({ { { 1, 2 }, { 2, 1 } },
          { { 2, 2 }, { 1, 1 } } }))
      end
    end
    check(wrun.gather, randn(3, 2):t(), 2, wrun.tensor({ { 3, 3 }, { 1, 2 } }))
  end)
end)

describe("the derivative of what tensors pick", function()
  local rows, columns = wrun.tensor({ -1, 1 }), wrun.tensor({ 2, 5 })
  local mask = wrun.tensor({ true, false, true })
  local KEYS = { rows, { rows, columns }, { rows, 2 }, { rows, { 2, 4 } }, { { 1, 2 }, columns },
    mask, { mask, { 1, -1, 2 } }, { mask, columns }, { {}, columns }, { rows:view(2, 1), columns } }

  it("holds for every form of key, read and written", function()
    local function assigned(x, key, y)
      local c = x * 1
      c[key] = y
      return c
    end
    for _, key in ipairs(KEYS) do
      check(wrun.index, randn(3, 5), key)
      check(assigned, randn(3, 5), key, randn())
      check(assigned, randn(3, 5), key, randn(table.unpack(wrun.zeros(3, 5)[key].shape)))
    end
    check(wrun.index, randn(3, 5), wrun.tensor({ 3, 1, 3 }))
    check(function_of("put_"), randn(3, 5), wrun.tensor({ 3, 9, 3 }), randn(3), true)
  end)

  it("holds for masks, and for sources that are larger than their places", function()
    local by_mask = randn(3, 4):gt(0)
    check(wrun.masked_select, randn(3, 4), by_mask)
    check(wrun.masked_select, randn(4), by_mask)
    check(wrun.masked_fill, randn(3, 4), by_mask, randn())
    check(wrun.masked_scatter, randn(3, 4), by_mask, randn(12))
    check(wrun.masked_scatter, randn(3, 1), by_mask, randn(4, 4))
    check(wrun.scatter, randn(3, 4), 1, wrun.tensor({ { 3, 1 } }), randn(2, 3))
    check(wrun.scatter_add, randn(3, 4), -1, wrun.tensor({ { 3, 3 } }), randn(3, 4))
    check(wrun.gather, randn(3, 4), 1, wrun.tensor({ { 3, 3 } }))
    check(wrun.index_fill, randn(3, 4), 2, wrun.tensor({ 3, 3 }), randn())
    check(wrun.take_along_dim, randn(3, 1), wrun.tensor({ { 3, 1, 1 } }), 1)
  end)
end)

describe("the derivative of a new shape", function()
  it("holds for views, orders and repetitions", function()
    check(wrun.view, randn(2, 6), { 3, -1 })
    check(wrun.view, randn(1), {})
    check(wrun.reshape, randn(3, 4):t(), -1)
    check(wrun.permute, randn(2, 3, 4), { -1, 1, 2 })
    check(wrun.permute, randn(2, 3), 2, 1)
    check(wrun.transpose, randn(2, 3, 4), -1, -3)
    check(wrun.expand, randn(1, 3, 1), { 4, 2, -1, 2 })
    check(wrun.expand, randn(), 3)
    check(wrun.expand_as, randn(3), wrun.zeros(2, 3))
    check(wrun.squeeze, randn(1, 3, 1), 1)
    check(wrun.squeeze, randn(1, 3, 1))
    check(wrun.unsqueeze, randn(3), -1)
    check(wrun.flatten, randn(2, 3, 2), 2)
    check(wrun.t, randn(2, 3))
    check(wrun.contiguous, randn(3))
  end)

  it("holds for joined tensors", function()
    check(function(...) return wrun.cat({ ... }, -1) end, randn(2, 1), randn(2, 0), randn(2, 3))
    check(function(a, b) return wrun.cat({ a, b, a }, 1) end, randn(1, 2), randn(2, 2))
    check(function(...) return wrun.stack({ ... }, 2) end, randn(2, 3), randn(2, 3))
  end)
end)

describe("the derivative of a reduction", function()
  local DIMENSIONS = { 1, 2, 3, -1, -3 }

  it("holds along every dimension, kept or not, and over everything", function()
    for _, name in ipairs({ "sum", "mean", "prod", "max", "min" }) do
      local f = wrun[name]
      local function first(...)
        return (f(...))
      end
      check(first, randn(2, 3, 2))
      check(first, randn(2, 3, 2), nil, true)
      check(first, randn())
      check(first, randn(), 1)
      check(first, randn(3, 2):t(), 1)
      for _, d in ipairs(DIMENSIONS) do
        check(first, randn(2, 3, 2), d)
        check(first, randn(2, 3, 2), d, true)
      end
    end
  end)

  it("holds over several dimensions", function()
    for _, dims in ipairs({ { 1, 2 }, { -1, 1 }, { 1, 2, 3 }, { 2 }, {} }) do
      check(wrun.sum, randn(2, 3, 2), dims)
      check(wrun.mean, randn(2, 3, 2), dims, true)
    end
  end)

  it("of a product holds where factors are zero", function()
    local x = randn(3, 4)
    x[{ 1, 2 }] = 0
    x[{ 2, 1 }] = 0
    x[{ 2, 3 }] = 0
    check(wrun.prod, x, 1)
    check(wrun.prod, x, 2)
    check(wrun.prod, x, -1, true)
    check(wrun.prod, x)
    x[{ 2, 1 }] = 1
    x[{ 2, 3 }] = 1
    check(wrun.prod, x)
    check(wrun.prod, x, nil, true)
    check(wrun.prod, wrun.zeros({ dtype = "float64" }), 1)
    local y = randn(2, 3, 2)
    y[{ 1, 2, 1 }] = 0
    y[{ 2, 3, 2 }] = 0
    for _, dims in ipairs({ { 1, 3 }, { -1, 2 }, { 1, 2, 3 }, { 2 } }) do
      check(wrun.prod, y, dims)
      check(wrun.prod, y, dims, true)
    end
  end)

  it("of a maximum is shared among equals over everything, and the first's along one", function()
    local x = wrun.tensor({ { 5.0, 1 }, { 5, 5 } }, { requires_grad = true })
    x:max():backward()
    assert.same({ 1, 0, 1, 1 }, (x.grad * 3):reshape(-1):round():tolist())
    x.grad = nil
    x:max(2):sum():backward()
    assert.same({ { 1, 0 }, { 1, 0 } }, x.grad:tolist())
  end)

  it("of nothing is empty", function()
    for _, name in ipairs({ "sum", "mean", "prod" }) do
      local x = wrun.zeros(0, 3, { requires_grad = true })
      wrun[name](x):backward()
      assert.same({ 0, 3 }, x.grad.shape)
    end
  end)
end)

describe("the derivative of a product", function()
  local SHAPES = {
    { { 3 }, { 3 } },
    { { 3 }, { 3, 2 } },
    { { 2, 3 }, { 3 } },
    { { 2, 3 }, { 3, 4 } },
    { { 2, 2, 3 }, { 2, 3, 2 } },
    { { 2, 2, 3 }, { 3, 2 } },
    { { 2, 3 }, { 2, 3, 2 } },
    { { 2, 1, 2, 3 }, { 3, 3, 1 } },
    { { 3 }, { 2, 3, 2 } },
    { { 2, 2, 3 }, { 3 } },
    { { 2, 1 }, { 1, 3 } },
  }

  for _, pair in ipairs(SHAPES) do
    local a, b = table.unpack(pair)
    it(("of [%s] and [%s] holds"):format(table.concat(a, ", "), table.concat(b, ", ")), function()
      check(wrun.matmul, randn(table.unpack(a)), randn(table.unpack(b)))
    end)
  end

  it("holds for transposed arguments and for one tensor twice", function()
    check(wrun.matmul, randn(3, 2):t(), randn(4, 3):t())
    check(function(x) return x:matmul(x) end, randn(3, 3))
    check(function(x) return x:t():matmul(x) end, randn(2, 3))
  end)

  it("of what is empty is zero or empty", function()
    local a = wrun.zeros(2, 0, { requires_grad = true })
    local b = wrun.zeros(0, 3, { requires_grad = true })
    a:matmul(b):sum():backward()
    assert.same({ 2, 0 }, a.grad.shape)
    assert.same({ 0, 3 }, b.grad.shape)
  end)

  it("of a linear layer holds for inputs of any rank, with and without a bias", function()
    check(wrun.linear, randn(4), randn(2, 4), randn(2))
    check(wrun.linear, randn(3, 4), randn(2, 4))
    check(wrun.linear, randn(2, 2, 4), randn(3, 4), randn(3))
    check(wrun.linear, randn(4, 3):t(), randn(4, 2):t(), randn(2))
    local w = wrun.zeros(4, 0, { requires_grad = true })
    local bias = wrun.zeros(4, { requires_grad = true })
    wrun.linear(wrun.zeros(2, 3, 0), w, bias):sum():backward()
    assert.same({ 4, 0 }, w.grad.shape)
    assert.same({ 6, 6, 6, 6 }, bias.grad:tolist())
  end)
end)

describe("the derivative of a softmax", function()
  it("holds along every dimension", function()
    for _, name in ipairs({ "softmax", "log_softmax" }) do
      for _, d in ipairs({ 1, 2, -1, -3 }) do
        check(wrun[name], randn(2, 3, 2), d)
      end
      check(wrun[name], randn(3), 1)
    end
  end)
end)
