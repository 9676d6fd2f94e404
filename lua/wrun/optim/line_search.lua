--- Line searches: how far to go along a direction in which the loss falls.
--- A point of the line is { t =, f =, slope =, ... }: the distance, the loss there and its
--- derivative along the line; what else it carries is the caller's.

local M = {}

local SUFFICIENT, FLAT = 1e-4, 0.9 -- the constants c1 and c2 of the Wolfe conditions
local NARROW = 1e-9 -- what a bracket is too narrow below

-- The minimum of the cubic through two points and their slopes, kept between low and high; the
-- middle where it has none.
local function cubic_minimum(a, b, low, high)
  local d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
  local square = d1 * d1 - a.slope * b.slope
  if square < 0 or square ~= square then
    return (low + high) / 2
  end
  if a.t > b.t then
    a, b = b, a
  end
  local d2 = math.sqrt(square)
  local t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
  return math.min(math.max(t, low), high)
end

local function is_flat(point, start)
  return math.abs(point.slope) <= -FLAT * start.slope
end

local function is_too_high(point, start)
  return point.f > start.f + SUFFICIENT * point.t * start.slope
end

-- Goes on from t until two points have a right one between them, or one is right. Returns the
-- points and how often it went on.
local function bracket(evaluate, start, t, max_steps)
  local last, point = start, evaluate(t)
  for steps = 0, max_steps - 1 do
    if is_too_high(point, start) or (steps > 1 and point.f >= last.f) then
      return { last, point }, steps
    elseif is_flat(point, start) then
      return { point }, steps
    elseif point.slope >= 0 then
      return { last, point }, steps
    end
    local far = cubic_minimum(last, point, point.t + 0.01 * (point.t - last.t), point.t * 10)
    last, point = point, evaluate(far)
  end
  return { start, point }, max_steps
end

-- Moves t away from the ends of the bracket where it would make too little progress.
local function kept_inside(t, low, high, was_close)
  local margin = 0.1 * (high - low)
  if math.min(high - t, t - low) >= margin then
    return t, false
  elseif was_close or t >= high or t <= low then
    return math.abs(t - high) < math.abs(t - low) and high - margin or low + margin, false
  end
  return t, true
end

--- Returns a point that satisfies the strong Wolfe conditions: the loss has fallen enough and its
--- slope has become flat; or the lowest point found within `max_steps` steps.
--- domain  evaluate(t) returns a point; `start` is the point at 0, its slope < 0; `t` the first
---   distance to try; `scale` the largest element of the direction, by which a bracket is measured
--- source  [Nocedal2006] alg. 3.5 and 3.6, with the interpolation of PyTorch's LBFGS
function M.strong_wolfe(evaluate, start, t, max_steps, scale)
  local points, steps = bracket(evaluate, start, t, max_steps)
  if #points == 1 then
    return points[1]
  end
  local function lower()
    return points[1].f <= points[2].f and 1 or 2
  end
  local low, was_close = lower(), false
  while steps < max_steps do
    local near, far = math.min(points[1].t, points[2].t), math.max(points[1].t, points[2].t)
    if (far - near) * scale < NARROW then
      break
    end
    t, was_close = kept_inside(cubic_minimum(points[1], points[2], near, far), near, far, was_close)
    local point, high = evaluate(t), 3 - low
    steps = steps + 1
    if is_too_high(point, start) or point.f >= points[low].f then
      points[high] = point
      low = lower()
    elseif is_flat(point, start) then
      return point
    else
      if point.slope * (points[high].t - points[low].t) >= 0 then
        points[high] = points[low]
      end
      points[low] = point
    end
  end
  return points[low]
end

return M
