--- Figures: pictures of gnuplot read back, the data that it gets, and what is refused.

local child = require "spec.support.child"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local plot = wrun.plot

-- Saves a figure or a grid, and returns what the file holds.
local function saved(drawn, ending)
  local text
  child.with_folder(function(folder)
    local path = folder .. "/picture." .. ending
    drawn:save(path)
    text = child.read(path)
  end)
  return text
end

-- [height, width] greys of a figure
local function picture(drawn)
  local result
  child.with_folder(function(folder)
    drawn:save(folder .. "/picture.png")
    result = wrun.image.load(folder .. "/picture.png")
  end)
  return result
end

local function one(...)
  return plot.Figure(...):line({ 1, 4, 9 })
end

describe("plot.Figure", function()
  it("is a picture of the size that was asked for", function()
    assert.same({ 300, 500 }, picture(one { width = 500, height = 300 }).shape)
    assert.same({ 420, 640 }, picture(one()).shape)
  end)

  it("is what the end of the file's name says", function()
    assert.equal("\137PNG\r\n\26\n", saved(one(), "png"):sub(1, 8))
    assert.truthy(saved(one(), "svg"):find("<svg", 1, true))
    assert.equal("%PDF-", saved(one(), "pdf"):sub(1, 5))
  end)

  it("draws every kind: more of the picture is ink than without it", function()
    local function ink(figure)
      return picture(figure):lt(250):sum():item()
    end
    local base = ink(plot.Figure { y_range = { 0, 4 } }:line({ 100, 100 }))
    local function add(kind, ...)
      local figure = plot.Figure { y_range = { 0, 4 } }
      return ink(figure[kind](figure, ...))
    end
    assert.is_true(add("line", { 1, 2, 3 }) > base + 300)
    assert.is_true(add("line", { 1, 2, 3 }, { low = { 0, 1, 2 }, high = { 2, 3, 4 } })
      > add("line", { 1, 2, 3 }) + 10000)
    assert.is_true(add("scatter", { 1, 2, 3 }, { 1, 2, 3 }, { size = 4 }) > base + 300)
    assert.is_true(add("histogram", { 1, 2, 2, 3 }, { bins = 3 }) > base + 10000)
    assert.is_true(add("bars", { "a", "b" }, { 1, 2 }) > base + 10000)
    assert.is_true(ink(plot.Figure():heatmap(wrun.randn(5, 8))) > base + 50000)
  end)

  it("is text for a terminal, of the size that was asked for", function()
    local text = one { title = "Squares" }:text { columns = 50, rows = 12 }
    assert.truthy(text:find("Squares", 1, true))
    assert.truthy(text:find("*", 1, true))
    for line in text:gmatch("[^\n]+") do
      assert.is_true(#line <= 50)
    end
    assert.truthy(one { log = "y" }:text():find("10 +", 1, true))
  end)

  it("is text also where it is colours: a letter for each element", function()
    local rows = {}
    local matrix = wrun.tensor({
      { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, { 8, 0 / 0, 8, 8, 8, 8, 8, 8, 99 },
    })
    local figure = plot.Figure():heatmap(matrix, { range = { 0, 8 } })
    for line in figure:text({ columns = 60, rows = 12 }):gmatch("[^\n]+") do
      local letters = line:match("^[ %d]+|(.*)|$")
      letters = letters and letters:gsub(" ", "")
      rows[#rows + 1] = letters and letters ~= "" and letters or nil
    end
    assert.same({ ".:-=+oxX@", "@@@@@@@@" }, rows)
    assert.truthy(plot.Figure():heatmap(wrun.ones(2, 2)):text():find("."))
  end)

  it("turns the names of bars where they find no room", function()
    local function is_turned(figure)
      return saved(figure, "svg"):find("rotate%(%-45") ~= nil
    end
    assert.is_false(is_turned(plot.Figure():bars({ "He", "zeros" }, { 1, 2 })))
    local names = { "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "lsuv", "rbm" }
    assert.is_true(is_turned(plot.Figure():bars(names, { 1, 2, 3, 4, 5, 6 })))
    assert.is_false(is_turned(plot.Figure { width = 1200 }:bars(names, { 1, 2, 3, 4, 5, 6 })))
  end)

  it("gives no text a meaning of its own", function()
    child.with_folder(function(folder)
      local text = ("it's `touch %s/x` \"; !touch %s/y; $1 {/a_b}\\n"):format(folder, folder)
      local figure = plot.Figure { title = text, x = text, y = text }
      figure:line({ 1, 2 }, { label = text })
      assert.truthy(saved(figure, "svg"):find("{/a_b}\\n", 1, true))
      saved(plot.Figure():bars({ text }, { 1 }), "svg")
      assert.equal("", child.shell("ls " .. folder).out)
    end)
  end)

  it("prints what it holds", function()
    assert.equal("Figure(Cost: 2 line, 1 scatter)",
      tostring(plot.Figure { title = "Cost" }:line({ 1 }):line({ 2 }):scatter({ 1 }, { 2 })))
    assert.equal("Figure(nothing)", tostring(plot.Figure()))
  end)

  it("says which files it cannot write", function()
    local figure, empty = one(), plot.Figure()
    assert.equal("save: argument 1: expected a path that ends in .png, .svg or .pdf, got "
      .. "the string 'cost.jpg'", refusal(figure.save, figure, "cost.jpg"))
    assert.equal("save: /no/such/folder/cost.png: No such file or directory",
      refusal(figure.save, figure, "/no/such/folder/cost.png"))
    assert.equal("Figure: nothing to draw: add a line, points, a histogram, bars or a heat map "
      .. "first", refusal(empty.save, empty, "never.png"))
    assert.equal("Figure: option log: expected x, y or xy, got the string 'z'",
      refusal(plot.Figure, { log = "z" }))
    assert.equal("Figure: option x_range: expected { low, high }, got {1}",
      refusal(plot.Figure, { x_range = { 1 } }))
  end)
end)

describe("plot.grid", function()
  it("lays figures out in rows", function()
    local small = one { width = 200, height = 150 }
    assert.same({ 300, 400 }, picture(plot.grid({ small, small, small })).shape)
    assert.same({ 150, 600 },
      picture(plot.grid({ small, small, small }, { columns = 3, title = "All" })).shape)
    assert.equal("Grid(3 figures in 2 columns)", tostring(plot.grid({ small, small, small })))
  end)

  it("is text too, one figure below the other", function()
    local size = { rows = 10, columns = 40 }
    local text = one():text(size)
    assert.equal("both\n\n" .. text .. "\n\n" .. text,
      plot.grid({ one(), one() }, { title = "both" }):text(size))
  end)

  it("refuses what is no list of figures", function()
    local wanted = "grid: argument 1: expected a list of figures, got "
    assert.equal(wanted .. "none", refusal(plot.grid, {}))
    assert.equal(wanted .. "none", refusal(plot.grid, nil))
    assert.equal(wanted .. "3 at 1", refusal(plot.grid, { 3 }))
  end)
end)

describe("plot.has_gnuplot", function()
  it("says whether figures can be drawn, and what is missing", function()
    assert.is_true(plot.has_gnuplot())
    local code = 'print(require("wrun").plot.has_gnuplot())'
    assert.equal("nil\tgnuplot is not there; install Debian's package gnuplot-nox\n",
      child.shell(("PATH=/nowhere %s -e %s"):format(child.wrun, child.quote(code))).out)
  end)
end)
