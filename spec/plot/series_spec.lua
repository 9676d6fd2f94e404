--- The data that figures draw, and what they refuse.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local plot = wrun.plot

describe("plot.series", function()
  it("counts as histc does, each bin from its edge", function()
    local drawn = plot.Figure():histogram({ 0, 1, 1, 3, 0 / 0 }, { bins = 3 }).series[1]
    assert.same({ "0 1", "1 2", "2 1", "3 1" }, drawn.data)
    local density = plot.Figure():histogram({ 0, 1, 1, 3 }, { bins = 3, density = true }).series[1]
    assert.same({ "0 0.25", "1 0.5", "2 0.25", "3 0.25" }, density.data)
    local single = plot.Figure():histogram({ 2, 2 }, { bins = 1 }).series[1]
    assert.same({ "1.5 2", "2.5 2" }, single.data)
  end)

  it("leaves gaps where numbers are not finite, and takes tensors and lists", function()
    local x = wrun.tensor({ 1, 2, 3, 4 })
    assert.same({ "1 1 1 1", "2 NaN NaN NaN", "3 NaN NaN NaN", "4 0.5 0.5 0.5" },
      plot.Figure():line(x, { 1, 0 / 0, 1 / 0, wrun.tensor(0.5) }).series[1].data)
  end)

  it("says what it cannot draw", function()
    local figure = plot.Figure { log = "y" }
    local function assert_refused(text, kind, ...)
      assert.equal(text, refusal(figure[kind], figure, ...))
    end
    local wanted = "expected a list of numbers or a tensor of one dimension, got "
    assert_refused("line: argument 1: " .. wanted .. "nil", "line")
    assert_refused("line: argument 1: " .. wanted .. "a float32 tensor [2, 2]", "line",
      wrun.ones(2, 2))
    assert_refused("line: argument 1: " .. wanted .. "the string 'a' at 2", "line", { 1, "a" })
    assert_refused("line: argument 1: expected at least one finite number, got an empty list",
      "line", {})
    assert_refused("line: argument 1: expected at least one finite number, got 2 of which none is",
      "line", { 0 / 0, 1 / 0 })
    assert_refused("line: argument 2: expected 2 numbers, as many as the others, got 3", "line",
      { 1, 2 }, { 1, 2, 3 })
    assert_refused("line: argument 2: expected numbers above 0 on a logarithmic axis, got 0 at 2",
      "line", { 1, 2 }, { 1, 0 })
    assert_refused("line: option high: expected a list beside low, got nil", "line", { 1 },
      { low = { 1 } })
    assert_refused("line: option colour: unknown; the options are high, label, low", "line", { 1 },
      { colour = "red" })
    assert_refused("bars: argument 1: expected a list of names, got 3", "bars", 3, { 1 })
    assert_refused("heatmap: argument 1: expected a matrix [rows, columns] with elements, got "
      .. "a float32 tensor [0, 2]", "heatmap", wrun.ones(0, 2))
    assert_refused("heatmap: argument 1: expected at least one finite number, got 4 of which none "
      .. "is", "heatmap", wrun.full({ 2, 2 }, 0 / 0))
    assert_refused("heatmap: option range: expected { low, high }, got {2, 1}", "heatmap",
      wrun.ones(2, 2), { range = { 2, 1 } })
    figure:bars({ "a", "b" }, { 1, 2 })
    assert_refused("bars: argument 1: expected b at 2, as in the bars before, got c", "bars",
      { "a", "c" }, { 1, 2 })
  end)
end)
