--- Curves as SVG.

local curve = require "wrun.report.curve"

local function line(x, y)
  return { x = x, y = y, class = "c", color = "#123456", title = "t" }
end

local function labels(svg)
  local list = {}
  for text in svg:gmatch('text%-anchor="end">([^<]*)') do
    list[#list + 1] = text
  end
  return table.concat(list, " ")
end

describe("a curve", function()
  it("runs from edge to edge, over round numbers", function()
    local svg = curve.svg({ line({ 1, 2, 3 }, { 0, 5, 10 }) }, "epoch")
    assert.matches('<path d="M58.0 226.0L254.0 117.0L450.0 8.0"/>', svg, 1, true)
    assert.equal("0 2 4 6 8 10", labels(svg))
    assert.matches(">epoch</text>", svg, 1, true)
    assert.equal(3, select(2, svg:gsub("<circle", "")))
  end)

  it("is logarithmic over more than two powers of ten", function()
    local svg = curve.svg({ line({ 1, 2, 3 }, { 1, 1e-2, 1e-4 }) }, "epoch")
    assert.equal("0.0001 0.001 0.01 0.1 1", labels(svg))
    assert.matches("L254.0 117.0", svg, 1, true) -- half-way
  end)

  it("has gaps where there is no number, and is none without one", function()
    local svg = curve.svg({ line({ 1, 2, 3, 4 }, { 1, 0 / 0, math.huge, 2 }) }, "epoch")
    assert.equal(2, select(2, svg:match('<path d="([^"]*)"'):gsub("M", "")))
    assert.is_nil(curve.svg({ line({ 1 }, { 0 / 0 }), line({}, {}), line({ 1 }, { false }) }, "x"))
  end)

  it("can be one point, one value, and as large as numbers are", function()
    assert.is_string(curve.svg({ line({ 1 }, { 0 }) }, "x"))
    assert.is_string(curve.svg({ line({ 1, 2 }, { 5, 5 }) }, "x"))
    local svg = curve.svg({ line({ 1, 2 }, { -1.7e308, 1.7e308 }) }, "x")
    assert.is_nil(svg:find("nan") or svg:find("inf"))
    local long = { x = {}, y = {}, class = "c", color = "#000", title = "" }
    for i = 1, 20000 do
      long.x[i], long.y[i] = i, i % 7
    end
    assert.is_true(#curve.svg({ long }, "x") < 20000)
  end)
end)
