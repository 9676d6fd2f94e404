--- Reductions: beside PyTorch's and sums written here, in every arrangement of memory, and at the edges.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local DTYPES = { "bool", "uint8", "int32", "int64", "float32", "float64" }
-- float32 sums are carried in float64 and rounded once; float64 ones may be added in another order.
local SUM = { float32 = { ulp = 1 }, float64 = { rtol = 1e-14, atol = 1e-14 } }

--- What each reduction makes of a list of numbers.
local FORMULAS = {
  sum = function(list)
    local sum = 0
    for _, x in ipairs(list) do
      sum = sum + x
    end
    return sum
  end,
  prod = function(list)
    local product = 1
    for _, x in ipairs(list) do
      product = product * x
    end
    return product
  end,
  max = function(list)
    return math.max(table.unpack(list))
  end,
  min = function(list)
    return math.min(table.unpack(list))
  end,
  any = function(list)
    for _, x in ipairs(list) do
      if x ~= 0 then
        return true
      end
    end
    return false
  end,
  all = function(list)
    for _, x in ipairs(list) do
      if x == 0 then
        return false
      end
    end
    return true
  end,
}

function FORMULAS.mean(list)
  return FORMULAS.sum(list) / #list
end

local function extreme_place(find)
  return function(list)
    local best = FORMULAS[find](list)
    for i, x in ipairs(list) do
      if x == best then
        return i
      end
    end
  end
end

FORMULAS.argmax = extreme_place("max")
FORMULAS.argmin = extreme_place("min")

local function as_number(x)
  return type(x) == "boolean" and (x and 1 or 0) or x
end

local function result_type(name, dtype)
  if name == "any" or name == "all" then
    return "bool"
  elseif name:find("arg") then
    return "int64"
  elseif (name == "sum" or name == "prod") and not dtype:find("float") then
    return "int64"
  end
  return dtype
end

