--- Every row of runtime/kernels/ops.def beside a formula and PyTorch: values, types, shapes, memory,
--- gradients.
---
--- A row without a formula (spec/support/formulas.lua) fails.

local FORMULAS = require "spec.support.formulas"
local cases = require "spec.support.cases"
local core = require "wrun.core"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

-- Vectorised functions are good to 4 units in the last place; in float64 the formulas add one or
-- two of their own.
local VECTORISED = { float32 = { ulp = 4 }, float64 = { ulp = 8 } }
-- Formulas that are sums of many terms, or lose digits where numbers cancel.
local SERIES = { float32 = { ulp = 4 }, float64 = { rtol = 1e-13, atol = 1e-16 } }
-- The same for those whose float32 kernel loses digits itself where they come near 0.
local ABSOLUTE = { float32 = { ulp = 4, scale = 1 }, float64 = { ulp = 8, scale = 1 } }
local RULES = {
  addcmul = VECTORISED,
  celu = ABSOLUTE,
  gelu_tanh = ABSOLUTE,
  tanhshrink = ABSOLUTE,
  logaddexp = ABSOLUTE,
  logaddexp2 = ABSOLUTE,
  logit = ABSOLUTE,
  _kl_div = ABSOLUTE,
  _poisson_nll = ABSOLUTE,
}
for _, name in ipairs {
  "erf", "erfc", "erfinv", "lgamma", "digamma", "polygamma", "gelu_erf", "mish", "xlogy",
  "atanh", "acosh", "log2",
} do
  RULES[name] = SERIES
end
local SUM = { float32 = { ulp = 8, scale = 1 }, float64 = { ulp = 16, scale = 1 } }
-- One IEEE operation, or none: every bit counts, save the sign of zero.
local EXACT = { float32 = { ulp = 0 }, float64 = { ulp = 0 } }

local FLOATS = { "float32", "float64" }
local INTEGERS = { "int64", "int32", "uint8", "bool" }

local function is_float(dtype)
  return dtype == "float32" or dtype == "float64"
end

local function result_type(row, dtype)
  if row.kind == "boolean" then
    return "bool"
  elseif row.kind == "counting" and dtype == "bool" then
    return "int64"
  end
  return row.kind == "floating" and not is_float(dtype) and "float32" or dtype
end

local function round_to(dtype, value)
  local format = dtype == "float32" and "<f" or "<d"
  return (string.unpack(format, string.pack(format, value)))
end

