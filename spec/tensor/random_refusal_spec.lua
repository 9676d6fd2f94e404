--- What generators and drawing functions refuse, and in which words.
---
--- random_spec has what they draw.

local refusal = require("spec.support.refusal")
local wrun = require("wrun")

describe("a generator", function()
  local generator = wrun.Generator({ seed = 1 })

  it("refuses engines and seeds that there are not", function()
    assert.equal("Generator: option engine: expected mt19937 or philox, got the string 'xorshift'",
      refusal(wrun.Generator, { engine = "xorshift" }))
    assert.equal("Generator: option engine: expected mt19937 or philox, got 5",
      refusal(wrun.Generator, { engine = 5 }))
    assert.equal("Generator: option seed: expected a whole number, got 1.5",
      refusal(wrun.Generator, { seed = 1.5 }))
    assert.equal("Generator: option seed: expected a whole number, got the string '1'",
      refusal(wrun.Generator, { engine = "philox", seed = "1" }))
    assert.equal("Generator: option seeds: unknown; the options are engine, seed",
      refusal(wrun.Generator, { seeds = 1 }))
    assert.equal("Generator: argument 1: expected a table of options, got 5",
      refusal(wrun.Generator, 5))
    assert.equal("manual_seed: argument 1: expected a whole number as seed, got nil",
      refusal(wrun.manual_seed))
    assert.equal("manual_seed: argument 2: expected a whole number as seed, got 0.5",
      refusal(generator.manual_seed, generator, 0.5))
  end)

  it("is needed by its methods", function()
    for _, name in ipairs({ "manual_seed", "initial_seed", "seed", "get_state", "set_state" }) do
      assert.equal(("%s: argument 1: expected a generator, got a table; write generator:%s(), not "
        .. "generator.%s()"):format(name, name, name), refusal(generator[name], {}))
    end
    assert.equal("tostring: argument 1: expected a generator, got 5",
      refusal(getmetatable(generator).__tostring, 5))
  end)

  it("says what it is", function()
    assert.equal("Generator(engine=mt19937, seed=1)", tostring(generator))
    assert.equal("Generator(engine=philox, seed=-2)",
      tostring(wrun.Generator({ engine = "philox", seed = -2 })))
  end)

  it("refuses states that are none, and keeps its own", function()
    local state = generator:get_state()
    local want = wrun.rand(3, { generator = generator }):tolist()
    generator:set_state(state)
    assert.matches("^set_state: argument 2: expected a uint8 tensor from get_state, got nothing$",
      refusal(generator.set_state, generator))
    for _, wrong in ipairs({ state:long(), state:narrow(1, 1, 10), state[1]:expand(#state) }) do
      assert.matches("^set_state: argument 2: expected a uint8 tensor from get_state, got an? ",
        refusal(generator.set_state, generator, wrong))
    end
    local broken = wrun.full_like(state, 255)
    assert.matches("^set_state: argument 2: ", refusal(generator.set_state, generator, broken))
    assert.same(want, wrun.rand(3, { generator = generator }):tolist())
  end)

  it("is what the option generator takes", function()
    local x = wrun.zeros(2)
    for name, call in pairs({
      rand = function(options) return wrun.rand(2, options) end,
      randn = function(options) return wrun.randn(2, options) end,
      randint = function(options) return wrun.randint(0, 5, { 2 }, options) end,
      randperm = function(options) return wrun.randperm(5, options) end,
      bernoulli = function(options) return wrun.bernoulli(x, options) end,
      multinomial = function(options) return wrun.multinomial(wrun.ones(2), 1, true, options) end,
      uniform_ = function(options) return x:uniform_(0, 1, options) end,
      normal_ = function(options) return x:normal_(0, 1, options) end,
      bernoulli_ = function(options) return x:bernoulli_(0.5, options) end,
      exponential_ = function(options) return x:exponential_(1, options) end,
      random_ = function(options) return x:random_(0, 5, options) end,
    }) do
      assert.equal(name .. ": option generator: expected a generator, got 5",
        refusal(call, { generator = 5 }))
      assert.matches("^" .. name .. ": option seed: unknown; the options are .*generator$",
        refusal(call, { seed = 5 }))
    end
    assert.same({ 0, 0 }, x:tolist())
  end)
end)

describe("drawing in place", function()
  local x = wrun.zeros(2)
  local whole = wrun.zeros(2, { dtype = "int64" })

  it("refuses bounds and rates that make no distribution", function()
    local inf, nan = math.huge, 0 / 0
    assert.equal("uniform_: expected finite bounds, the lower one first, got 2.0 and 1.0",
      refusal(wrun.uniform_, x, 2, 1))
    assert.equal("uniform_: expected finite bounds, the lower one first, got 0.0 and inf",
      refusal(wrun.uniform_, x, 0, inf))
    assert.matches("^uniform_: expected finite bounds, the lower one first, got %-?nan and 1.0$",
      refusal(wrun.uniform_, x, nan, 1))
    assert.equal("normal_: argument 3: expected a standard deviation >= 0, got -1.0",
      refusal(wrun.normal_, x, 0, -1))
    assert.matches("^normal_: argument 3: expected a standard deviation >= 0, got %-?nan$",
      refusal(wrun.normal_, x, 0, nan))
    assert.equal("exponential_: argument 2: expected a rate > 0, got 0.0",
      refusal(wrun.exponential_, x, 0))
    for _, p in ipairs({ -0.5, 1.5 }) do
      assert.equal("bernoulli_: argument 2: expected a probability from 0 to 1, got " .. p,
        refusal(wrun.bernoulli_, x, p))
    end
    assert.equal("random_: expected bounds with low < high, got 5 and 5",
      refusal(wrun.random_, x, 5, 5))
    assert.equal("random_: expected bounds with low < high, got 0 and -1",
      refusal(wrun.random_, x, -1))
  end)

  it("refuses arguments of the wrong kind", function()
    assert.equal("uniform_: argument 2: expected a number, got the string '0'",
      refusal(wrun.uniform_, x, "0"))
    assert.equal("normal_: argument 3: expected a number, got true",
      refusal(wrun.normal_, x, 0, true))
    assert.equal("exponential_: argument 2: expected a number, got a table",
      refusal(wrun.exponential_, x, {}))
    assert.equal("bernoulli_: argument 2: expected a float32 or float64 tensor, "
      .. "got an int64 tensor [2]", refusal(wrun.bernoulli_, x, whole))
    assert.equal("bernoulli_: argument 2: expected a number, got a table",
      refusal(wrun.bernoulli_, x, {}))
    assert.equal("random_: argument 2: expected a whole number, got 0.5",
      refusal(wrun.random_, x, 0.5, 3))
    assert.equal("random_: argument 3: expected a whole number, got 2.5",
      refusal(wrun.random_, x, 0, 2.5))
    for _, name in ipairs({ "uniform_", "normal_", "exponential_", "bernoulli_", "random_" }) do
      assert.equal(name .. ": argument 1: expected a tensor, got 5", refusal(wrun[name], 5))
    end
    for _, name in ipairs({ "uniform_", "normal_", "exponential_" }) do
      assert.equal(name .. ": argument 1: expected a float32 or float64 tensor, "
        .. "got an int64 tensor [2]", refusal(wrun[name], whole))
    end
  end)
end)

describe("drawing anew", function()
  it("refuses what it cannot draw", function()
    assert.equal("rand: option dtype: expected float32 or float64, got int64",
      refusal(wrun.rand, 2, { dtype = "int64" }))
    assert.equal("randn: a size is negative: [-1]", refusal(wrun.randn, -1))
    assert.equal("randint: expected bounds with low < high, got 3 and 3",
      refusal(wrun.randint, 3, 3, { 2 }))
    assert.equal("randint: argument 2: expected a table of sizes, got nothing",
      refusal(wrun.randint, 5))
    assert.equal("randint: argument 1: expected a whole number, got the string '5'",
      refusal(wrun.randint, "5", { 2 }))
    assert.equal("randint: argument 1: expected a whole number, got 0.5",
      refusal(wrun.randint, 0.5, 5, { 2 }))
    assert.equal("randint: option requires_grad: only float32 and float64 tensors have gradients, "
      .. "got int64", refusal(wrun.randint, 5, { 2 }, { requires_grad = true }))
    assert.equal("randperm: argument 1: expected 0 to 214748363 elements, got -1",
      refusal(wrun.randperm, -1))
    assert.equal("randperm: argument 1: expected 0 to 214748363 elements, got 214748364",
      refusal(wrun.randperm, 214748364))
    assert.equal("randperm: argument 1: expected a number of elements, got 2.5",
      refusal(wrun.randperm, 2.5))
  end)

  it("refuses probabilities and weights that are none, and says where", function()
    assert.equal("bernoulli: argument 1: expected probabilities from 0 to 1, got 1.5 at index 3",
      refusal(wrun.bernoulli, wrun.tensor({ 0.5, 1, 1.5 })))
    assert.equal("bernoulli: argument 1: expected a float32 or float64 tensor, "
      .. "got an int64 tensor [1]", refusal(wrun.bernoulli, wrun.tensor({ 1 })))
    assert.equal("bernoulli: argument 1: expected a tensor, got 0.5", refusal(wrun.bernoulli, 0.5))
    assert.equal("multinomial: argument 1: expected finite weights >= 0, got -1.0 at index 2",
      refusal(wrun.multinomial, wrun.tensor({ 1.0, -1 }), 1))
    assert.equal("multinomial: argument 1: expected finite weights >= 0, got inf at index 4",
      refusal(wrun.multinomial, wrun.tensor({ { 1, 2 }, { 3, math.huge } }), 1))
    assert.equal("multinomial: argument 1: expected weights [n] or [rows, n], "
      .. "got a float32 tensor []", refusal(wrun.multinomial, wrun.tensor(0.5), 1))
    assert.equal("multinomial: argument 1: expected weights [n] or [rows, n], "
      .. "got a float32 tensor [2, 0]", refusal(wrun.multinomial, wrun.zeros(2, 0), 1))
    assert.equal("multinomial: argument 2: expected a number of samples, got nothing",
      refusal(wrun.multinomial, wrun.ones(2)))
  end)

  it("refuses more samples than there are weights to draw", function()
    local text = "multinomial: argument 2: expected 1 to %d samples for row %d, "
      .. "which has that many nonzero weights, got %d"
    assert.equal(text:format(2, 1, 3), refusal(wrun.multinomial, wrun.tensor({ 1.0, 0, 2 }), 3))
    local rows = wrun.tensor({ { 1.0, 1 }, { 0, 1 } })
    assert.equal(text:format(1, 2, 2), refusal(wrun.multinomial, rows, 2))
    assert.equal(text:format(0, 1, 1), refusal(wrun.multinomial, wrun.zeros(2), 1, true))
    assert.equal("multinomial: argument 2: expected at least 1 sample, got 0",
      refusal(wrun.multinomial, wrun.ones(2), 0, true))
    assert.same({ 5 }, wrun.multinomial(wrun.ones(2), 5, true).shape)
  end)
end)

describe("a law", function()
  it("refuses parameters that make none", function()
    local x = wrun.zeros(3)
    assert.equal("cauchy_: argument 3: expected a scale > 0, got 0.0",
      refusal(x.cauchy_, x, 0, 0))
    assert.equal("log_normal_: argument 3: expected a standard deviation > 0, got -1.0",
      refusal(x.log_normal_, x, 0, -1))
    for _, p in ipairs({ 0, 1, -0.5 }) do
      assert.equal(("geometric_: argument 2: expected a probability above 0 and below 1, got %.1f")
        :format(p), refusal(x.geometric_, x, p))
    end
    assert.equal("geometric_: argument 2: expected a probability, got nil",
      refusal(x.geometric_, x))
    assert.equal("cauchy_: argument 1: expected a float32 or float64 tensor, "
      .. "got an int64 tensor [3]", refusal(x.cauchy_, x:long()))
    assert.equal("log_normal_: argument 2: expected a number, got the string '1'",
      refusal(x.log_normal_, x, "1"))
    assert.equal("poisson: argument 1: expected finite rates >= 0, got -1.0 at index 2",
      refusal(wrun.poisson, wrun.tensor({ 1.0, -1.0 })))
    assert.equal("poisson: argument 1: expected finite rates >= 0, got inf at index 1",
      refusal(wrun.poisson, wrun.tensor({ math.huge })))
    assert.equal("bernoulli_: argument 2: expected probabilities from 0 to 1, got 1.5 at index 1",
      refusal(x.bernoulli_, x, wrun.tensor({ 1.5 })))
    assert.equal("bernoulli_: argument 2: expected a shape that broadcasts to [3], got [2]",
      refusal(x.bernoulli_, x, wrun.zeros(2)))
    assert.same({ 0, 0, 0 }, x:tolist())
  end)

  it("of normals with moments of their own refuses what is none", function()
    assert.equal("normal: argument 1: expected a float32 or float64 tensor or a number, "
      .. "got an int64 tensor [1]", refusal(wrun.normal, wrun.tensor({ 1 }), 1))
    assert.equal("normal: argument 2: expected a float32 or float64 tensor or a number, got nil",
      refusal(wrun.normal, 1))
    assert.equal("normal: argument 2: expected standard deviations >= 0, got -1",
      refusal(wrun.normal, 0, -1, { 2 }))
    assert.equal("normal: argument 2: expected standard deviations >= 0, got a float32 tensor [2]",
      refusal(wrun.normal, 0, wrun.tensor({ 1.0, -1.0 })))
    assert.equal("normal: argument 3: expected a table of sizes, got 2",
      refusal(wrun.normal, 0, 1, 2))
    assert.equal("normal: option dtype: unknown; the options are generator",
      refusal(wrun.normal, wrun.zeros(2), 1, { dtype = "float64" }))
    assert.equal("randint_like: argument 1: expected a tensor, got 5",
      refusal(wrun.randint_like, 5, 2))
    assert.equal("randint_like: randint: expected bounds with low < high, got 0 and 0",
      refusal(wrun.randint_like, wrun.zeros(2), 0))
  end)
end)
