--- Plots: curves, points, histograms, bars and heat maps, as files or as text, drawn by gnuplot.

local check = require "wrun.check"
local Class = require "wrun.class"
local core = require "wrun.core"
local gnuplot = require "wrun.plot.gnuplot"
local ranks = require "wrun.ranks"
local series = require "wrun.plot.series"

local fail = check.fail

local M = {}

local TEXT = check.optional(check.string())
local RANGE = check.optional(check.passed_on())

local FIGURE = {
  title = TEXT, x = TEXT, y = TEXT,
  log = check.optional(check.choice(nil, { "x", "y", "xy" })),
  x_range = RANGE, y_range = RANGE,
  width = check.integer(640, 100, 10000), height = check.integer(420, 100, 10000),
}

--- What is drawn with one pair of axes. Methods that add to it return it.
---@class wrun.plot.Figure
local Figure = Class:extend("Figure")
Figure._habits = {
  plot = "write figure:line(values)",
  hist = "write figure:histogram(values)",
  legend = "write figure:line(values, { label = text })",
  show = "write print(figure:text()), or figure:save(path)",
  savefig = "write figure:save(path)",
}

--- Makes a figure without content.
--- domain  `options`: title; x and y, what stands at the axes; log, which of them are logarithmic:
---   "x", "y" or "xy"; x_range and y_range, { low, high }; width and height in pixels
---     local figure = plot.Figure { title = "Training", x = "epoch", y = "cost", log = "y" }
---     figure:line({ 0.31, 0.12, 0.07 }, { label = "He" })
---     print(figure)
function Figure:init(options)
  local o = check.options("Figure", options, FIGURE)
  self.options, self.series = o, {}
  self.is_log = { x = o.log == "x" or o.log == "xy", y = o.log == "y" or o.log == "xy" }
  for _, axis in ipairs({ "x", "y" }) do
    local range = o[axis .. "_range"]
    o[axis .. "_range"] = range and series.range("Figure", "option " .. axis .. "_range", range)
  end
end

local function add_series(figure, kind, ...)
  local added = series[kind](figure, ...)
  added.index = #figure.series + 1
  figure.series[added.index] = added
  return figure
end

--- Adds a curve through points; over 1, 2, 3 ... where only y is given.
--- shapes  x [n], y [n], options low and high [n]: tensors, or lists of numbers
--- domain  numbers that are not finite leave gaps, at least one is. `options`: label, and low and
---   high, between which a band is drawn
--- raises  `line: argument 1: expected a list of numbers`; `line: argument 2: expected`
---     local y = wrun.linspace(0, 1, 20):square()
---     print(plot.Figure():line(y, { label = "x^2", low = y - 0.1, high = y + 0.1 }))
---@param x any
---@param y any
---@return wrun.plot.Figure
function Figure:line(x, y, options)
  return add_series(self, "line", x, y, options)
end

--- Adds points, without a line between them.
--- shapes  x [n], y [n]: tensors, or lists of numbers
--- domain  as `line`; `options`: label, and size, 1 for 8 pixels or so
---     print(plot.Figure():scatter(wrun.randn(50), wrun.randn(50)))
---@param x any
---@param y any
---@return wrun.plot.Figure
function Figure:scatter(x, y, options)
  return add_series(self, "scatter", x, y, options)
end

--- Adds how often values lie in each of some equal ranges.
--- shapes  values: a tensor of any shape, or a list of numbers
--- domain  those that are not finite are left out. `options`: label, bins = 30, and density = true
---   for shares by width, whose area is 1
---     print(plot.Figure():histogram(wrun.randn(1000), { bins = 20 }))
---@param values any
---@return wrun.plot.Figure
function Figure:histogram(values, options)
  return add_series(self, "histogram", values, options)
end

--- Adds a bar for each name; the bars of several calls stand beside each other.
--- shapes  names [n], heights [n], option error [n]: lists, heights also a tensor
--- domain  `options`: label, and error, how far up and down a height may be wrong
---     print(plot.Figure():bars({ "zeros", "He" }, { 0.11, 0.97 }, { error = { 0, 0.01 } }))
---@param names any[]
---@param heights any
---@return wrun.plot.Figure
function Figure:bars(names, heights, options)
  return add_series(self, "bars", names, heights, options)
end

--- Draws a matrix as colours, the first row at the top.
--- shapes  matrix [rows, columns]
--- domain  `options`: label, what the scale of colours says, and range, { low, high }. As text, a
---   letter for each element, from . over : - = + o x X to @
---     print(plot.Figure { title = "weights" }:heatmap(wrun.randn(10, 20), { range = { -2, 2 } }))
---@param matrix wrun.Tensor
---@return wrun.plot.Figure
function Figure:heatmap(matrix, options)
  return add_series(self, "heatmap", matrix, options)
end

