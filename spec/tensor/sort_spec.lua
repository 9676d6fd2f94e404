--- Order beside PyTorch's, and at its edges: stability, NaN, long lines, threads, gradients and
--- refusals.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local NAN = 0 / 0

local function randn(...)
  return wrun.randn({ ... }, { dtype = "float64", generator = wrun.Generator({ seed = 3 }) })
end

local function check(f, ...)
  local x = randn(...):requires_grad_()
  assert.is_true(wrun.gradcheck(f, { x }))
  assert.is_true(wrun.gradgradcheck(f, { x }))
end

--- The indices of a list in stable order, by Lua's own sort.
local function stable_indices(list, descending)
  local indices = {}
  for i in ipairs(list) do
    indices[i] = i
  end
  table.sort(indices, function(a, b)
    local x, y = list[a], list[b]
    if x == y or (x ~= x and y ~= y) then
      return a < b
    end
    local less = y ~= y or x < y
    return less ~= (descending or false)
  end)
  return indices
end

describe("fixtures of sort #many", function()
  for claim, comparison in cases.each(require "spec.fixtures.sort", cases.ELEMENTWISE) do
    it(claim, comparison)
  end
end)

describe("sort", function()
  -- 300 is beyond what insertion sorts; many elements are equal, and some are no numbers
  local function list_of(dtype, n)
    local list, step = {}, ({ int32 = 1 << 24, int64 = 1 << 40 })[dtype]
    for i = 1, n do
      list[i] = (i * 7919 % 101 - 50) * (step or 0.25)
      if dtype == "uint8" or dtype == "bool" then
        list[i] = i * 7919 % (dtype == "bool" and 2 or 256)
      elseif not step and i % 17 == 0 then
        list[i] = ({ NAN, math.huge, -math.huge, -0.0 })[i // 17 % 4 + 1]
      end
    end
    return list
  end

  for _, dtype in ipairs { "bool", "uint8", "int32", "int64", "float32", "float64" } do
    it("is stable, up and down, in short lines and in long ones: " .. dtype, function()
      for _, n in ipairs { 1, 2, 48, 49, 300 } do
        local list = list_of(dtype, n)
        local x = wrun.tensor(list):to(dtype)
        for _, descending in ipairs { false, true } do
          local values, indices = x:sort(1, descending)
          assert.same(stable_indices(list, descending), indices:tolist())
          near.lists(near.flat(x:gather(1, indices)), near.flat(values))
        end
      end
    end)
  end

  it("is stable, and chooses alike, however far apart whole numbers lie", function()
    local most, least = math.maxinteger, math.mininteger
    for _, ends in ipairs {
      { 0, 0 }, { -1, 0 }, { -3, 3 }, { 0, 255 }, { -1, 255 }, { -32768, 32767 }, { 0, 65536 },
      { least, least + 2 }, { most - 256, most }, { least, most }, { -(1 << 62), 1 << 62 },
    } do
      local low, width = ends[1], ends[2] - ends[1] -- below 0 where it leaves int64
      local list = { ends[1], ends[2] }
      for i = 3, 700 do
        local step = width < 0 and i * 0x123456789abcdef or i * 7919 % (width + 1)
        list[i] = low + step
      end
      local x = wrun.tensor(list)
      for _, descending in ipairs { false, true } do
        local indices = stable_indices(list, descending)
        assert.same(indices, select(2, x:sort(1, descending)):tolist())
        for _, k in ipairs { 1, 5, 60, 350, 699 } do
          local values = x:topk(k, 1, descending):tolist()
          for i, index in ipairs({ table.unpack(indices, 1, k) }) do
            assert.equal(list[index], values[i])
          end
        end
      end
      local indices = stable_indices(list)
      for _, k in ipairs { 1, 2, 350, 351, 699, 700 } do
        local value, index = x:kthvalue(k)
        assert.equal(list[indices[k]], value:item())
        assert.equal(list[indices[k]], list[index:item()])
      end
    end
  end)

  it("gives the same whatever the number of threads and the index of the line", function()
    local threads = wrun.get_num_threads()
    local x = (wrun.arange(30 * 40 * 50):float() * 0.7):sin():reshape(30, 40, 50)
    for _, count in ipairs { 1, 3 } do
      wrun.set_num_threads(count)
      for d = 1, 3 do
        local values = x:sort(d)
        local last = x:transpose(d, 3):contiguous():sort():transpose(d, 3)
        assert.is_true(values:equal(last))
        assert.is_true(values:diff(1, d):ge(0):all():item())
      end
    end
    wrun.set_num_threads(threads)
  end)

  it("keeps what is empty empty", function()
    for _, shape in ipairs { { 0 }, { 0, 3 }, { 3, 0 } } do
      local values, indices = wrun.zeros(shape):sort(1)
      assert.same(shape, values.shape)
      assert.same(shape, indices.shape)
    end
    assert.same({ 3, 0 }, wrun.zeros(3, 4):topk(0).shape)
  end)

  it("has gradients of both orders", function()
    for _, d in ipairs { 1, 2, 3, -1 } do
      check(function(x) return (x:sort(d)) end, 2, 3, 2)
      check(function(x) return (x:topk(2, d, false)) end, 2, 3, 2)
      check(function(x) return (x:kthvalue(2, d)) end, 2, 3, 2)
      check(function(x) return (x:median(d, true)) end, 2, 3, 2)
      check(function(x) return (x:mode(d)) end, 2, 3, 2)
      check(function(x) return x:quantile({ 0.3, 0.8 }, d) end, 2, 3, 2)
    end
    for _, f in ipairs { wrun.median, wrun.nanmedian, wrun.msort } do
      check(f, 4, 3)
    end
    check(function(x) return x:nanquantile(0.3) end, 4, 3)
    check(function(x) return (x:sort()) end)
  end)
end)

describe("topk and kthvalue", function()
  it("are the beginning of sort, however many are wanted", function()
    local x = (wrun.arange(1200) * 7919 % 101):reshape(2, 600)
    for _, k in ipairs { 1, 10, 47, 48, 49, 68, 69, 200, 599, 600 } do
      local all_values, all_indices = x:sort(2, true)
      local values, indices = x:topk(k, 2)
      assert.is_true(values:equal(all_values:narrow(2, 1, k)))
      assert.is_true(indices:equal(all_indices:narrow(2, 1, k)))
      local ascending_values, ascending_indices = x:sort(2)
      local value, index = x:kthvalue(k, 2)
      assert.is_true(value:equal(ascending_values:select(2, k)))
      assert.is_true(index:equal(ascending_indices:select(2, k)))
      values, indices = x:topk(k, 2, false)
      assert.is_true(values:equal(ascending_values:narrow(2, 1, k)))
      assert.is_true(indices:equal(ascending_indices:narrow(2, 1, k)))
    end
  end)
end)

describe("median, nanmedian and mode", function()
  it("share a gradient among equals only where all elements are joined", function()
    local x = wrun.tensor({ 3.0, 1, 3, 7 }, { requires_grad = true })
    x:median():backward()
    assert.same({ 0.5, 0, 0.5, 0 }, x.grad:tolist())
    x.grad = nil
    x:median(1):backward()
    assert.same({ 1, 0, 0, 0 }, x.grad:tolist())
    x = wrun.tensor({ NAN, 1, NAN }, { requires_grad = true })
    x:median():backward()
    assert.same({ 0.5, 0, 0.5 }, x.grad:tolist())
  end)

  it("of nothing is NaN, or refused where there is none", function()
    assert.is_true(wrun.zeros(0, 3):median():isnan():item())
    assert.equal("median: argument 1: expected at least one element to choose from, got [0]",
      refusal(wrun.median, wrun.zeros(0, { dtype = "int64" })))
  end)

  it("of NaN alone is NaN, at the first index", function()
    for _, name in ipairs { "median", "nanmedian", "mode" } do
      local value, index = wrun[name](wrun.full({ 3 }, NAN), 1)
      assert.is_true(value:isnan():item())
      assert.equal(1, index:item())
    end
  end)

  it("count NaN as no element of a mode", function()
    local value, index = wrun.tensor({ 4, NAN, NAN, 4, 1, NAN }):mode()
    assert.equal(4, value:item())
    assert.equal(4, index:item())
    value, index = wrun.tensor(5.5):mode()
    assert.same({ 5.5, 1 }, { value:item(), index:item() })
  end)
end)

describe("quantile", function()
  it("is infinite between a finite and an infinite element, and at an infinite one", function()
    local inf = math.huge
    for _, case in ipairs {
      { { 1, inf }, { 1, inf, inf, inf, inf } },
      { { -inf, 1 }, { -inf, -inf, -inf, -inf, 1 } },
      { { inf, inf }, { inf, inf, inf, inf, inf } },
      { { -inf, 0, inf }, { -inf, -inf, 0, inf, inf } },
      { { -3e38, 3e38 }, { -3e38, -1.5e38, 0, 1.5e38, 3e38 } },
    } do
      local x, want = wrun.tensor(case[1], { dtype = "float32" }), wrun.tensor(case[2])
      for _, name in ipairs { "quantile", "nanquantile" } do
        local got = x[name](x, { 0, 0.25, 0.5, 0.75, 1 })
        assert.is_true(wrun.allclose(got, want:float()), name .. " of " .. tostring(x))
      end
    end
  end)

  it("has the gradient of its limit at infinite elements", function()
    local x = wrun.tensor({ 1.0, 2.0, math.huge }):requires_grad_()
    x:quantile(0.25):backward()
    assert.same({ 0.5, 0.5, 0 }, x.grad:tolist())
    x.grad = nil
    x:quantile(0.75):backward()
    assert.same({ 0, 0.5, 0.5 }, x.grad:tolist())
  end)

  it("takes a number, a list or a tensor of x's type", function()
    local x = wrun.tensor({ 1.0, 2, 3, 10 })
    assert.equal(2.5, x:quantile(0.5):item())
    assert.same({ 2.5 }, x:quantile({ 0.5 }):tolist())
    assert.same({ 1, 2.5 }, x:quantile(wrun.tensor({ 0, 0.5 })):tolist())
    assert.same({ 0, 4 }, wrun.zeros(4, 3):quantile({}, 2).shape)
    assert.same({ 2, 4, 1 }, wrun.zeros(4, 3):quantile({ 0, 1 }, 2, true).shape)
  end)

  it("refuses what it cannot use", function()
    local x = wrun.zeros(2, 3)
    local wanted = ": argument 2: expected a number, a table of numbers or a float32 tensor of at "
      .. "most 1 dimension, got "
    for _, name in ipairs { "quantile", "nanquantile" } do
      local f = wrun[name]
      assert.equal(name .. ": argument 1: expected a tensor, got nil", refusal(f))
      assert.equal(name .. ": argument 1: expected a float32 or float64 tensor, got an int64 "
        .. "tensor [1]", refusal(f, wrun.tensor({ 1 }), 0.5))
      assert.equal(name .. wanted .. "nil", refusal(f, x))
      assert.equal(name .. wanted .. "a float64 tensor []",
        refusal(f, x, wrun.tensor(0.5, { dtype = "float64" })))
      assert.equal(name .. wanted .. "a float32 tensor [1, 1]", refusal(f, x, wrun.zeros(1, 1)))
      assert.equal(name .. ": argument 2: expected probabilities from 0 to 1, got 1.5",
        refusal(f, x, 1.5))
      assert.equal(name .. ": argument 2: expected probabilities from 0 to 1, got 0.5, -1.0",
        refusal(f, x, { 0.5, -1 }))
      assert.equal(name .. ": argument 2: expected probabilities from 0 to 1, got nan",
        refusal(f, x, NAN))
      assert.equal(name .. ": argument 3: expected a dimension from 1 to 2 or from -2 to -1, got 3",
        refusal(f, x, 0.5, 3))
      assert.equal(name .. ": argument 1: expected at least one element to choose from, got [0]",
        refusal(f, wrun.zeros(0), 0.5))
      assert.equal(name .. ": option interpolation: expected linear, lower, higher, midpoint or "
        .. "nearest, got 1", refusal(f, x, 0.5, 1, true, { interpolation = 1 }))
    end
  end)
end)

describe("searchsorted", function()
  it("finds what a walk through sequences of any length and type finds", function()
    for _, dtype in ipairs { "bool", "uint8", "int32", "int64", "float32", "float64" } do
      for _, n in ipairs { 0, 1, 2, 3, 4, 7, 8, 9, 100 } do
        local list = {}
        for i = 1, n do
          list[i] = dtype == "bool" and (i > n // 3 and 1 or 0) or i // 3 * 2
        end
        local wanted = dtype == "bool" and { 0, 1 } or { 0, 1, 2, 3, 7, 8, 66, 67, 200 }
        local sequence, values = wrun.tensor(list):to(dtype), wrun.tensor(wanted):to(dtype)
        for _, right in ipairs { false, true } do
          local want = {}
          for i, value in ipairs(wanted) do
            want[i] = 1
            for _, element in ipairs(list) do
              want[i] = want[i] + ((element < value or right and element == value) and 1 or 0)
            end
          end
          assert.same(want, wrun.searchsorted(sequence, values, { right = right }):tolist())
        end
      end
    end
    local inf = math.huge
    local sequence = wrun.tensor { -inf, -0.0, 0.0, inf, NAN, NAN }
    local values = wrun.tensor { -inf, 0.0, -0.0, inf, NAN }
    assert.same({ 1, 2, 2, 4, 5 }, wrun.searchsorted(sequence, values):tolist())
    assert.same({ 2, 4, 4, 5, 7 }, wrun.searchsorted(sequence, values, { right = true }):tolist())
  end)
end)

describe("functions of order", function()
  it("refuse what is no tensor or no dimension", function()
    local x = wrun.zeros(2, 3)
    for _, name in ipairs { "sort", "argsort", "mode" } do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5))
      assert.equal(name .. ": argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
        refusal(wrun[name], x, 3))
    end
    for _, name in ipairs { "median", "nanmedian" } do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5))
      assert.equal(name .. ": argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
        refusal(wrun[name], x, 0))
    end
    assert.equal("msort: argument 1: expected a tensor, got nil", refusal(wrun.msort))
    for _, name in ipairs { "topk", "kthvalue" } do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5, 1))
      assert.equal(name .. ": argument 3: expected a dimension from 1 to 2 or from -2 to -1, got 3",
        refusal(wrun[name], x, 1, 3))
    end
  end)

  it("refuse counts that the dimension does not have", function()
    local x = wrun.zeros(2, 3)
    assert.equal("topk: argument 2: expected an integer from 0 to 3, got 4",
      refusal(wrun.topk, x, 4))
    assert.equal("topk: argument 2: expected an integer from 0 to 2, got nil",
      refusal(wrun.topk, x, nil, 1))
    assert.equal("kthvalue: argument 2: expected an integer from 1 to 3, got 0",
      refusal(wrun.kthvalue, x, 0))
    for _, name in ipairs { "median", "nanmedian", "mode" } do
      assert.equal(name .. ": argument 1: expected at least one element to choose from, got [0, 3]",
        refusal(wrun[name], wrun.zeros(0, 3), 1))
    end
    assert.equal("kthvalue: argument 1: expected at least one element to choose from, got [0, 3]",
      refusal(wrun.kthvalue, wrun.zeros(0, 3), 1, 1))
  end)
end)
