--- Transforms of batches: their values by formula, their draws, and how they print.

local data = require "wrun.data"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local t = data.transforms

local function bytes(...)
  return wrun.tensor({ ... }):byte()
end

describe("data.transforms.scale", function()
  it("multiplies, in float32 or float64", function()
    local x = t.scale(1 / 4)(bytes(0, 2, 255))
    assert.equal("float32", x.dtype)
    assert.same({ 0, 0.5, 63.75 }, x:tolist())
    assert.equal("float64", t.scale(2)(wrun.zeros(1, { dtype = "float64" })).dtype)
    assert.equal("float32", t.scale(2)(wrun.tensor({ true })).dtype)
  end)

  it("refuses what is no number, or no tensor", function()
    assert.equal("scale: argument 1: expected a number, got nil", refusal(t.scale))
    assert.equal("scale: argument 1: expected a tensor, got 3", refusal(t.scale(2), 3))
  end)
end)

describe("data.transforms.normalize", function()
  it("subtracts the mean and divides by the deviation", function()
    near.lists({ -1.0, 0.0, 3.0 }, near.flat(t.normalize(2, 4)(wrun.tensor({ -2, 2, 14 }))))
  end)

  it("does so for every column, or every channel of images", function()
    local x = wrun.tensor({ { 1, 10 }, { 3, 30 } })
    assert.same({ { -1, -1 }, { 1, 1 } }, t.normalize({ 2, 20 }, { 1, 10 })(x):tolist())
    local images = wrun.ones(2, 3, 4, 5)
    local y = t.normalize({ 0, 1, 2 }, wrun.tensor({ 1, 2, 4 }))(images)
    assert.same({ 2, 3, 4, 5 }, y.shape)
    for channel, value in ipairs { 1, 0, -0.25 } do
      assert.is_true(y:select(2, channel):eq(value):all():item())
    end
    assert.equal("float64", t.normalize({ 1 }, 2)(wrun.zeros(3, 1, { dtype = "float64" })).dtype)
  end)

  it("refuses a deviation of 0 and what are no numbers", function()
    assert.equal("normalize: argument 2: expected no deviation of 0", refusal(t.normalize, 0, 0))
    assert.equal("normalize: argument 2: expected no deviation of 0",
      refusal(t.normalize, 0, { 1, 0 }))
    local expected = "normalize: argument %d: expected a number or a list of numbers, got "
    assert.equal(expected:format(1) .. "the string 'x'", refusal(t.normalize, "x", 1))
    assert.equal(expected:format(2) .. "nil", refusal(t.normalize, 1))
  end)
end)

describe("data.transforms.flatten", function()
  it("makes a row of every sample", function()
    assert.same({ 2, 12 }, t.flatten()(wrun.zeros(2, 3, 4)).shape)
    assert.same({ 2, 3 }, t.flatten()(wrun.zeros(2, 3)).shape)
    assert.same({ 2, 1 }, t.flatten()(wrun.zeros(2)).shape)
  end)
end)

describe("data.transforms.one_hot", function()
  it("puts a 1 at the place of the class", function()
    assert.same({ { 0, 0, 1 }, { 1, 0, 0 } }, t.one_hot(3)(wrun.tensor({ 3, 1 })):tolist())
    assert.same({ { { 1 } } }, t.one_hot(1)(wrun.tensor({ { 1 } })):tolist())
    assert.same({ 0, 3 }, t.one_hot(3)(wrun.zeros(0, { dtype = "int64" })).shape)
  end)

  it("refuses classes that are none", function()
    local expected = "one_hot: argument 1: expected "
    assert.matches(expected .. "indices from 1 to 3, got 0", refusal(t.one_hot(3),
      wrun.tensor({ 0, 1 })), 1, true)
    assert.matches(expected .. "indices from 1 to 3, got 4", refusal(t.one_hot(3),
      wrun.tensor({ 1, 4 })), 1, true)
    assert.equal(expected .. "an int64 tensor of indices, got a float32 tensor [1]",
      refusal(t.one_hot(3), wrun.tensor({ 1.5 })))
    assert.equal("one_hot: argument 1: expected an integer >= 1, got 0", refusal(t.one_hot, 0))
  end)
end)