--- The lists of x[i][..][k] over dimension d, in the order of the result.
local function lines(x, d)
  local order = {}
  for i = 1, x.ndim do
    if i ~= d then
      order[#order + 1] = i
    end
  end
  order[#order + 1] = d
  local result = {}
  for i, row in ipairs(x:permute(order):reshape(-1, x:size(d)):tolist()) do
    for k, value in ipairs(row) do
      row[k] = as_number(value)
    end
    result[i] = row
  end
  return result
end

local function check(name, x, d)
  local dtype = result_type(name, x.dtype)
  local want = {}
  for i, line in ipairs(lines(x, d)) do
    local value = FORMULAS[name](line)
    want[i] = dtype:find("float") and value * 1.0 or value
    if dtype == "bool" then
      want[i] = value ~= 0 and value ~= false
    elseif not dtype:find("float") then
      want[i] = math.tointeger(value)
    end
  end
  local rule = SUM[dtype]
  for _, keepdim in ipairs({ false, true }) do
    local shape = x.shape
    if keepdim then
      shape[d] = 1
    else
      table.remove(shape, d)
    end
    for _, dim in ipairs({ d, d - x.ndim - 1 }) do
      local got = wrun[name](x, dim, keepdim)
      assert.equal(dtype, got.dtype)
      assert.same(shape, got.shape)
      near.lists(want, near.flat(got), rule, dtype)
    end
  end
end

local function integers(shape, dtype)
  local n = 1
  for _, size in ipairs(shape) do
    n = n * size
  end
  local x = (wrun.arange(n) * 7 + 3):remainder(5):reshape(shape)
  return dtype == "bool" and x:gt(1) or (dtype == "uint8" and x or x - 2):to(dtype)
end

describe("fixtures of reduce #many", function()
  for claim, comparison in cases.each(require "spec.fixtures.reduce", cases.SUMS) do
    it(claim, comparison)
  end
end)

describe("a reduction", function()
  for name in pairs(FORMULAS) do
    for _, dtype in ipairs(DTYPES) do
      if not (name == "mean" and not dtype:find("float")) then
        it(("by %s of %s meets its formula along every dimension"):format(name, dtype), function()
          local x = integers({ 3, 4, 5 }, dtype)
          local arrangements = { x, x:permute(2, 3, 1), x:transpose(1, 3), x[{ {}, { 1, -1, 2 } }],
            x[{ { 2, 3 }, {}, { 2, -1, 3 } }], x:narrow(2, 2, 1), x:select(2, 3):t(),
            x:narrow(1, 1, 1):expand(2, 4, 5) }
          for _, y in ipairs(arrangements) do
            for d = 1, y.ndim do
              check(name, y, d)
            end
          end
        end)
      end
    end
  end

  it("of everything gives a tensor without dimensions", function()
    local x = integers({ 3, 4 }, "float64")
    for name in pairs(FORMULAS) do
      local got = wrun[name](x)
      assert.same({}, got.shape)
      local want = near.flat(wrun[name](x:view(-1), 1))
      near.lists(want, near.flat(got))
      want = near.flat(wrun[name](x:t():reshape(-1), 1))
      near.lists(want, near.flat(wrun[name](x:t())))
      assert.same({ 1, 1 }, wrun[name](x, nil, true).shape)
    end
  end)

  it("of a tensor without dimensions is that number", function()
    for _, name in ipairs({ "sum", "mean", "prod", "max", "min" }) do
      for _, dim in ipairs({ 1, -1 }) do
        assert.equal(4.5, wrun[name](wrun.tensor(4.5), dim):item())
      end
    end
    assert.equal(1, wrun.tensor(4.5):argmax(1):item())
  end)

  it("over several dimensions is one after the other", function()
    local x = integers({ 2, 3, 4, 5 }, "float64")
    for _, dims in ipairs({ { 1, 2 }, { 2, 4 }, { -1, 1 }, { 1, 2, 3, 4 }, { 3 }, { 4, 2, 3 } }) do
      local want = x
      for _, d in ipairs(dims) do
        want = want:sum(d, true)
      end
      assert.is_true(want:equal(x:sum(dims, true)))
      assert.is_true(x:sum(dims):equal(want:reshape(x:sum(dims).shape)))
      assert.same(want.shape, x:mean(dims, true).shape)
    end
    assert.is_true(x:equal(x:sum({})))
  end)

  it("of what is empty is its neutral element", function()
    local x = wrun.zeros(0, 3)
    assert.equal(0, x:sum():item())
    assert.equal(1, x:prod():item())
    assert.is_false(x:any():item())
    assert.is_true(x:all():item())
    assert.is_true(x:mean():isnan():item())
    assert.same({ 0, 0, 0 }, x:sum(1):tolist())
    assert.same({ 0 }, x:sum(2).shape)
    assert.same({ 0 }, x:max(2).shape)
    assert.same({ 3, 0 }, wrun.zeros(3, 2, 0):argmax(2).shape)
  end)

  it("of many small numbers loses none of them", function()
    local n = 3000001 -- odd, and beyond what one running float32 sum can count
    assert.equal(3000001 * 0.125, wrun.full({ n }, 0.125):sum():item())
    assert.equal(n, wrun.ones(n, { dtype = "uint8" }):sum():item())
    assert.equal(0.125, wrun.full({ n }, 0.125):mean():item())
  end)

  it("of long rows and columns does not depend on how they lie", function()
    local x = (wrun.arange(20001 * 6):float():reshape(20001, 6) * 0.7):sin()
    local whole = near.flat(x:sum(1))
    near.lists(whole, near.flat(x:t():contiguous():sum(2)), { ulp = 1 }, "float32")
    near.lists(near.flat(x:max(1)), near.flat(x:t():contiguous():max(2)))
  end)
end)

describe("max, min, argmax and argmin", function()
  it("give the first of equal indices", function()
    local x = wrun.tensor({ { 1, 5, 5, 2 }, { 7, 7, 0, 0 } })
    local values, indices = x:max(2)
    assert.same({ 5, 7 }, values:tolist())
    assert.same({ 2, 1 }, indices:tolist())
    values, indices = x:min(1, true)
    assert.same({ { 1, 5, 0, 0 } }, values:tolist())
    assert.same({ { 1, 1, 2, 2 } }, indices:tolist())
    assert.equal(5, x:argmax():item())
    assert.equal(7, x:argmin():item())
    assert.same({ 2, 1 }, x:argmax(-1):tolist())
  end)

  it("let NaN win, the first one", function()
    local nan = 0 / 0
    local x = wrun.tensor({ 1, nan, 9, nan, -math.huge })
    for _, name in ipairs({ "max", "min" }) do
      assert.is_true(wrun[name](x):isnan():item())
      assert.equal(2, wrun["arg" .. name](x):item())
    end
    assert.equal(2, wrun.tensor({ -math.huge, math.huge }):argmax():item())
  end)

  it("find the first of equals and of NaN anywhere in a long row", function()
    for _, dtype in ipairs({ "uint8", "int32", "int64", "float32", "float64" }) do
      for _, n in ipairs({ 63, 64, 511, 512, 513, 1100, 9001 }) do
        local x = (wrun.arange(n) * 7919 % 101):to(dtype)
        for _, index in ipairs({ 1, n // 2, n }) do
          for name, extreme in pairs({ max = 150, min = 0 }) do
            local y = x + 1
            y[index], y[n] = extreme, extreme
            assert.equal(extreme, wrun[name](y):item())
            assert.equal(extreme, wrun["a" .. name](y:reshape(1, n), 2):item())
            local value, found = wrun[name](y, 1)
            assert.same({ extreme, index }, { value:item(), found:item() })
            if dtype:find("float") then
              y[index], y[n] = 0 / 0, 0 / 0
              assert.equal(index, wrun["arg" .. name](y):item())
              assert.is_true(wrun["a" .. name](y):isnan():item())
              local columns = y:reshape(n, 1):expand(n, 3)
              assert.is_true(wrun["a" .. name](columns, 1):isnan():all():item())
            end
          end
        end
      end
    end
  end)

  it("return one value for everything, and an index only along a dimension", function()
    local x = wrun.tensor({ 3, 1 })
    assert.equal(1, select("#", x:max()))
    assert.equal(2, select("#", x:min(1)))
    assert.equal(1, select("#", x:argmax(1)))
  end)

  it("refuse what has no elements", function()
    assert.equal("max: argument 1: expected at least one element to choose from, got [0, 3]",
      refusal(wrun.max, wrun.zeros(0, 3)))
    assert.equal("amax: argument 1: expected at least one element to choose from, got [0, 3]",
      refusal(wrun.amax, wrun.zeros(0, 3), { 1, 2 }))
    assert.equal("aminmax: argument 1: expected at least one element to choose from, got [0, 3]",
      refusal(wrun.aminmax, wrun.zeros(0, 3)))
    assert.equal("argmin: argument 1: expected at least one element to choose from, got [2, 0]",
      refusal(wrun.argmin, wrun.zeros(2, 0), 2))
  end)
end)

describe("var", function()
  it("loses nothing far from zero, in whatever way it is cut", function()
    local x = (wrun.arange(20001) % 2):float() + 1e6 -- the half of it would drown in float32
    local want = 0.25 * 20001 / 20000 * (1 - 1 / 20001 ^ 2)
    local RULE = { rtol = 1e-7 }
    near.lists({ want }, { x:var():item() }, RULE)
    near.lists({ want, want }, x:expand(2, 20001):contiguous():var(2):tolist(), RULE)
    near.lists({ want, want, want }, x:expand(3, 20001):t():contiguous():var(1):tolist(), RULE)
  end)

  it("gives the same bits for any number of threads", function()
    local threads = wrun.get_num_threads()
    local x = (wrun.arange(300 * 401):float() * 0.7):sin():reshape(300, 401)
    local results = {}
    for _, count in ipairs { 1, 3 } do
      wrun.set_num_threads(count)
      for _, d in ipairs { 1, 2, { 1, 2 } } do
        results[#results + 1] = near.hash(near.flat(x:var(d)))
      end
    end
    wrun.set_num_threads(threads)
    assert.same({ results[1], results[2], results[3] }, { results[4], results[5], results[6] })
  end)
end)

describe("amax and amin", function()
  it("share a gradient among equals, NaN among them", function()
    local x = wrun.tensor({ { 5.0, 1, 5 }, { 0 / 0, 2, 0 / 0 } }, { requires_grad = true })
    x:amax(2):sum():backward()
    assert.same({ { 0.5, 0, 0.5 }, { 0.5, 0, 0.5 } }, x.grad:tolist())
    x.grad = nil
    x:amin(2):sum():backward()
    assert.same({ { 0, 1, 0 }, { 0.5, 0, 0.5 } }, x.grad:tolist())
  end)
end)

describe("the option dtype", function()
  it("is that of the sum and of its result", function()
    local x = wrun.full({ 2 }, 16777217.0, { dtype = "float64" })
    assert.equal(2 ^ 25, x:sum(1, false, { dtype = "float32" }):item())
    assert.equal("float32", x:mean(nil, false, { dtype = "float32" }).dtype)
    assert.equal(33554434, x:sum():item())
  end)

  it("is refused where it is none", function()
    local x = wrun.zeros(2)
    for _, name in ipairs { "sum", "mean", "prod", "nansum", "nanmean" } do
      assert.equal(name .. ": option dtype: expected bool, uint8, int32, int64, float32 "
        .. "or float64, got "
        .. "the string 'half'", refusal(wrun[name], x, 1, false, { dtype = "half" }))
      assert.equal(name .. ": expected a table of options, got 1",
        refusal(wrun[name], x, 1, false, 1))
    end
    for _, name in ipairs { "softmax", "log_softmax", "softmin" } do
      assert.equal(name .. ": option kind: unknown; the options are dtype",
        refusal(wrun[name], x, 1, { kind = 1 }))
    end
  end)
end)

describe("reductions", function()
  it("that leave out NaN, or count, refuse what they cannot use", function()
    for _, name in ipairs { "nansum", "nanmean", "count_nonzero", "softmin" } do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5, 1))
    end
    assert.equal("nanmean: argument 1: expected a float32 or float64 tensor, got an int64 tensor "
      .. "[1]", refusal(wrun.nanmean, wrun.tensor({ 1 })))
  end)

  it("refuse what is no tensor or no dimension", function()
    local x = wrun.zeros(2, 3)
    for name in pairs(FORMULAS) do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5))
      assert.equal(name .. ": argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
        refusal(wrun[name], x, 0))
      assert.equal(name .. ": argument 2: expected a dimension, got true",
        refusal(wrun[name], x, true))
      assert.equal(name .. ": argument 3: expected true or false for keepdim, got 1",
        refusal(wrun[name], x, 1, 1))
    end
  end)

  it("refuse lists of dimensions with a fault, or where one is chosen from", function()
    local x = wrun.zeros(2, 3)
    assert.equal("sum: argument 2: dimension 2 is given twice", refusal(wrun.sum, x, { 2, -1 }))
    assert.equal("mean: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.mean, x, { 1, 3 }))
    assert.equal("prod: argument 2: expected a dimension, got the string '1'",
      refusal(wrun.prod, x, { "1" }))
    assert.equal("max: argument 2: expected a dimension, got a table", refusal(wrun.max, x, { 1 }))
  end)

  it("refuse a mean of integers", function()
    assert.equal("mean: argument 1: expected a float32 or float64 tensor, got an int64 tensor [2]",
      refusal(wrun.mean, wrun.tensor({ 1, 2 })))
  end)
end)

describe("logsumexp at extremes", function()
  -- The gradient is the softmax p, here in its limit, and its own derivative along ones p - p = 0.
  for _, case in ipairs {
    { { -math.huge, -math.huge }, { 0, 0 } },
    { { -math.huge, 1 }, { 0, 1 } },
    { { 0, 1e30 }, { 0, 1 } },
    { { 1e30, 1e30 }, { 0.5, 0.5 } },
    { { -1e30, 0, 0, -math.huge }, { 0, 0.5, 0.5, 0 } },
  } do
    it("has the gradients of its limit: " .. table.concat(case[1], ", "), function()
      for _, dtype in ipairs { "float32", "float64" } do
        local x = wrun.tensor(case[1], { dtype = dtype }):requires_grad_()
        local dx = wrun.autograd.grad(x:logsumexp(1), x, { create_graph = true })
        assert.same(case[2], dx:tolist())
        local zeros = wrun.autograd.grad(dx:sum(), x):tolist()
        for _, value in ipairs(zeros) do
          assert.equal(0, value)
        end
      end
    end)
  end
end)

describe("var, std, norm and logsumexp", function()
  local x = wrun.tensor({ { 1, 2, 4 }, { 3, 5, 9 } }, { dtype = "float64" })
  local NEAR = { rtol = 1e-14, atol = 1e-15 }

  it("are what their definitions say", function()
    near.lists({ 8.0 }, near.flat(x:var()), NEAR)
    near.lists({ 7 / 3, 28 / 3 }, near.flat(x:var(2)), NEAR)
    near.lists({ math.sqrt(8) }, near.flat(x:std()), NEAR)
    near.lists({ 1.0, 2.25, 6.25 }, near.flat(x:var(1, false, { unbiased = false })), NEAR)
    near.lists({ math.sqrt(136) }, near.flat(x:norm()), NEAR)
    near.lists({ 4.0, 7.0, 13.0 }, near.flat(x:norm(1, 1)), NEAR)
    near.lists({ 4.0, 9.0 }, near.flat(x:norm(math.huge, 2)), NEAR)
    near.lists({ 73 ^ (1 / 3), 881 ^ (1 / 3) }, near.flat(x:norm(3, 2)), NEAR)
    local sum = math.exp(1) + math.exp(2) + math.exp(4)
    near.lists({ math.log(sum) }, near.flat(x[1]:logsumexp(1)), NEAR)
    near.lists({ 1000 + math.log(2) }, near.flat(wrun.logsumexp(wrun.full({ 2 }, 1000.0,
      { dtype = "float64" }), 1)), NEAR)
    assert.same({ 2, 1 }, x:logsumexp(2, true).shape)
    assert.same({ 1, 3 }, x:std(1, true).shape)
    assert.same({}, x:logsumexp().shape)
    assert.equal(-math.huge, wrun.full({ 2 }, -math.huge):logsumexp(1):item())
    assert.is_true(wrun.tensor({ 1.0 }):var():isnan():item())
  end)

  it("have their gradients", function()
    local y = x:clone():requires_grad_(true)
    local compositions = {
      function(t) return t:var(2) end,
      function(t) return t:var({ 1, 2 }, true, { correction = 0.5 }) end,
      function(t) return t:std() end,
      function(t) return t:norm() end,
      function(t) return t:logsumexp(2) end,
      function(t) return t:logsumexp({ 1, 2 }) end,
      function(t) return t:softmin(1) end,
      function(t) return t:nansum(1) end,
      function(t) return t:nanmean({ 1, 2 }) end,
      function(t) return t:dist(t * t, 3) end,
      function(t) return wrun.stack({ t:aminmax(2) }) end,
    }
    for _, p in ipairs { 0.5, 1, 1.5, 2, 3, -1, -2.5, math.huge, -math.huge } do
      compositions[#compositions + 1] = function(t) return t:norm(p, 2) end
    end
    for _, f in ipairs(compositions) do
      assert.is_true(wrun.gradcheck(f, { y }))
      assert.is_true(wrun.gradgradcheck(f, { y }))
    end
  end)

  it("refuse what they cannot use", function()
    for _, name in ipairs({ "var", "std", "logsumexp" }) do
      assert.equal(name .. ": argument 1: expected a tensor, got nil", refusal(wrun[name]))
    end
    assert.equal("norm: argument 2: expected a number, got the string 'fro'",
      refusal(wrun.norm, x, "fro"))
    assert.equal("norm: argument 1: expected a float32 or float64 tensor, got an int64 tensor [1]",
      refusal(wrun.norm, wrun.tensor({ 1 })))
    for _, p in ipairs { math.huge, -math.huge, -1.5 } do
      assert.equal(("norm: argument 1: expected at least one element for the %s-norm, got [0, 3]")
        :format(p), refusal(wrun.norm, wrun.zeros(0, 3), p, 1))
      assert.same({ 0 }, wrun.zeros(0, 3):norm(p, 2).shape)
    end
    assert.equal("dist: argument 2: expected a tensor, got 1", refusal(wrun.dist, x, 1))
    assert.equal("var: option biased: unknown; the options are correction, unbiased",
      refusal(wrun.var, x, 1, false, { biased = true }))
    assert.equal("std: option correction: expected a number, got the string '1'",
      refusal(wrun.std, x, 1, false, { correction = "1" }))
    assert.equal("var_mean: option unbiased: expected only one of correction and unbiased",
      refusal(wrun.var_mean, x, 1, false, { correction = 1, unbiased = true }))
    assert.equal("var: argument 1: expected a float32 or float64 tensor, got an int64 tensor [1]",
      refusal(wrun.var, wrun.tensor({ 1 })))
    assert.equal("std_mean: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.std_mean, x, { 1, 3 }))
  end)
end)

describe("a sum of short rows", function()
  it("adds them element by element, however many there are side by side", function()
    for n = 1, 33 do
      local x = wrun.randint(-100, 101, { 1100, n })
      local sum = wrun.zeros(1100):long()
      for column = 1, n do
        sum = sum + x:select(2, column)
      end
      for _, dtype in ipairs { "int64", "int32", "float32", "float64" } do
        assert.is_true(x:to(dtype):sum(2):long():equal(sum))
      end
      assert.is_true(x:double():mean(2):equal(sum:double() / n))
    end
  end)
end)

describe("a product of a long row", function()
  it("is that of its rows, of which none leaves double, times powers of two", function()
    local x = ((wrun.rand({ 40, 1000 }, { dtype = "float64" }) - 0.5) / 10):exp()
    local product = x:prod(2):prod()
    for _, exponent in ipairs { 30, -30 } do
      local scaled = wrun.cat { (x * 2.0 ^ exponent):view(-1), (x * 0 + 2.0 ^ -exponent):view(-1) }
      assert.near(1, scaled:prod():item() / product:item(), 1e-11)
      assert.equal(exponent > 0 and math.huge or 0, (x * 2.0 ^ exponent):prod():item())
    end
    assert.equal(0, wrun.cat({ x:view(-1) * 1e300, wrun.zeros(1):double() }):prod():item())
  end)
end)

describe("the gradients of sums and means", function()
  it("are those that a recorded walk computes, over any dimensions", function()
    for _, name in ipairs { "sum", "mean" } do
      for _, sizes in ipairs { {}, { 3 }, { 2, 3, 4 }, { 0, 3 }, { 2, 1 } } do
        for _, dim in ipairs { false, 1, -1, { 1 }, { -1, 1 }, {} } do
          for _, keep in ipairs { false, true } do
            local is_twice = #sizes < 2 and type(dim) == "table" and #dim == 2
            local is_outside = #sizes == 0 and type(dim) == "table"
            if not is_twice and not is_outside then
              local x = wrun.randn(sizes):transpose(1, -1):requires_grad_()
              local y = x[name](x, dim or nil, keep)
              local g = wrun.randn(y.shape)
              local plain = wrun.autograd.grad(y, x, { grad_outputs = g, retain_graph = true })
              local recorded = wrun.autograd.grad(y, x, { grad_outputs = g, create_graph = true })
              assert.same(x.shape, plain.shape)
              assert.is_true(plain:equal(recorded:detach()))
            end
          end
        end
      end
    end
  end)
end)
