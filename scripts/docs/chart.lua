--- Charts of curves as SVG: what a log holds, as the pages show it.

local M = {}

local WIDTH, HEIGHT = 480, 270
local LEFT, RIGHT, TOP, BOTTOM = 60, 64, 12, 44
local COLOURS = { "#0072b2", "#d55e00", "#009e73", "#cc79a7" } -- told apart by all eyes

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"))
end

--- numbers between two, some five, at steps of 1, 2 or 5 times a power of 10
local function ticks_between(low, high)
  local unit = 10.0 ^ math.floor(math.log((high - low) / 5, 10))
  local step = unit
  for _, factor in ipairs { 1, 2, 5, 10 } do
    step = factor * unit
    if (high - low) / step <= 6 then
      break
    end
  end
  local ticks = {}
  for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
    ticks[#ticks + 1] = i * step
  end
  return ticks
end

--- the least and the largest of lists, and 0 where that is near
local function range_of(lists)
  local low, high = math.huge, -math.huge
  for _, list in ipairs(lists) do
    low, high = math.min(low, table.unpack(list)), math.max(high, table.unpack(list))
  end
  return low, high > low and high or low + 1
end

--- Returns curves over the same numbers as the text of an SVG file.
--- domain  with `logarithmic` heights are powers of 10, and values above 0
---@param chart table x (numbers), x_name, y_name, logarithmic, curves: a list of { name =, y = }
---@return string
function M.curves(chart)
  local out = {}
  local function add(text, ...)
    out[#out + 1] = text:format(...)
  end
  local heights = {}
  for i, curve in ipairs(chart.curves) do
    heights[i] = {}
    for j, value in ipairs(curve.y) do
      heights[i][j] = chart.logarithmic and math.log(value, 10) or value
    end
  end
  local left, right = range_of { chart.x }
  local low, high = range_of(heights)
  low = not chart.logarithmic and low > 0 and low < high / 2 and 0 or low
  local function across(value)
    return LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT)
  end
  local function up(value)
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
  end
  add('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif"', WIDTH,
    HEIGHT)
  add(' font-size="14" fill="#333"><rect width="%d" height="%d" fill="#fff"/>', WIDTH, HEIGHT)
  for _, tick in ipairs(ticks_between(low, high)) do
    local is_power = chart.logarithmic and tick % 1 == 0
    if is_power or not chart.logarithmic then
      add('<path d="M%d %.1fH%d" stroke="#ddd"/>', LEFT, up(tick), WIDTH - RIGHT)
      local text = is_power and ('10<tspan dy="-5" font-size="10">%d</tspan>'):format(tick)
        or ("%.4g"):format(tick)
      add('<text x="%d" y="%.1f" text-anchor="end">%s</text>', LEFT - 6, up(tick) + 4, text)
    end
  end
  for _, tick in ipairs(ticks_between(left, right)) do
    add('<text x="%.1f" y="%d" text-anchor="middle">%.4g</text>', across(tick),
      HEIGHT - BOTTOM + 18, tick)
  end
  add('<text x="%.1f" y="%d" text-anchor="middle">%s</text>', (LEFT + WIDTH - RIGHT) / 2,
    HEIGHT - 6, escape(chart.x_name))
  add('<text transform="translate(14 %.1f) rotate(-90)" text-anchor="middle">%s</text>',
    (TOP + HEIGHT - BOTTOM) / 2, escape(chart.y_name))
  local ends = {}
  for i, curve in ipairs(chart.curves) do
    local points, colour = {}, COLOURS[(i - 1) % #COLOURS + 1]
    for j, x in ipairs(chart.x) do
      points[j] = ("%.1f,%.1f"):format(across(x), up(heights[i][j]))
    end
    add('<polyline points="%s" fill="none" stroke="%s" stroke-width="2.5"/>',
      table.concat(points, " "), colour)
    ends[i] = { y = up(heights[i][#chart.x]) + 4, name = curve.name, colour = colour }
  end
  table.sort(ends, function(a, b) return a.y < b.y end)
  for i, label in ipairs(ends) do
    label.y = math.max(label.y, i > 1 and ends[i - 1].y + 16 or 0)
    add('<text x="%d" y="%.1f" fill="%s">%s</text>', WIDTH - RIGHT + 8, label.y, label.colour,
      escape(label.name))
  end
  return table.concat(out) .. "</svg>\n"
end

return M