describe("data.transforms.add_noise", function()
  it("adds the normal numbers that the generator has", function()
    local x = wrun.arange(20):float()
    local noisy = t.add_noise(0.5, { generator = wrun.Generator({ seed = 3 }) })(x)
    local expected = x + wrun.randn(20, { generator = wrun.Generator({ seed = 3 }) }) * 0.5
    assert.is_true(wrun.equal(expected, noisy))
    wrun.manual_seed(3)
    assert.is_true(wrun.equal(expected, t.add_noise(0.5)(x)))
    assert.same({ 1 }, t.add_noise(0)(bytes(1)):tolist())
    assert.equal("add_noise: argument 1: expected a number >= 0, got -1", refusal(t.add_noise, -1))
  end)
end)

describe("data.transforms.binarize", function()
  it("compares with a threshold", function()
    assert.same({ 0, 0, 1 }, t.binarize()(wrun.tensor({ 0.2, 0.5, 0.6 })):tolist())
    assert.same({ 0, 1, 1 }, t.binarize({ threshold = 99 })(bytes(99, 100, 255)):tolist())
  end)

  it("draws with the probability that the value is", function()
    local p = wrun.rand(1000)
    local drawn = t.binarize({ stochastic = true, generator = wrun.Generator({ seed = 3 }) })(p)
    assert.is_true(wrun.equal(p:bernoulli({ generator = wrun.Generator({ seed = 3 }) }), drawn))
    assert.equal("binarize: option threshold: expected a number, got the string 'x'",
      refusal(t.binarize, { threshold = "x" }))
  end)
end)

describe("data.transforms.compose", function()
  it("applies one after the other, and nothing when there is nothing", function()
    local x = wrun.tensor({ 0.0, 255 })
    local both = t.compose { t.scale(1 / 255), t.normalize(0.5, 0.5), function(y)
      return y + 1
    end }
    near.lists({ 0.0, 2.0 }, near.flat(both(x)), { ulp = 1 }, "float32")
    assert.equal(x, t.compose({})(x))
    local text = "compose { scale(" .. 1 / 255 .. "), normalize(0.5, 0.5), lambda }"
    assert.equal(text, tostring(both))
  end)

  it("refuses what is no transform", function()
    assert.equal("compose: argument 1: expected a list of transforms, got 3 as number 2",
      refusal(t.compose, { t.scale(1), 3 }))
    assert.equal("compose: argument 1: expected a table, got nil", refusal(t.compose))
  end)
end)

describe("a transform", function()
  it("prints as what made it", function()
    for text, transform in pairs {
      ["normalize({0.5, 1.0}, 2)"] = t.normalize({ 0.5, 1 }, 2),
      ["one_hot(3)"] = t.one_hot(3),
      ["flatten()"] = t.flatten(),
      ["add_noise(0.5)"] = t.add_noise(0.5),
      ["binarize { threshold = 0.5 }"] = t.binarize(),
      ["binarize { stochastic = true }"] = t.binarize({ stochastic = true }),
      ["lambda"] = t.lambda(print),
      ["mine"] = t.lambda(print, "mine"),
    } do
      assert.equal(text, tostring(transform))
    end
  end)

  it("of a function of yours needs a function", function()
    assert.equal(4, t.lambda(function(x)
      return x * 2
    end)(wrun.tensor({ 2 })):item())
    assert.equal("lambda: argument 1: expected a function, got 3", refusal(t.lambda, 3))
    assert.equal("lambda: argument 2: expected a string, got 3", refusal(t.lambda, print, 3))
  end)
end)
