--- What a figure draws: data checked, and for each kind the lines that have gnuplot draw it.
---
--- A series has `data`, rows of numbers or of text for gnuplot, and `draw(series, block)`, which
--- returns the parts of gnuplot's `plot` command; `block` is the name of the data.

local check = require "wrun.check"
local gnuplot = require "wrun.plot.gnuplot"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- Colours that the colour-blind can tell apart [Okabe2008].
local COLOURS = {
  "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#B8A800",
}

local function colour(series)
  return ("rgb '%s'"):format(COLOURS[(series.index - 1) % #COLOURS + 1])
end

local function title(series)
  return series.label and "title " .. gnuplot.quoted(series.label) .. " noenhanced" or "notitle"
end

-- Data -----------------------------------------------------------------------

local NUMBERS = "a list of numbers or a tensor of one dimension"

-- Returns the numbers of a tensor [n] or of a list. At least one must be finite, and above 0 where
-- the axis is logarithmic.
local function numbers(fname, what, value, is_log)
  local list = value
  if check.is_tensor(value) then
    if value.ndim ~= 1 or value.dtype == "bool" then
      fail("%s: %s: expected %s, got %s", fname, what, NUMBERS, check.describe(value))
    end
    list = value:detach():tolist()
  elseif type(value) ~= "table" then
    fail("%s: %s: expected %s, got %s", fname, what, NUMBERS, check.describe(value))
  end
  local result, finite = {}, 0
  for i, x in ipairs(list) do
    x = check.is_tensor(x) and x:numel() == 1 and x:item() or x
    if type(x) ~= "number" then
      fail("%s: %s: expected %s, got %s at %d", fname, what, NUMBERS, check.describe(x), i)
    elseif is_log and x <= 0 then
      fail("%s: %s: expected numbers above 0 on a logarithmic axis, got %s at %d", fname, what,
        x, i)
    end
    result[i] = x
    finite = finite + (x - x == 0 and 1 or 0)
  end
  if finite == 0 then
    fail("%s: %s: expected at least one finite number, got %s", fname, what,
      #result == 0 and "an empty list" or ("%d of which none is"):format(#result))
  end
  return result
end

local function same_length(fname, what, list, wanted)
  if #list ~= #wanted then
    fail("%s: %s: expected %d numbers, as many as the others, got %d", fname, what, #wanted, #list)
  end
end

-- The arguments x, y, or y alone, which then counts from 1; and the options behind them.
local function points(fname, figure, rules, ...)
  local x, y, options = ...
  local is_alone = options == nil and (y == nil or type(y) == "table" and y[1] == nil)
  if is_alone then
    x, y, options = nil, x, y
  end
  y = numbers(fname, "argument " .. (is_alone and 1 or 2), y, figure.is_log.y)
  if is_alone then
    x = {}
    for i = 1, #y do
      x[i] = i
    end
  else
    x = numbers(fname, "argument 1", x, figure.is_log.x)
    same_length(fname, "argument 2", y, x)
  end
  return x, y, check.options(fname, options, rules)
end

-- Lists of numbers of one length as rows.
local function rows_of(...)
  local columns, rows = { ... }, {}
  for i = 1, #columns[1] do
    local row = {}
    for c, column in ipairs(columns) do
      row[c] = gnuplot.number(column[i])
    end
    rows[i] = table.concat(row, " ")
  end
  return rows
end

-- Kinds ----------------------------------------------------------------------

local LABEL = check.optional(check.string())

local LINE = {
  label = LABEL, low = check.optional(check.passed_on()), high = check.optional(check.passed_on()),
}

local function draw_line(series, block, is_text)
  local line = ("%s using 1:2 with lines linewidth 2 linecolor %s %s"):format(block,
    colour(series), title(series))
  if not series.has_band or is_text then
    return { line }
  end
  return {
    ("%s using 1:3:4 with filledcurves fillstyle transparent solid 0.2 noborder fillcolor %s "
      .. "notitle"):format(block, colour(series)), line,
  }
end

function M.line(figure, ...)
  local x, y, o = points("line", figure, LINE, ...)
  if (o.low == nil) ~= (o.high == nil) then
    fail("line: option %s: expected a list beside %s, got nil", o.low and "high" or "low",
      o.low and "low" or "high")
  end
  local low, high = y, y
  if o.low ~= nil then
    low = numbers("line", "option low", o.low, figure.is_log.y)
    high = numbers("line", "option high", o.high, figure.is_log.y)
    same_length("line", "option low", low, y)
    same_length("line", "option high", high, y)
  end
  return {
    kind = "line", label = o.label, has_band = o.low ~= nil, data = rows_of(x, y, low, high),
    draw = draw_line,
  }
end

local SCATTER = { label = LABEL, size = check.positive(0.7) }

local function draw_scatter(series, block)
  return {
    ("%s using 1:2 with points pointtype 7 pointsize %s linecolor %s %s"):format(block,
      gnuplot.number(series.size), colour(series), title(series)),
  }
end

function M.scatter(figure, ...)
  local x, y, o = points("scatter", figure, SCATTER, ...)
  return {
    kind = "scatter", label = o.label, size = o.size, data = rows_of(x, y), draw = draw_scatter,
  }
end

local HISTOGRAM = {
  label = LABEL, bins = check.integer(30, 1, 10000), density = check.boolean(false),
}

local function draw_histogram(series, block)
  return {
    ("%s using 1:2 with fillsteps fillstyle transparent solid 0.5 border fillcolor %s %s"):format(
      block, colour(series), title(series)),
  }
end

function M.histogram(_, values, options)
  local o = check.options("histogram", options, HISTOGRAM)
  if check.is_tensor(values) and values.dtype ~= "bool" then
    values = values:flatten()
  end
  local list = wrun.tensor(numbers("histogram", "argument 1", values), { dtype = "float64" })
  list = list:masked_select(list:isfinite())
  local low, high = list:min():item(), list:max():item()
  if low == high then
    low, high = low - 0.5, high + 0.5
  end
  local counts = list:histc(o.bins, low, high)
  local width = (high - low) / o.bins
  if o.density then
    counts = counts / (counts:sum() * width)
  end
  local edges = wrun.linspace(low, high, o.bins + 1, { dtype = "float64" })
  local heights = wrun.cat({ counts, counts:narrow(1, o.bins, 1) })
  return {
    kind = "histogram", label = o.label, data = rows_of(edges:tolist(), heights:tolist()),
    draw = draw_histogram,
  }
end

local BARS = { label = LABEL, error = check.optional(check.passed_on()) }
local BARS_WIDTH = 0.8 -- of all bars of one name

local function draw_bars(series, block, is_text)
  local width = BARS_WIDTH / series.of
  local centre = gnuplot.number((series.nth - (series.of + 1) / 2) * width)
  local parts = {
    ("%s using ($1+%s):2:(%s) with boxes fillstyle solid 0.7 linecolor %s %s"):format(block,
      centre, gnuplot.number(width), colour(series), title(series)),
  }
  if series.has_error and not is_text then
    parts[2] = ("%s using ($1+%s):($2-$3):(0):(2*$3) with vectors nohead linewidth 2 "
      .. "linecolor rgb 'black' notitle"):format(block, centre)
  end
  return parts
end

-- What stands below the bars; every call of one figure has the same.
local function check_names(figure, names)
  if type(names) ~= "table" then
    fail("bars: argument 1: expected a list of names, got %s", check.describe(names))
  end
  local texts = {}
  for i, name in ipairs(names) do
    if type(name) ~= "string" and type(name) ~= "number" then
      fail("bars: argument 1: expected a list of names, got %s at %d", check.describe(name), i)
    end
    texts[i] = tostring(name)
    local first = figure.names and figure.names[i] or texts[i]
    if first ~= texts[i] then
      fail("bars: argument 1: expected %s at %d, as in the bars before, got %s", first, i, texts[i])
    end
  end
  if figure.names then
    same_length("bars", "argument 1", texts, figure.names)
  end
  return texts
end

function M.bars(figure, names, heights, options)
  local o = check.options("bars", options, BARS)
  names = check_names(figure, names)
  heights = numbers("bars", "argument 2", heights, figure.is_log.y)
  same_length("bars", "argument 2", heights, names)
  local errors, indices = o.error and numbers("bars", "option error", o.error) or heights, {}
  same_length("bars", "option error", errors, names)
  for i in ipairs(names) do
    indices[i] = i
  end
  figure.names = names
  return {
    kind = "bars", label = o.label, has_error = o.error ~= nil,
    data = rows_of(indices, heights, errors), draw = draw_bars,
  }
end

local HEATMAP = { range = check.optional(check.passed_on()), label = LABEL }

local SHADES = ".:-=+oxX@"

local function draw_heatmap(_, block, is_text)
  return { (is_text and "%s using 1:2:4 with labels notitle" or "%s using 1:2:3 with image notitle")
    :format(block) }
end

-- The letter that stands for a value between the least and the greatest; a blank for none.
local function shade(value, low, high)
  local share = (value - low) / (high - low)
  if share ~= share then
    return value == value and SHADES:sub(1, 1) or " "
  end
  local at = math.floor(math.max(0, math.min(share, 1)) * (#SHADES - 1) + 0.5) + 1
  return SHADES:sub(at, at)
end

--- Returns two finite numbers, the first below the second.
function M.range(fname, what, value)
  local low, high = table.unpack(type(value) == "table" and value or {}, 1, 2)
  if type(low) ~= "number" or type(high) ~= "number" or not (high - low > 0 and high - low < 1 / 0)
  then
    fail("%s: %s: expected { low, high }, got %s", fname, what, check.describe(value))
  end
  return { low, high }
end

function M.heatmap(_, matrix, options)
  local o = check.options("heatmap", options, HEATMAP)
  check.tensor_argument("heatmap", 1, matrix)
  if matrix.ndim ~= 2 or matrix:numel() == 0 then
    fail("heatmap: argument 1: expected a matrix [rows, columns] with elements, got %s",
      check.describe(matrix))
  end
  matrix = matrix:detach():double()
  local finite = matrix:masked_select(matrix:isfinite())
  if #finite == 0 then
    fail("heatmap: argument 1: expected at least one finite number, got %d of which none is",
      matrix:numel())
  end
  local range = o.range and M.range("heatmap", "option range", o.range)
  local low, high = table.unpack(range or { finite:min():item(), finite:max():item() })
  local data = {}
  for i, row in ipairs(matrix:tolist()) do
    for j, value in ipairs(row) do
      data[#data + 1] = ("%d %d %s \"%s\""):format(j, i, gnuplot.number(value),
        shade(value, low, high))
    end
  end
  return {
    kind = "heatmap", label = o.label, data = data, draw = draw_heatmap, range = range,
    rows = matrix:size(1), columns = matrix:size(2),
  }
end

return M
