--- A report as a table on the terminal.

local check = require "wrun.check"
local columns = require "wrun.columns"

local WIDTH = 12 -- of a bar
local DECADES = 3 -- that a bar spans to either side

-- A spread as a mark on a logarithmic line, whose middle is that of the first layer.
local function bar(spread, first)
  if not (spread > 0 and spread < math.huge and first > 0) then
    return (" "):rep(WIDTH + 1)
  end
  local share = math.log(spread / first, 10) / DECADES
  local at = math.floor((math.max(-1, math.min(share, 1)) + 1) / 2 * WIDTH + 0.5)
  local line = ("-"):rep(WIDTH // 2) .. "+" .. ("-"):rep(WIDTH // 2)
  return line:sub(1, at) .. "#" .. line:sub(at + 2)
end

local function number(x)
  return x and (x == x and ("%.3g"):format(x) or "nan") or "-"
end

local function percent(x)
  return x and ("%.0f %%"):format(100 * x) or "-"
end

local function range(expected)
  return expected and ("%s (%s..%s)"):format(number(expected.spread), number(expected.low),
    number(expected.high)) or "-"
end

local HEADS = {
  "layer", "weight", "gain", "singular", "spread", "shrinks|grows", "theory", "mean", "dead",
  "saturated", "gradient", "theory", "verdict",
}

local function row(call, first)
  local singular = call.singular_max
    and ("%.3g..%.3g"):format(call.singular_min, call.singular_max) or "-"
  return {
    (call.path ~= "" and call.path .. " " or "") .. call.label, number(call.weight_std),
    number(call.gain), singular, number(call.std), bar(call.std, first), range(call.expected),
    number(call.mean), percent(call.dead), percent(call.saturated), number(call.gradient_rms),
    range(call.expected_gradient), call.verdict,
  }
end

local function add(lines, text, ...)
  lines[#lines + 1] = text:format(...)
end

local function add_network(lines, report)
  local jacobian, trial = report.jacobian, report.trial
  if report.cost then
    add(lines, "cost %.4g%s", report.cost, report.ignorance
      and (", knowing nothing costs ln %d = %.4g"):format(report.classes, report.ignorance) or "")
  end
  if jacobian then
    add(lines, "singular values from input to output: %s%.3g at most, %.3g in the mean square%s",
      jacobian.min and ("%.3g at least, "):format(jacobian.min) or "", jacobian.max, jacobian.rms,
      jacobian.is_estimated and " (estimated)" or "")
  end
  add(lines, "a relative error of the signal grows by %.3g from the first layer to the last",
    report.slope_product)
  if report.update_ratio then
    add(lines, "the first step changes the weights by %.2g of their size; near 1e-3 is usual",
      report.update_ratio)
  end
  if trial then
    add(lines, "after %d steps at rate %g the cost is %.4g; from %s it is %.4g", #trial.present,
      report.lr, trial.present[#trial.present], report.better, trial.better[#trial.better])
  end
end

--- Returns the text of a report.
return function(report)
  local rows, first = { HEADS }, report.calls[1].std
  for _, call in ipairs(report.calls) do
    rows[#rows + 1] = row(call, first)
  end
  local lines = columns.align(rows, { true, [#HEADS] = true }, true)
  lines[#lines + 1] = ""
  add_network(lines, report)
  for _, fault in ipairs(report.faults) do
    add(lines, "! %s", fault)
  end
  if #report.faults == 0 then
    add(lines, "no fault found")
  end
  return check.escape(table.concat(lines, "\n"))
end
