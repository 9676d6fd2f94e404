--- Metrics beside what scikit-learn 1.x's definitions give by hand, and beside counting.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local metrics = wrun.metrics

require "wrun.testing"

describe("metrics", function()
  local y = wrun.tensor { 1, 1, 2, 3, 3, 3 }
  local guess = wrun.tensor { 1, 2, 2, 3, 3, 1 }
  local scores = wrun.tensor {
    { 3.0, 2, 1 }, { 2, 3, 1 }, { 1, 3, 2 }, { 1, 2, 3 }, { 2, 1, 3 }, { 3, 1, 2 },
  }

  it("accuracy counts what is right", function()
    assert.equal(4 / 6, metrics.accuracy(guess, y))
    assert.equal(4 / 6, metrics.accuracy(scores, y))
  end)

  it("top_k counts classes among the largest scores", function()
    assert.equal(metrics.accuracy(scores, y), metrics.top_k(scores, y, 1))
    assert.equal(1, metrics.top_k(scores, y, 2))
    assert.equal(0, metrics.top_k(scores, wrun.tensor { 3, 3, 1, 1, 2, 2 }, 1))
  end)

  it("mean weighs", function()
    local mean = metrics.mean()
    assert.is_true(mean:value() ~= mean:value())
    mean:add(wrun.full({ 1 }, 2), 3)
    mean:add(6)
    assert.equal(3, mean:value())
    assert.equal("Mean(3.0 of 4)", tostring(mean))
  end)

  it("confusion counts by class and guess, batch by batch", function()
    local confusion = metrics.confusion { "a", "b", "c" }
    confusion:add(scores:narrow(1, 1, 2), y:narrow(1, 1, 2))
    confusion:add(guess:narrow(1, 3, 4), y:narrow(1, 3, 4))
    assert.same({ { 1, 1, 0 }, { 0, 1, 0 }, { 1, 0, 2 } }, confusion.counts:tolist())
    assert.equal(4 / 6, confusion:accuracy())
    assert.tensor_near(wrun.tensor { 1 / 2, 1 / 2, 1 }:double(), confusion:precision())
    assert.tensor_near(wrun.tensor { 1 / 2, 1, 2 / 3 }:double(), confusion:recall())
    local f1, mean = confusion:f1() -- 2 p r / (p + r)
    assert.tensor_near(wrun.tensor { 1 / 2, 2 / 3, 4 / 5 }:double(), f1)
    assert.near((1 / 2 + 2 / 3 + 4 / 5) / 3, mean, 1e-7)
    assert.equal("Confusion(6 samples, accuracy 0.6667)\n           a  1 1 0\n           b  0 1 0\n"
      .. "           c  1 0 2", tostring(confusion))
    assert.equal(1, #confusion:figure().series)
  end)

  it("f1 of a class that is nowhere is 0", function()
    local confusion = metrics.confusion(3)
    confusion:add(wrun.tensor { 1, 2 }, wrun.tensor { 1, 2 })
    assert.same({ 1, 1, 0 }, confusion:f1():tolist())
  end)

  it("calibration says how far sureness is from being right", function()
    local p = wrun.tensor { { 0.9, 0.1 }, { 0.78, 0.22 }, { 0.58, 0.42 }, { 0.45, 0.55 } }
    local found = metrics.calibration(p, wrun.tensor { 1, 2, 1, 2 }, { bins = 2 })
    assert.near(math.abs((0.9 + 0.78 + 0.58 + 0.55) / 4 - 3 / 4), found.error, 1e-7)
    assert.same({ 0, 4 }, found.count:tolist())
    found = metrics.calibration(p, wrun.tensor { 1, 2, 1, 2 }, { bins = 5 })
    -- (0.4, 0.6]: 0.58 and 0.55, both right; (0.6, 0.8]: 0.78, wrong; (0.8, 1]: 0.9, right
    assert.near((0.87 + 0.78 + 0.1) / 4, found.error, 1e-6)
  end)

  it("over_seeds puts runs together", function()
    wrun.manual_seed(99)
    local after = wrun.fork_rng(wrun.randn, 2)
    local found = metrics.over_seeds({ 3, 4, 5 }, function(seed)
      return { seed, wrun.initial_seed() * 2.0 }
    end)
    assert.same({ { 3, 6 }, { 4, 8 }, { 5, 10 } }, found.values:tolist())
    assert.same({ 4, 8 }, found.mean:tolist())
    assert.same({ 1, 2 }, found.deviation:tolist())
    assert.same({ 3, 6 }, found.low:tolist())
    assert.same({ 5, 10 }, found.high:tolist())
    assert.same_bits(after, wrun.randn(2))
    local one = metrics.over_seeds(1, function() return 7 end)
    assert.same({ 0 }, one.deviation:tolist())
  end)

  it("refuse what does not belong together", function()
    for text, wrong in pairs {
      ["accuracy: argument 1: expected scores [samples, classes] or guesses [samples], got []"] =
        function() metrics.accuracy(wrun.ones(1)[1], y) end,
      ["accuracy: argument 2: expected 6 classes, integers, got"] =
        function() metrics.accuracy(scores, y:double()) end,
      ["accuracy: argument 2: expected one sample or more, got none"] =
        function() metrics.accuracy(wrun.zeros(0, 3), wrun.zeros(0):long()) end,
      ["top_k: argument 1: expected scores [samples, classes], got [6]"] =
        function() metrics.top_k(guess, y, 1) end,
      ["top_k: argument 3: expected an integer from 1 to 3, got 4"] =
        function() metrics.top_k(scores, y, 4) end,
      ["add: argument 2: expected classes from 1 to 2, got 3"] =
        function() metrics.confusion(2):add(wrun.tensor { 1 }, wrun.tensor { 3 }) end,
      ["confusion: argument 1: expected a number of classes or a list of their names, got 0"] =
        function() metrics.confusion(0) end,
      ["calibration: argument 1: expected probabilities from 0 to 1, got 3"] =
        function() metrics.calibration(scores, y) end,
      ["over_seeds: seed 2: expected a number, a list of numbers or a tensor of 1, as of the"] =
        function() metrics.over_seeds(2, function(seed) return wrun.ones(seed) end) end,
      ["over_seeds: seed 1: expected a number, a list of numbers or a tensor, got nil"] =
        function() metrics.over_seeds(2, function() end) end,
    } do
      local message = refusal(wrong)
      assert.is_truthy(message:find(text, 1, true), message)
    end
  end)
end)
