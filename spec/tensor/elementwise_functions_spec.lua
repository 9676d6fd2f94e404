--- Functions made of elementwise rows, and rows with settings: values and gradients beside
--- PyTorch's, what they refuse, and forms that PyTorch has no words for.

local FORMULAS = require "spec.support.formulas"
local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local INF = math.huge

local x = wrun.tensor({ -2.0, 0.5, 3.0 })

local FUNCTIONS = setmetatable({ gradients = cases.SUMS }, { __index = cases.ELEMENTWISE })

describe("fixtures of elementwise_functions #many", function()
  for claim, check in cases.each(require "spec.fixtures.elementwise_functions", FUNCTIONS) do
    it(claim, check)
  end
end)

describe("clamp", function()
  it("takes bounds by name, one or both", function()
    assert.same({ -1.0, 0.5, 1.0 }, x:clamp({ min = -1, max = 1 }):tolist())
    assert.same({ -1.0, 0.5, 3.0 }, x:clamp({ min = -1 }):tolist())
    assert.same({ -2.0, 0.5, 1.0 }, x:clone():clamp_({ max = 1 }):tolist())
    assert.same({ -1, 5 }, wrun.tensor({ -4, 5 }):int():clamp(-1):tolist())
  end)

  it("refuses other names, and no bound", function()
    assert.equal("clamp: option low: unknown; the options are min, max",
      refusal(wrun.clamp, x, { low = 1 }))
    assert.equal("clamp: argument 2: expected a bound here or in argument 3, got nil",
      refusal(wrun.clamp, x, {}))
    assert.equal("clamp_min_: argument 2: expected a bound here or in argument 3, got nil",
      refusal(wrun.clamp_min_, x))
    assert.equal("clamp_max: argument 2: expected a bound here or in argument 3, got nil",
      refusal(wrun.clamp_max, x))
  end)
end)

describe("nan_to_num", function()
  it("leaves integers as they are, and gives a tensor of its own", function()
    local whole = wrun.tensor({ 1, 2 })
    local y = whole:nan_to_num(7)
    assert.same({ 1, 2 }, y:tolist())
    y[1] = 5
    assert.equal(1, whole[1]:item())
  end)

  it("keeps the infinities apart from the largest numbers, in values and gradients", function()
    for dtype, most in pairs { float32 = 0x1.fffffep127, float64 = 0x1.fffffffffffffp1023 } do
      local special = wrun.tensor({ 0 / 0, INF, -INF, most, -most, 2 }, { dtype = dtype })
      assert.same({ 0, most, -most, most, -most, 2 }, special:nan_to_num():tolist())
      assert.same({ 7, 8, -most, most, -most, 2 }, special:nan_to_num(7, 8):tolist())
      assert.same({ 0, most, 9, most, -most, 2 }, special:nan_to_num(nil, nil, 9):tolist())
      assert.same({ INF, -INF, INF, most, -most, 2 }, special:nan_to_num(INF, -INF, INF):tolist())
      local leaf = special:requires_grad_()
      leaf:nan_to_num(7, 8):sum():backward()
      assert.same({ 0, 0, 0, 1, 1, 1 }, leaf.grad:tolist())
    end
  end)

  it("refuses what is no number", function()
    assert.equal("nan_to_num: argument 1: expected a tensor, got 1", refusal(wrun.nan_to_num, 1))
    assert.equal("nan_to_num: argument 3: expected a number, got the string 'inf'",
      refusal(wrun.nan_to_num, x, 0, "inf"))
    assert.equal("nan_to_num_: argument 2: expected a number, got true",
      refusal(wrun.nan_to_num_, x, true))
  end)
end)

describe("addcmul and addcdiv", function()
  it("refuse a value that is no number, other options, and missing factors", function()
    for _, name in ipairs({ "addcmul", "addcmul_", "addcdiv", "addcdiv_" }) do
      assert.equal(name .. ": option value: expected a number, got the string 'x'",
        refusal(wrun[name], x, x, x, { value = "x" }))
      assert.equal(name .. ": option alpha: unknown; the options are value",
        refusal(wrun[name], x, x, x, { alpha = 1 }))
      assert.equal(name .. ": argument 3: expected a tensor or a number, got nil",
        refusal(wrun[name], x, x))
    end
  end)

  it("keep integers whole", function()
    local whole = wrun.tensor({ 1, 2 })
    assert.same({ 3, 10 }, whole:addcmul(whole, whole, { value = 2 }):tolist())
    assert.equal("int64", whole:addcmul(whole, whole, { value = 2 }).dtype)
  end)
end)

describe("fmod", function()
  it("refuses to divide integers by zero", function()
    assert.equal("fmod: argument 2: expected no zero, since integers are divided",
      refusal(wrun.fmod, wrun.tensor({ 1, 2 }), 0))
  end)
end)

