--- Curves as SVG, drawn into a page: lines over a grid, each of a class of its own that a page can
--- hide.

local core = require "wrun.core"

local M = {}

local WIDTH, HEIGHT = 460, 260
local LEFT, RIGHT, TOP, BOTTOM = 58, 10, 8, 34
local MOST = 500 -- points of a line, more than a page shows
local TICKS = 5

--- Okabe and Ito's colours, which people who are blind to some tell apart.
M.COLORS = {
  "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a00", "#444444",
}

local function number_text(x)
  return (core.format("%.4g", x))
end

-- Round numbers between low and high.
local function linear_ticks(low, high)
  local rough = high / TICKS - low / TICKS
  local power = 10.0 ^ math.floor(math.log(rough, 10))
  local step = power
  for _, factor in ipairs { 2, 5, 10 } do
    step = step < rough and power * factor or step
  end
  local ticks = {}
  for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
    ticks[#ticks + 1] = i * step
  end
  return ticks
end

-- Powers of ten, or round numbers where there would be one.
local function log_ticks(low, high)
  local first, last = math.ceil(math.log(low, 10) - 1e-9), math.floor(math.log(high, 10) + 1e-9)
  local step = math.max(1, (last - first) // TICKS)
  local ticks = {}
  for power = first, last, step do
    ticks[#ticks + 1] = 10.0 ^ power
  end
  return #ticks > 1 and ticks or linear_ticks(low, high)
end

-- A scale of values onto pixels. Positive values over more than two powers of ten are logarithmic.
local function scale(low, high, from, to, may_be_log)
  if low == high then
    local margin = low == 0 and 1 or math.abs(low) * 0.1
    low, high = low - margin, high + margin
  end
  local is_log = may_be_log and low > 0 and high / low > 100
  local function place(x)
    return is_log and math.log(x, 10) or x
  end
  local a, b = place(low), place(high)
  return {
    ticks = (is_log and log_ticks or linear_ticks)(low, high),
    at = function(x)
      return from + (place(x) / 2 - a / 2) / (b / 2 - a / 2) * (to - from)
    end,
  }
end

local function is_finite(x)
  return type(x) == "number" and x - x == 0
end

-- The least and the greatest of what can be drawn, nil where there is nothing.
local function extent(series, axis)
  local low, high
  for _, one in ipairs(series) do
    for i, x in ipairs(one.x) do
      if is_finite(x) and is_finite(one.y[i]) then
        local value = one[axis][i]
        low, high = math.min(low or value, value), math.max(high or value, value)
      end
    end
  end
  return low, high
end

-- A line with gaps where a value is missing or not finite; every so many points of a long one.
local function path_of(one, x_scale, y_scale)
  local parts, step, is_drawn = {}, math.max(1, #one.x // MOST), false
  for i = 1, #one.x, step do
    local x, y = one.x[i], one.y[i]
    local can_be = is_finite(x) and is_finite(y)
    if can_be then
      parts[#parts + 1] = core.format(is_drawn and "L%.1f %.1f" or "M%.1f %.1f", x_scale.at(x),
        y_scale.at(y))
    end
    is_drawn = can_be
  end
  return table.concat(parts)
end

-- A dot for each point of a line that has only few.
local function dots_of(one, x_scale, y_scale)
  local parts = {}
  for i, x in ipairs(#one.x <= 30 and one.x or {}) do
    if is_finite(x) and is_finite(one.y[i]) then
      parts[#parts + 1] = core.format('<circle cx="%.1f" cy="%.1f" r="2"/>', x_scale.at(x),
        y_scale.at(one.y[i]))
    end
  end
  return table.concat(parts)
end

local function add_axes(out, x_scale, y_scale, label)
  local bottom = HEIGHT - BOTTOM
  for _, tick in ipairs(y_scale.ticks) do
    local y = y_scale.at(tick)
    out[#out + 1] = core.format('<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>', LEFT,
      WIDTH - RIGHT, y, y)
    out[#out + 1] = core.format('<text x="%d" y="%.1f" text-anchor="end">%s</text>', LEFT - 5,
      y + 4, number_text(tick))
  end
  for _, tick in ipairs(x_scale.ticks) do
    out[#out + 1] = core.format('<text x="%.1f" y="%d" text-anchor="middle">%s</text>',
      x_scale.at(tick), bottom + 14, number_text(tick))
  end
  out[#out + 1] = ('<line class="axis" x1="%d" x2="%d" y1="%d" y2="%d"/>'):format(LEFT,
    WIDTH - RIGHT, bottom, bottom)
  out[#out + 1] = ('<text x="%d" y="%d" text-anchor="middle">%s</text>'):format(
    (LEFT + WIDTH - RIGHT) // 2, HEIGHT - 4, label)
end

--- Returns the picture of some lines, or nil where nothing can be drawn.
---@param series { x: number[], y: number[], class: string, color: string, title: string }[]  texts
---   are HTML already
---@param label string  below the horizontal axis, HTML already
---@return string?
function M.svg(series, label)
  local x_low, x_high = extent(series, "x")
  local y_low, y_high = extent(series, "y")
  if not x_low then
    return nil
  end
  local x_scale = scale(x_low, x_high, LEFT, WIDTH - RIGHT, false)
  local y_scale = scale(y_low, y_high, HEIGHT - BOTTOM, TOP, true)
  local out = { ('<svg viewBox="0 0 %d %d" role="img">'):format(WIDTH, HEIGHT) }
  add_axes(out, x_scale, y_scale, label)
  for _, one in ipairs(series) do
    out[#out + 1] = ('<g class="%s" stroke="%s" fill="%s"><title>%s</title><path d="%s"/>%s</g>')
      :format(one.class, one.color, one.color, one.title, path_of(one, x_scale, y_scale),
        dots_of(one, x_scale, y_scale))
  end
  out[#out + 1] = "</svg>"
  return table.concat(out, "\n")
end

return M