function Figure:__tostring()
  local kinds, counts, texts = {}, {}, {}
  for _, drawn in ipairs(self.series) do
    if not counts[drawn.kind] then
      kinds[#kinds + 1] = drawn.kind
    end
    counts[drawn.kind] = (counts[drawn.kind] or 0) + 1
  end
  for i, kind in ipairs(kinds) do
    texts[i] = ("%d %s"):format(counts[kind], kind)
  end
  local what = #texts > 0 and table.concat(texts, ", ") or "nothing"
  local title = self.options.title
  return ("Figure(%s%s)"):format(title and check.escape(title) .. ": " or "", what)
end

-- Scripts --------------------------------------------------------------------

-- From dark blue over green to yellow, evenly in lightness, as viridis does.
local PALETTE = "set palette defined (0 '#440154', 1 '#46327E', 2 '#365C8D', 3 '#277F8E', "
  .. "4 '#1FA187', 5 '#4AC16D', 6 '#A0DA39', 7 '#FDE725')"

local function range_text(range)
  return ("[%s:%s]"):format(gnuplot.number(range[1]), gnuplot.number(range[2]))
end

local function add(lines, text, ...)
  lines[#lines + 1] = text:format(...)
end

-- Everything drawn as bars knows how many stand beside each other.
local function number_bars(figure)
  local bars = {}
  for _, drawn in ipairs(figure.series) do
    if drawn.kind == "bars" then
      bars[#bars + 1] = drawn
      drawn.nth = #bars
    end
  end
  for _, drawn in ipairs(bars) do
    drawn.of = #bars
  end
end

local LETTER, MARGIN = 7, 100 -- pixels

-- Do names side by side find room below their bars?
local function have_room(names, width)
  local longest = 0
  for _, name in ipairs(names) do
    longest = math.max(longest, #name)
  end
  return longest * LETTER <= (width - MARGIN) / #names
end

local function add_axes(lines, figure, is_text)
  local o = figure.options
  for key, value in pairs({ title = o.title, xlabel = o.x, ylabel = o.y }) do
    add(lines, "set %s %s noenhanced", key, gnuplot.quoted(value))
  end
  if o.log then
    add(lines, "set logscale %s", o.log)
    add(lines, "set format %s '%s'", o.log, is_text and "%g" or "10^{%L}")
  end
  for _, axis in ipairs({ "x", "y" }) do
    local range = o[axis .. "_range"]
    if range then
      add(lines, "set %srange %s", axis, range_text(range))
    end
  end
  if figure.names then
    local ticks = {}
    for i, name in ipairs(figure.names) do
      ticks[i] = gnuplot.quoted(name) .. " " .. i
    end
    add(lines, "set grid noxtics; set xtics %s noenhanced (%s)",
      have_room(figure.names, o.width) and "norotate" or "rotate by 45 right",
      table.concat(ticks, ", "))
    add(lines, "set xrange [0.4:%g]", #ticks + 0.6)
    if not o.y_range and o.log ~= "y" then
      add(lines, "set yrange [*<0:0<*]")
    end
  end
end

local function add_heatmap(lines, drawn, is_text)
  if is_text then
    add(lines, "set xrange [0.5:%d.5]; set yrange [%d.5:0.5]; unset grid; set tics scale 0",
      drawn.columns, drawn.rows)
    return
  end
  add(lines, "%s; set autoscale xfix; set autoscale yfix; set yrange [] reverse; unset grid",
    PALETTE)
  if drawn.label then
    add(lines, "set cblabel %s noenhanced", gnuplot.quoted(drawn.label))
  end
  if drawn.range then
    add(lines, "set cbrange %s", range_text(drawn.range))
  end
end

-- Adds the lines that draw one figure; `name` is that of its data.
local function add_figure(lines, figure, name, is_text)
  if #figure.series == 0 then
    fail("Figure: nothing to draw: add a line, points, a histogram, bars or a heat map first")
  end
  add(lines, "reset; set grid linecolor rgb '#DDDDDD'; set key above; set datafile missing 'NaN'")
  number_bars(figure)
  add_axes(lines, figure, is_text)
  local parts = {}
  for i, drawn in ipairs(figure.series) do
    local block = ("$%s_%d"):format(name, i)
    add(lines, "%s << END_OF_DATA", block)
    table.move(drawn.data, 1, #drawn.data, #lines + 1, lines)
    add(lines, "END_OF_DATA")
    if drawn.kind == "heatmap" then
      add_heatmap(lines, drawn, is_text)
    end
    for _, part in ipairs(drawn:draw(block, is_text)) do
      parts[#parts + 1] = part
    end
  end
  lines[#lines + 1] = "plot " .. table.concat(parts, ", ")
end

-- Pictures -------------------------------------------------------------------

local FORMATS = {
  png = "set terminal pngcairo size %d,%d font 'DejaVu Sans,10' background rgb 'white'",
  svg = "set terminal svg size %d,%d font 'DejaVu Sans,12' background rgb 'white'",
  pdf = "set terminal pdfcairo size %g,%g font 'DejaVu Sans,10'",
}
local PIXELS_PER_INCH = 96

local function terminal(format, width, height)
  if format == "pdf" then
    width, height = width / PIXELS_PER_INCH, height / PIXELS_PER_INCH
  end
  return FORMATS[format]:format(width, height)
end

local function format_of(fname, path)
  local format = check.argument(fname, 1, path, check.path()):match("%.(%w+)$")
  if not FORMATS[format] then
    fail("%s: argument 1: expected a path that ends in .png, .svg or .pdf, got %s", fname,
      check.describe(path))
  end
  return format
end

-- Of several ranks the first draws.
local function save(path, lines)
  if not ranks.is_first() then
    return
  end
  local picture, reason = gnuplot.run(lines)
  if picture then
    picture, reason = core.text_save(path, picture)
  end
  if not picture then
    fail("save: %s", reason)
  end
end

--- Writes the figure to a file: a PNG, SVG or PDF, as the end of its name says.
--- shapes  any
--- domain  the file is complete or as it was
--- raises  `save: argument 1: expected a path that ends in`; `save: gnuplot is not there`; `save:
---   PATH: ...` when it cannot be written; `Figure: nothing to draw`
---     local path = os.tmpname() .. ".png"
---     print(pcall(function() plot.Figure():line({ 1, 4, 9 }):save(path) end), os.remove(path))
function Figure:save(path)
  local lines = { terminal(format_of("save", path), self.options.width, self.options.height) }
  add_figure(lines, self, "data", false)
  save(path, lines)
end

local SIZE = { columns = check.integer(79, 20, 1000), rows = check.integer(24, 8, 1000) }

--- Returns the figure as text, for a terminal.
--- domain  `options`: columns = 79, rows = 24
--- raises  as save
---     print(pcall(function() return plot.Figure():line({ 1, 4, 9 }):text() end))
---@return string
function Figure:text(options)
  local o = check.options("text", options, SIZE)
  local lines = { ("set terminal dumb noenhanced size %d,%d"):format(o.columns, o.rows) }
  add_figure(lines, self, "data", true)
  local text, reason = gnuplot.run(lines)
  -- without blanks at the ends of lines, and empty lines around
  return text and text:gsub("[ \f]+\n", "\n"):gsub("^\n+", ""):gsub("\n+$", "")
    or fail("text: %s", reason)
end

M.Figure = Figure

--- Several figures in one picture, made by `grid`.
---@class wrun.plot.Grid
local Grid = Class:extend("Grid")

local GRID = { columns = check.optional(check.integer(nil, 1)), title = TEXT }

function Grid:init(figures, options)
  local o = check.options("grid", options, GRID)
  figures = type(figures) == "table" and check.list(figures) or {}
  for i, figure in ipairs(figures) do
    if not Figure:is_instance(figure) then
      fail("grid: argument 1: expected a list of figures, got %s at %d", check.describe(figure), i)
    end
  end
  if #figures == 0 then
    fail("grid: argument 1: expected a list of figures, got none")
  end
  self.figures, self.title = figures, o.title
  self.columns = math.min(o.columns or math.ceil(math.sqrt(#figures)), #figures)
  self.rows = (#figures + self.columns - 1) // self.columns
end

function Grid:__tostring()
  return ("Grid(%d figures in %d columns)"):format(#self.figures, self.columns)
end

--- Writes all figures to one file, row by row, each at the size of the largest.
--- as  plot.Figure:save
---     local path, one = os.tmpname() .. ".png", plot.Figure():line({ 1, 4, 9 })
---     print(pcall(function() plot.grid({ one, one }):save(path) end), os.remove(path))
function Grid:save(path)
  local format, width, height = format_of("save", path), 0, 0
  for _, figure in ipairs(self.figures) do
    width, height = math.max(width, figure.options.width), math.max(height, figure.options.height)
  end
  local lines = { terminal(format, width * self.columns, height * self.rows) }
  add(lines, "set multiplot layout %d,%d%s", self.rows, self.columns,
    self.title and " title " .. gnuplot.quoted(self.title) .. " noenhanced" or "")
  for i, figure in ipairs(self.figures) do
    add_figure(lines, figure, "data" .. i, false)
  end
  add(lines, "unset multiplot")
  save(path, lines)
end

--- Returns the figures as text, one below the other, each at the size that the options say.
--- as  plot.Figure:text
---     local one = plot.Figure():line({ 1, 4, 9 })
---     print(pcall(function() return plot.grid({ one, one }):text({ rows = 12 }) end))
---@return string
function Grid:text(options)
  local texts = { self.title }
  for _, figure in ipairs(self.figures) do
    texts[#texts + 1] = figure:text(options)
  end
  return table.concat(texts, "\n\n")
end

--- Lays figures out in rows, for one picture.
--- shapes  figures [n]
--- domain  `options`: columns, about the square root of n where it is not given, and title
--- raises  `grid: argument 1: expected a list of figures`
---     local one = plot.Figure():line({ 1, 4, 9 })
---     print(plot.grid({ one, one, one }, { columns = 3 }))
---@param figures wrun.plot.Figure[]
---@return wrun.plot.Grid
function M.grid(figures, options)
  return Grid(figures, options)
end

--- Can figures be drawn? Returns true, or nil and what is missing: worth asking before long work.
---     print(plot.has_gnuplot())
---@return boolean? yes
---@return string? reason
function M.has_gnuplot()
  local text, reason = gnuplot.run({ "set print '-'; print 1" })
  return text and true, reason
end

return require("wrun.names").closed("plot", M)