describe("fmod, remainder and floor_divide", function()
  -- Near quotients are computed in vectors, blocks with others by the C library: the same bits.
  it("are exact for near and far quotients, among others or alone", function()
    local generator = wrun.Generator():manual_seed(5)
    local function spread(span, dtype)
      local options = { dtype = dtype, generator = generator }
      return wrun.randn(512, options) * (wrun.randn(512, options) * span):exp2()
    end
    for _, dtype in ipairs({ "float32", "float64" }) do
      for _, span in ipairs({ 0.5, 4, 15 }) do
        local a, b = spread(span, dtype), spread(span, dtype)
        a[{ { 1, 100 } }] = b[{ { 1, 100 } }] * 7 -- whole quotients, or nearly
        local got, as, bs = a:fmod(b):tolist(), a:tolist(), b:tolist()
        local quotients, remainders = a // b, a % b
        for i, r in ipairs(got) do
          assert.equal(math.fmod(as[i], bs[i]), r)
          local one, other = a[{ { i, i } }], b[{ { i, i } }]
          assert.equal((one // other):item(), quotients[i]:item())
          assert.equal((one % other):item(), remainders[i]:item())
        end
      end
    end
    assert.same({ "-0.0" }, { tostring(wrun.tensor({ -6.0 }):expand(16):fmod(3)[1]:item()) })
  end)
end)

describe("a logarithm", function()
  it("is whole at powers of its base, down to the smallest float", function()
    local twos, tens = {}, {}
    for n = -149, 127 do
      twos[#twos + 1] = 2.0 ^ n
    end
    for n = 0, 10 do
      tens[#tens + 1] = 10.0 ^ n
    end
    for i, y in ipairs(wrun.tensor(twos):log2():tolist()) do
      assert.equal(i - 150, y)
    end
    for i, y in ipairs(wrun.tensor(tens):log10():tolist()) do
      assert.equal(i - 1, y)
    end
  end)

  it("has -infinity at 0, infinity there, and NaN below", function()
    for _, name in ipairs { "log", "log2", "log10" } do
      local y = wrun[name](wrun.tensor { 0.0, -0.0, INF, -1.0, -INF, 0 / 0, -2.0 ^ -149 }):tolist()
      assert.same({ -INF, -INF, INF }, { table.unpack(y, 1, 3) })
      for i = 4, 7 do
        assert.is_true(y[i] ~= y[i])
      end
    end
    local y = wrun.log1p(wrun.tensor { -1.0, INF, -2.0 ^ -149, -0.0, -2.0, -INF, 0 / 0 }):tolist()
    assert.same({ -INF, INF, -2.0 ^ -149, -INF }, { y[1], y[2], y[3], 1 / y[4] })
    for i = 5, 7 do
      assert.is_true(y[i] ~= y[i])
    end
  end)
end)

describe("pow of floats", function()
  local EDGES = {
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, INF, -INF, 0 / 0, 1e-40, -1e-40,
    2.0 ^ -149, 0x1.fffffep127, -0x1.fffffep127, 8388607.5, 16777215.0, -16777215.0, 16777216.0,
    0x1.fffffep-1, 0x1.000002p0, -0x1.fffffep-1, -0x1.000002p0,
  }
  local HALF = 0.55 * 2.0 ^ -23 -- a rounding, and what it is computed from

  local function compare(a, b)
    local y, want = a:pow(b):tolist(), a:double():pow(b:double())
    local nearest = want:float():tolist()
    for i, wide in ipairs(want:tolist()) do
      local is_same = y[i] == nearest[i] and 1 / y[i] == 1 / nearest[i]
        or y[i] ~= y[i] and nearest[i] ~= nearest[i]
      local off = math.abs(y[i] - wide)
      assert.is_true(is_same or off <= math.max(math.abs(wide) * HALF, 0.55 * 2.0 ^ -149))
    end
  end

  it("is next to float64's at every edge", function()
    local edges = wrun.tensor(EDGES)
    compare(edges:repeat_interleave(#EDGES), edges:tile { #EDGES })
  end)

  it("is next to float64's over all magnitudes", function()
    wrun.manual_seed(3)
    local logarithm = wrun.empty(20000):uniform_(-149, 128)
    local a, t = wrun.exp2(logarithm), wrun.empty(20000):uniform_(-155, 130)
    compare(a, t / wrun.log2(a))
  end)
end)

describe("erfinv", function()
  local NEAR = 4e-16 -- of what is left of 1, and x moves by less

  it("finds its way back, from next to 0 to next to 1", function()
    for i = 2, 52 do
      local rest = 1.375 * 2.0 ^ -i
      local left = wrun.tensor(1 - rest, { dtype = "float64" }):erfinv()
      local small = wrun.tensor(rest, { dtype = "float64" }):erfinv()
      local tail = 1 + 2 * left:item() ^ 2 -- how much sharper the tail falls than x
      assert.is_true(math.abs(left:erfc():item() / (1 - (1 - rest)) - 1) <= NEAR * tail)
      assert.is_true(math.abs(small:erf():item() / rest - 1) <= NEAR)
    end
  end)
end)

describe("lgamma", function()
  -- blocks without negative numbers have a kernel of their own
  it("has the same bits beside any other number", function()
    wrun.manual_seed(5)
    local size = wrun.exp2(wrun.empty(1024):uniform_(-140, 120))
    local all = wrun.cat { size, wrun.empty(1024):uniform_(0, 5), wrun.tensor { 0, 1, 2, INF } }
    local mixed = wrun.stack({ all, wrun.full({ #all }, -2.5) }, 2):lgamma():select(2, 1)
    assert.same(all:lgamma():tolist(), mixed:tolist())
  end)

  it("is infinite at 0, below that at whole numbers, and at both infinities", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local poles = wrun.tensor({ 0.0, -0.0, -1.0, -2.0, -2.0 ^ 30, INF, -INF }, { dtype = dtype })
      assert.same({ INF, INF, INF, INF, INF, INF, INF }, poles:lgamma():tolist())
    end
  end)
end)

describe("polygamma", function()
  it("takes its number first or last", function()
    assert.same(wrun.polygamma(2, x:abs()):tolist(), x:abs():polygamma(2):tolist())
    assert.equal("polygamma: argument 1: expected a tensor, got 1", refusal(wrun.polygamma, 1, 2))
  end)

  -- blocks of orders 1 to 4 above 0 have a kernel of their own
  it("meets its formula over decades, with the same bits beside any other number", function()
    for dtype, rtol in pairs { float32 = 1e-7, float64 = 2e-14 } do
      for n = 0, 7 do
        for exponent = -6, 6 do
          local a = wrun.tensor({ 1.25 * 10.0 ^ exponent }, { dtype = dtype })
          local want, alone = FORMULAS.polygamma(a:item(), n), a:repeat_interleave(32):polygamma(n)
          if math.abs(want) < (dtype == "float32" and 3e38 or math.huge) then
            local least = dtype == "float32" and 2.0 ^ -149 or 0
            assert.near(want, alone[1]:item(), math.abs(want) * rtol + least)
          end
          for _, other in ipairs { -0.5, 0 / 0, 3.0 } do
            local mixed = wrun.cat({ a, wrun.full({ 31 }, other, { dtype = dtype }) })
            assert.equal(alone[1]:item(), mixed:polygamma(n)[1]:item())
          end
        end
      end
    end
  end)

  it("is infinite at 0 and 0 at infinity", function()
    for dtype in pairs { float32 = 1, float64 = 1 } do
      local ends = wrun.tensor({ 0.0, -0.0, math.huge }, { dtype = dtype }):repeat_interleave(16)
      for n = 1, 6 do
        local sign = n % 2 == 0 and -1 or 1
        local y = ends:polygamma(n)
        assert.same({ sign * math.huge, sign * math.huge, 0 },
          { y[1]:item(), y[17]:item(), math.abs(y[33]:item()) })
      end
    end
  end)
end)

describe("an activation with settings", function()
  it("has PyTorch's where none are given", function()
    local settings = {
      leaky_relu = { 0.01 }, elu = { 1 }, celu = { 1 }, softshrink = { 0.5 }, hardshrink = { 0.5 },
      hardtanh = { -1, 1 },
    }
    for name, values in pairs(settings) do
      assert.same(wrun[name](x, table.unpack(values)):tolist(), wrun[name](x):tolist())
      assert.same(wrun[name](x):tolist(), wrun[name .. "_"](x:clone()):tolist())
    end
  end)

  it("says so where it is documented", function()
    for name, text in pairs {
      leaky_relu = "b is 0.01 unless given.", hardtanh = "b is -1 and c is 1 unless given.",
    } do
      assert.matches(text, wrun.help(name):gsub("%s+", " "), 1, true)
    end
  end)

  it("refuses what it has not", function()
    assert.equal("elu: expected 2 arguments, got 3", refusal(wrun.elu, x, 1, 2))
    assert.equal("elu: argument 2: expected a tensor or a number, got the string 'a'",
      refusal(wrun.elu, x, "a"))
    assert.equal("threshold: argument 3: expected a tensor or a number, got nil",
      refusal(wrun.threshold, x, 1))
    assert.equal("gelu: argument 2: expected none or tanh, got the string 'erf'",
      refusal(wrun.gelu, x, "erf"))
    assert.equal("softplus: argument 2: expected a number > 0, got 0",
      refusal(wrun.softplus, x, 0))
    assert.equal("softplus: argument 3: expected a number, got the string 'a'",
      refusal(wrun.softplus, x, 1, "a"))
    assert.equal("softplus: argument 1: expected a tensor, got 3", refusal(wrun.softplus, 3, 1))
    assert.equal("prelu: argument 2: expected a weight [3] or [1], got [2]",
      refusal(wrun.prelu, wrun.zeros(2, 3), wrun.ones(2)))
    assert.equal("prelu: argument 2: expected a tensor, got 0.25", refusal(wrun.prelu, x, 0.25))
    assert.equal("glu: argument 1: expected an even size of dimension 2, got [2, 3]",
      refusal(wrun.glu, wrun.zeros(2, 3)))
    assert.equal("glu: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      refusal(wrun.glu, wrun.zeros(2, 4), 3))
  end)
end)