--- The numbers of `dtype` within the row's bounds, as the tensor will hold them.
local function numbers(row, dtype)
  local list = {}
  if is_float(dtype) then
    local step = (row.high - row.low) / 24 -- from -3 to 3 by quarters, halves among them
    for i = 0, 24 do
      list[#list + 1] = round_to(dtype, row.low + i * step)
    end
    return list
  end
  local least = (dtype == "int64" or dtype == "int32") and math.mininteger or 0
  local most = dtype == "bool" and 1 or 9
  for x = math.max(math.ceil(row.low), least), math.min(row.high // 1 | 0, most) do
    list[#list + 1] = x
  end
  return list
end

--- One list for each argument, so that every number of the first meets every number of the second;
--- the third runs through all of them at its own pace.
local function combinations(row, list)
  local lists = {}
  for k = 1, row.arity do
    lists[k] = {}
  end
  local n = #list
  for i = 0, n ^ math.min(row.arity, 2) - 1 | 0 do
    for k, index in ipairs({ i % n, i // n, (i + i // n) % n }) do
      if k <= row.arity then
        lists[k][i + 1] = list[index + 1]
      end
    end
  end
  return lists
end

--- Is argument k a choice, true or false, between the others?
local function is_condition(row, k)
  return row.kind == "select" and k == 1
end

local function tensors(row, lists, dtype)
  local arguments = {}
  for k, list in ipairs(lists) do
    local tensor = wrun.tensor(list, { dtype = dtype == "bool" and "int64" or dtype })
    arguments[k] = is_condition(row, k) and tensor:ne(0) or tensor:to(dtype)
  end
  return arguments
end

--- What the row gives for element i, computed by its formula and stored as `dtype` stores it.
local function expected(row, lists, i, dtype)
  local given = {}
  for k, list in ipairs(lists) do
    given[k] = row.kind == "floating" and list[i] * 1.0 or list[i] -- * 1.0 keeps the sign of zero
  end
  local value = FORMULAS[row.name](table.unpack(given))
  local stored = result_type(row, dtype)
  if stored == "bool" then
    return value ~= false and value ~= 0
  elseif stored == "uint8" then
    return value & 0xff
  end
  return is_float(stored) and round_to(stored, value) or value
end

local function check_values(row, list, dtype)
  local lists = combinations(row, list)
  local got = core.elementwise[row.name](table.unpack(tensors(row, lists, dtype)))
  local stored, want = result_type(row, dtype), {}
  assert.equal(stored, got.dtype)
  for i = 1, #lists[1] do
    want[i] = expected(row, lists, i, dtype)
  end
  local rules = RULES[row.name]
    or (row.kind == "floating" or row.kind == "power") and VECTORISED or EXACT
  near.lists(want, near.flat(got), rules[stored], stored)
end

local function operation(row)
  return core.elementwise[row.name]
end

--- n numbers from low to high in no order, none of them near where a function bends.
local function draw(row, n, shift)
  local list = {}
  for i = 1, n do
    local share = (i * 0.6180339887 + shift * 0.4142135624) % 1
    list[i] = row.low + (row.high - row.low) * (0.02 + 0.96 * share)
  end
  return wrun.tensor(list, { dtype = "float64" })
end

local function draws(row, shapes, dtype)
  local arguments = {}
  for k = 1, row.arity do
    local count = 1
    for _, size in ipairs(shapes[k]) do
      count = count * size
    end
    local x = draw(row, count, k):reshape(shapes[k])
    arguments[k] = is_condition(row, k) and x:gt(0) or x:to(dtype or "float64")
  end
  return arguments
end

--- Asserts the same type, shape and bits, NaN and the sign of zero included.
local function assert_same(want, got)
  assert.equal(want.dtype, got.dtype)
  assert.same(want.shape, got.shape)
  near.lists(near.flat(want), near.flat(got))
end

--- The same values where neighbours in a row lie apart in memory.
local function scattered(x)
  local shape = x.shape
  shape[#shape + 1] = 3
  local wide = wrun.zeros(shape, { dtype = x.dtype })
  local view = wide:select(-1, 2)
  view:copy_(x)
  return view
end

local LENGTHS = { 0, 1, 15, 16, 17, 1023, 1024, 1025, 20000 }
local PERIOD = 7

--- Asserts that an element's bits do not depend on where it stands among n.
local function check_places(row, n, dtype)
  local short = draws(row, { { PERIOD }, { PERIOD }, { PERIOD } }, dtype)
  local indices = wrun.arange(n + 1):remainder(PERIOD) + 1
  local whole, tail = {}, {}
  for k, x in ipairs(short) do
    whole[k] = x:index_select(1, indices)
    tail[k] = whole[k]:narrow(1, 2, n) -- one element off every alignment
  end
  local alone = {}
  for i = 1, PERIOD do
    local single = {}
    for k, x in ipairs(short) do
      single[k] = x:narrow(1, i, 1)
    end
    alone[i] = operation(row)(table.unpack(single))
  end
  local want = wrun.cat(alone, 1):index_select(1, indices)
  assert.is_true(want:equal(operation(row)(table.unpack(whole))))
  assert.is_true(want:narrow(1, 2, n):equal(operation(row)(table.unpack(tail))))
end

--- Asserts that an element's bits do not depend on what stands beside it: not on whether a row has
--- fewer steps for those around it, either.
local function check_company(row, dtype)
  local n = 4000
  local arguments = draws(row, { { n }, { n }, { n } }, dtype)
  if not is_condition(row, 1) then
    local sizes = wrun.linspace(-149, 127, n // 4, { dtype = "float64" }):exp2()
    arguments[1] = wrun.cat({ arguments[1]:narrow(1, 1, n // 2):to("float64"),
      wrun.linspace(-130, 130, n // 4, { dtype = "float64" }), sizes }, 1):to(dtype)
  end
  local want = operation(row)(table.unpack(arguments))
  for _, neighbour in ipairs { 0 / 0, math.huge, 0.0, -2.0 } do
    local pairs_of = {}
    for k, x in ipairs(arguments) do
      local beside = k == 1 and wrun.full_like(x, neighbour) or x
      pairs_of[k] = wrun.stack({ x, beside }, 2)
    end
    assert_same(want, operation(row)(table.unpack(pairs_of)):select(2, 1))
  end
end

local BROADCAST = { { 3, 1, 4 }, { 2, 1 }, { 4 } }

--- Copies of the arguments that require a gradient, all that can or just number `which`.
local function requiring(arguments, which)
  local list = {}
  for k, x in ipairs(arguments) do
    list[k] = x:clone():requires_grad_(is_float(x.dtype) and (which == nil or which == k))
  end
  return list
end

local function check_in_place(row, dtype, prepare)
  local arguments = draws(row, { { 3, 4 }, { 4 }, { 3, 1 } }, dtype)
  local want = operation(row)(table.unpack(arguments)):to(dtype)
  local target = prepare(arguments[1])
  arguments[1] = target
  assert.equal(target, core.elementwise[row.name .. "_"](table.unpack(arguments)))
  assert_same(want, target)
end

-- An argument of theirs is a bound or a probability: losses_extremes_spec.lua has their extremes.
local BOUNDED = { _bce_logits = true, _huber = true, _smooth_l1 = true }
local SPECIAL = { 0 / 0, math.huge, -math.huge, 0.0, -0.0, 1.5, -2.0, 1e30, -1e-30 }

for _, name in ipairs { "elementwise", "elementwise_promotion" } do
  describe("fixtures of " .. name .. " #many", function()
    for claim, check in cases.each(require("spec.fixtures." .. name), cases.ELEMENTWISE) do
      it(claim, check)
    end
  end)
end

describe("the table of elementwise operations", function()
  it("has a formula for every row, and a row for every formula", function()
    local formulas = {}
    for name in pairs(FORMULAS) do
      formulas[name] = true
    end
    for _, row in ipairs(core.elementwise_rows()) do
      assert(FORMULAS[row.name], row.name .. " has no formula in this spec")
      formulas[row.name] = nil
    end
    assert.is_nil(next(formulas))
  end)

  it("describes every row", function()
    for _, row in ipairs(core.elementwise_rows()) do
      assert.matches("%w", row.doc)
      assert.is_true(row.low < row.high)
      assert.equal(row.arity, #row.derivatives)
    end
  end)

  it("bounds the error of every function of one number", function()
    for _, row in ipairs(core.elementwise_rows()) do
      if row.kind == "floating" and row.arity == 1 then
        assert(row.ulp and row.ulp_size >= 0, row.name .. " has no bound")
      end
    end
  end)
end)

local of_numbers, of_bits = {}, {}
for _, row in ipairs(core.elementwise_rows()) do
  local list = (row.kind == "bitwise" or row.kind == "shift") and of_bits or of_numbers
  list[#list + 1] = row
end

for _, row in ipairs(of_bits) do
  describe(row.name, function()
    for _, dtype in ipairs(INTEGERS) do
      if row.kind == "bitwise" or dtype ~= "bool" then
        it("meets its formula in " .. dtype, function()
          check_values(row, numbers(row, dtype), dtype)
        end)

        it("does in place what it does into a new tensor in " .. dtype, function()
          local a, b = table.unpack(tensors(row, combinations(row, numbers(row, dtype)), dtype))
          local want = operation(row)(a, b)
          assert_same(want, core.elementwise[row.name .. "_"](a, b))
          assert_same(want, a)
        end)
      end
    end

    it("refuses floats, and bools where bits are moved", function()
      local integers = wrun.ones(2, { dtype = "int64" })
      local text = row.name .. ": argument %d: expected "
      assert.equal(text:format(1) .. "a tensor of integers or bool, got a float32 tensor [2]",
        refusal(operation(row), wrun.ones(2), 1))
      assert.equal(text:format(2) .. "a whole number, got 0.5",
        refusal(operation(row), integers, 0.5))
      if row.kind == "shift" then
        assert.equal(row.name .. ": bool tensors have no bits to move; use :to(\"int64\")",
          refusal(operation(row), wrun.ones(2):gt(0), wrun.ones(2):gt(0)))
      end
    end)
  end)
end

describe("bits", function()
  it("move as PyTorch moves them, out of every type and by numbers below 0", function()
    -- PyTorch 2.13: torch.tensor([1, -8], dtype=...) << 31, << 32, << -1, >> 40, >> -1
    local most = -(1 << 31)
    local want = {
      int32 = { { most, 0 }, { 0, 0 }, { 0, 0 }, { 0, -1 }, { 0, -1 } },
      int64 = { { -most, 8 * most }, { 1 << 32, -(8 << 32) }, { 0, 0 }, { 0, -1 }, { 0, -1 } },
    }
    for dtype, lists in pairs(want) do
      local x = wrun.tensor({ 1, -8 }, { dtype = dtype })
      local got = { x << 31, x << 32, x << -1, x >> 40, x >> -1 }
      for i, list in ipairs(lists) do
        assert.same(list, got[i]:tolist())
        assert.equal(dtype, got[i].dtype)
      end
    end
  end)

  it("are asked by Lua's operators, with numbers on either side", function()
    local x = wrun.tensor { 1, 6, -4 }
    assert.same({ { 0, 2, 0 }, { 3, 6, -2 }, { 3, 4, -2 }, { -2, -7, 3 }, { 2, 64, 0 } }, {
      (2 & x):tolist(), (x | 2):tolist(), (x ~ 2):tolist(), (~x):tolist(), (1 << x):tolist(),
    })
    local b = wrun.tensor { true, false }
    assert.same({ { true, false }, { true, true }, { false, true }, { false, true } }, {
      (b & true):tolist(), (b | true):tolist(), (b ~ true):tolist(), (~b):tolist(),
    })
  end)

  it("are turned in place, and refused of floats", function()
    local x, b = wrun.tensor({ 0, 255 }, { dtype = "uint8" }), wrun.tensor { true, false }
    assert.same({ 255, 0 }, x:bitwise_not_():tolist())
    assert.same({ false, true }, b:bitwise_not_():tolist())
    assert.equal("bitwise_not: argument 1: expected a tensor of integers or bool, got a float32 "
      .. "tensor [2]", refusal(wrun.bitwise_not, wrun.ones(2)))
  end)
end)

describe("rows", function()
  -- the widths about those from which kernels take rows where they lie
  for _, width in ipairs { 63, 64, 65, 80, 511, 512, 513, 1000, 1040, 2055 } do
    for _, dtype in ipairs { "float32", "float64", "int64", "uint8" } do
      it(("of %d give in %s what they give one by one"):format(width, dtype), function()
        local wide = wrun.randint(0, 100, { 3, 20, width + 5 }):to(dtype)
        local x, row = wide:narrow(3, 3, width), wide[1][1]:narrow(1, 1, width)
        for _, f in ipairs { wrun.add, wrun.lt, wrun.maximum } do
          local got, swapped = f(x, row), f(row, x)
          for i = 1, 3 do
            for j = 1, 20 do
              assert_same(f(x[i][j]:contiguous(), row:contiguous()), got[i][j])
              assert_same(f(row:contiguous(), x[i][j]:contiguous()), swapped[i][j])
            end
          end
        end
        local copy, turned = wrun.zeros_like(wide), wrun.zeros(width, 20, 3, { dtype = "float64" })
        copy:narrow(3, 3, width):copy_(x)
        turned:permute(3, 2, 1):copy_(x)
        assert.same(x:tolist(), copy:narrow(3, 3, width):tolist())
        assert.same(x:double():tolist(), turned:permute(3, 2, 1):tolist())
        assert.equal(copy:sum():item(), x:sum():item())
        local want, before = x + row, wide:clone()
        x:add_(row)
        assert_same(want, x:contiguous())
        for _, edge in ipairs { { 1, 2 }, { width + 3, 3 } } do
          assert_same(before:narrow(3, edge[1], edge[2]), wide:narrow(3, edge[1], edge[2]))
        end
      end)
    end
  end
end)

describe("division of integers", function()
  it("is Lua's, at multiples and beside them, also beyond what double holds", function()
    local dividends, divisors = {}, {}
    for _, b in ipairs { 1, 2, 3, 7, 10, 255, 65537, (1 << 31) - 1, (1 << 50) + 1, 1 << 62, -1, -3,
      -(1 << 40) - 1 } do
      for _, limit in ipairs { 100, 1 << 31, 1 << 51, math.maxinteger } do
        local k = limit // b
        for _, a in ipairs { k * b, k * b - 1, k * b + 1, limit, limit - 1, -limit, 1 - limit } do
          dividends[#dividends + 1], divisors[#divisors + 1] = a, b
        end
      end
    end
    -- each by itself too, so that no far one is with it
    local a, b = wrun.tensor(dividends), wrun.tensor(divisors)
    local quotient, rest, towards_zero = a // b, a % b, wrun.fmod(a, b)
    for i, dividend in ipairs(dividends) do
      local divisor, one = divisors[i], a:narrow(1, i, 1):repeat_interleave(16)
      assert.equal(dividend // divisor, quotient[i]:item())
      assert.equal(dividend % divisor, rest[i]:item())
      assert.equal(math.fmod(dividend, divisor), towards_zero[i]:item())
      assert.equal(dividend // divisor, (one // divisor)[16]:item())
      assert.equal(dividend % divisor, (one % divisor)[16]:item())
    end
  end)
end)

describe("powers of integers", function()
  it("are products, whose overflow wraps, with small exponents or any among them", function()
    for _, most in ipairs { 15, 16, 70 } do
      for base = -5, 5 do
        local exponents, products = {}, {}
        local product = 1
        for exponent = 0, most do
          exponents[exponent + 1], products[exponent + 1] = exponent, product
          product = product * base
        end
        assert.same(products, (base ^ wrun.tensor(exponents)):tolist())
      end
    end
  end)
end)

describe("bytes", function()
  -- of the arguments as int64, whose lowest 8 bits are those of bytes
  local function check_bytes(row, dtype, ...)
    local wide = {}
    for i, argument in ipairs { ... } do
      wide[i] = wrun.is_tensor(argument) and argument:long() or argument
    end
    if row.kind == "select" then
      wide[1] = (...)
    end
    local got = operation(row)(...)
    assert_same(operation(row)(table.unpack(wide)):to(got.dtype), got)
    assert.equal(result_type(row, dtype), got.dtype)
  end

  for _, row in ipairs(core.elementwise_rows()) do
    if row.kind ~= "floating" then
      it("are to " .. row.name .. " what their int64 are", function()
        local a = wrun.arange(0, 256, { dtype = "uint8" })
        local least = row.kind == "division" and 1 or 0
        local b, c = wrun.randint(least, 256, { 256 }):byte(), a:flip(1)
        check_bytes(row, "uint8", table.unpack({ a, b, c }, 1, row.arity))
        if row.kind ~= "signed" and row.kind ~= "shift" then
          a, b, c = a:gt(99), row.kind == "division" and b:gt(0) or b:gt(50), c:gt(20)
          check_bytes(row, "bool", table.unpack({ a, b, c }, 1, row.arity))
        end
      end)
    end
    if row.kind ~= "floating" and row.kind ~= "select" and row.arity > 1 then
      it("meet numbers that no byte holds in " .. row.name, function()
        local a, c = wrun.arange(1, 256, { dtype = "uint8" }), row.arity == 3 and 400 or nil
        for _, number in ipairs { row.kind == "power" and 256 or -1, 300 } do
          check_bytes(row, "uint8", a, number, c)
          if row.arity == 2 then
            check_bytes(row, "uint8", number, a)
          end
        end
      end)
    end
  end
end)

for _, row in ipairs(of_numbers) do
  describe(row.name, function()
    for _, dtype in ipairs(FLOATS) do
      it("meets its formula in " .. dtype, function()
        check_values(row, numbers(row, dtype), dtype)
      end)

      it("meets its formula at NaN, infinities and zeros in " .. dtype, function()
        if BOUNDED[row.name] then
          return
        end
        local list = {}
        for _, x in ipairs(SPECIAL) do
          -- a quotient of the far ones is out of float32's range, and inf - inf in between
          if row.name ~= "addcdiv" or not (math.abs(x) == 1e30 or math.abs(x) == 1e-30) then
            list[#list + 1] = round_to(dtype, x)
          end
        end
        check_values(row, list, dtype)
      end)

      it("gives an element the same bits wherever it stands in " .. dtype, function()
        for _, n in ipairs(LENGTHS) do
          check_places(row, n, dtype)
        end
      end)

      it("gives an element the same bits whatever stands beside it in " .. dtype, function()
        check_company(row, dtype)
      end)
    end

    for _, dtype in ipairs(INTEGERS) do
      if row.kind == "signed" and dtype == "bool" then
        it("refuses bool", function()
          local arguments = {}
          for k = 1, row.arity do
            arguments[k] = wrun.ones(2, { dtype = "bool" })
          end
          assert.equal(row.name .. ": bool tensors have no sign; "
            .. "use logical_not, logical_xor or :to(\"int64\")",
            refusal(operation(row), table.unpack(arguments)))
        end)
      else
        it("meets its formula in " .. dtype, function()
          check_values(row, numbers(row, dtype), dtype)
        end)
      end
    end

    it("broadcasts, repeats and takes numbers", function()
      local arguments = draws(row, BROADCAST)
      local shape = row.arity > 1 and { 3, 2, 4 } or BROADCAST[1]
      local full, stretched = {}, {}
      for k, x in ipairs(arguments) do
        stretched[k] = x:expand(shape)
        full[k] = stretched[k]:contiguous()
      end
      local want = operation(row)(table.unpack(full))
      assert_same(want, operation(row)(table.unpack(arguments)))
      assert_same(want, operation(row)(table.unpack(stretched)))
      for k = 2, row.arity do
        local bare = table.move(full, 1, row.arity, 1, {})
        local wrapped = table.move(full, 1, row.arity, 1, {})
        bare[k] = row.low + 0.75
        wrapped[k] = wrun.tensor(row.low + 0.75, { dtype = "float64" })
        assert_same(operation(row)(table.unpack(wrapped)), operation(row)(table.unpack(bare)))
      end
    end)

    it("reads arguments that do not lie in a row", function()
      local shapes = { { 5, 6 }, { 5, 6 }, { 5, 6 } }
      for _, dtype in ipairs(FLOATS) do
        local arguments = draws(row, shapes, dtype)
        local want = operation(row)(table.unpack(arguments))
        for k, x in ipairs(arguments) do
          for _, other in ipairs({ scattered(x), x:t():contiguous():t() }) do
            local mixed = table.move(arguments, 1, row.arity, 1, {})
            mixed[k] = other
            assert.is_false(other:is_contiguous())
            assert_same(want, operation(row)(table.unpack(mixed)))
          end
        end
      end
    end)

    if row.kind ~= "select" then
      it("does in place what it does into a new tensor", function()
        for _, dtype in ipairs(FLOATS) do
          check_in_place(row, dtype, function(x) return x:clone() end)
          check_in_place(row, dtype, scattered)
          check_in_place(row, dtype, function(x) return x:t():contiguous():t() end)
        end
      end)
    end

    it("is empty where its arguments are", function()
      local arguments = draws(row, { { 0, 3 }, { 0, 3 }, { 0, 3 } })
      assert.same({ 0, 3 }, operation(row)(table.unpack(arguments)).shape)
    end)

    if row.kind == "boolean" then
      it("has no gradient", function()
        local arguments = requiring(draws(row, BROADCAST))
        assert.is_false(operation(row)(table.unpack(arguments)).requires_grad)
      end)
    else
      for k = is_condition(row, 1) and 2 or 1, row.arity do
        it(("has the gradient of argument %d, and the gradients of that"):format(k), function()
          local arguments = requiring(draws(row, BROADCAST), k)
          assert.is_true(wrun.gradcheck(operation(row), arguments))
          assert.is_true(wrun.gradgradcheck(operation(row), arguments))
        end)
      end

      it("has all its gradients at once", function()
        local arguments = requiring(draws(row, BROADCAST))
        assert.is_true(wrun.gradcheck(operation(row), arguments))
        assert.is_true(wrun.gradgradcheck(operation(row), arguments))
      end)

      -- The two evaluate one formula, in vectors of their own width where it calls the C library;
      -- sums lose digits where their terms cancel.
      it("has the same gradient fused and recorded", function()
        for _, dtype in ipairs(FLOATS) do
          local arguments = requiring(draws(row, BROADCAST, dtype))
          local leaves = {}
          for _, x in ipairs(arguments) do
            leaves[#leaves + 1] = x.requires_grad and x or nil
          end
          local function gradients(create_graph)
            local y = operation(row)(table.unpack(arguments))
            return table.pack(wrun.autograd.grad(y, leaves, {
              grad_outputs = wrun.linspace(-1, 2, y:numel(), { dtype = dtype }):reshape(y.shape),
              create_graph = create_graph,
              allow_unused = true,
            }))
          end
          local fused, recorded = gradients(false), gradients(true)
          for i = 1, #leaves do
            assert.equal(fused[i] == nil, recorded[i] == nil)
            if fused[i] then
              near.lists(near.flat(fused[i]), near.flat(recorded[i]), SUM[dtype], dtype)
            end
          end
        end
      end)
    end
  end)
end
