--- What a start does to every layer: signal and gradient, measured and by theory, and a trial of
--- the better one.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local Class = require "wrun.class"
local common = require "wrun.nn.init.common"
local jacobian = require "wrun.nn.init.report.jacobian"
local measure = require "wrun.nn.init.report.measure"
local profile = require "wrun.nn.init.profile"
local text = require "wrun.nn.init.report.text"
local theory = require "wrun.nn.init.report.theory"
local trial = require "wrun.nn.init.report.trial"
local verdict = require "wrun.nn.init.report.verdict"
local wrun = require "wrun"

local fail = check.fail

local M = {}

--- What `report` returns; `tostring` makes it a table.
---@class wrun.nn.init.Report
---@field calls table[] each call of a layer in order: path, label, kind, rms, mean, std,
---  gradient_rms, expected and expected_gradient ({ spread, low, high }, nil where theory is
---  silent), verdict; of a matrix product also fan_in, fan_out, weight_std, gain (the weight's
---  spread times sqrt(fan_in)), weight_gradient_rms, singular_min and singular_max; of an activation dead, saturated
---  and profile
---@field faults string[] a sentence each, with the remedy; none where nothing was found
---@field cost number? of the batch
---@field ignorance number? the cost of knowing nothing, ln(classes)
---@field jacobian { max: number, min: number?, rms: number, is_estimated: boolean }?
---@field slope_product number by what a relative error of the signal's second moment grows
---@field better string? the start of the trial
---@field trial { present: number[], better: number[] }? the cost before each step
---@field update_ratio number? the size of the first update beside that of the weights
local Report = Class:extend("Report")

function Report:__tostring()
  return text(self)
end

local WIDE = 100 -- what costs are apart by where a linear axis hides the smaller ones

-- Two curves of a report's calls, with the band of theory.
local function spreads(report, title, key, expected)
  local x, y, theory_x, middle, low, high = {}, {}, {}, {}, {}, {}
  for i, call in ipairs(report.calls) do
    if call[key] > 0 and call[key] < math.huge then
      x[#x + 1], y[#y + 1] = i, call[key]
    end
    local band = call[expected]
    if band and band.low > 0 and band.high < math.huge then
      table.insert(theory_x, i)
      table.insert(middle, band.spread)
      table.insert(low, band.low)
      table.insert(high, band.high)
    end
  end
  local figure = wrun.plot.Figure {
    title = title, x = "layer", y = "spread", log = "y", x_range = { 0.5, #report.calls + 0.5 },
  }
  if #theory_x > 0 then
    figure:line(theory_x, middle, { label = "theory", low = low, high = high })
  end
  return #x > 0 and figure:scatter(x, y, { label = "measured", size = 1 }) or nil
end

-- The curves of the trial, as far as they are finite.
local function trial_figure(report)
  local present, better = report.trial.present, report.trial.better
  local least, most = math.huge, 0
  for step, cost in ipairs(present) do
    least, most = math.min(least, cost, better[step]), math.max(most, cost, better[step])
  end
  local is_log = least > 0 and most < math.huge and most / least > WIDE
  local figure = wrun.plot.Figure {
    title = "trial", x = "step", y = "cost", log = is_log and "y" or nil,
  }
  for _, curve in ipairs { { present, "this start" }, { better, report.better } } do
    if curve[1][1] - curve[1][1] == 0 then
      figure:line(curve[1], { label = curve[2] })
    end
  end
  return #figure.series > 0 and figure or nil
end

--- Draws the report into a file: signal, gradient, and the trial.
--- domain  a path that ends in .png, .svg or .pdf
--- raises  as plot.Figure:save; `save: nothing to draw: no spread is finite and above 0`
---     local report = nn.init.report(nn.Linear(4, 3), wrun.randn(8, 4))
---     print(pcall(report.save, report, "/no/such/folder/start.png"))
function Report:save(path)
  local figures = { spreads(self, "signal", "std", "expected") }
  figures[#figures + 1] = spreads(self, "gradient", "gradient_rms", "expected_gradient")
  if self.trial then
    figures[#figures + 1] = trial_figure(self)
  end
  if #figures == 0 then
    fail("save: nothing to draw: no spread is finite and above 0")
  end
  wrun.plot.grid(figures, { columns = #figures }):save(path)
end

local REPORT = {
  target = check.optional(check.tensor()),
  criterion = check.optional(check.callable()),
  try = check.integer(0, 0, 1000000),
  lr = check.positive(0.01),
  seed = check.integer(1),
}

-- Says whether a module is a function of elements, once for each.
local function activations()
  local known = {}
  return function(module)
    if known[module] == nil then
      known[module] = pcall(profile.profile, module, { std = 1 })
    end
    return known[module]
  end
end

-- Gives every matrix product of `model` the start that its activation asks for.
local function start_better(model, linear, generator)
  local _ <close> = autograd.no_grad()
  local modules, names = {}, {}
  for path, module in model:named_modules() do
    modules[path] = module
  end
  for _, call in ipairs(linear) do
    local gain, name = verdict.better_start(call)
    local module = modules[call.path]
    module.weight:normal_(0, gain / math.sqrt(call.fan_in), { generator = generator })
    if module.bias ~= nil then
      module.bias:zero_()
    end
    names[#names + 1] = name
  end
  return names[1]
end

--- Returns what the start of a network does to every layer, for a batch: spreads of signals and
--- gradients beside what theory expects of them, with the band that a finite network's own noise
--- allows; dead and saturated units; singular values; and what is wrong, with its remedy.
---
--- The network stays as it is, and so does the default generator: a copy is measured.
--- shapes  batch [rows, ...] as `model` takes, option target as `criterion` takes
--- domain  `options`: target, without which gradients are those of a random direction; criterion,
---   CrossEntropyLoss for integer targets and MSELoss for floats; try = 0, how many steps of
---   gradient descent (lr = 0.01, momentum 0.9) this start and a better one are tried for, on the
---   batch; seed = 1 of what is drawn. `model` is in the mode that it is in
--- raises  `report: argument 1: expected a module`; `report: option try: expected a target`
--- cost    a pass, a backward pass for each output up to 512, and singular values of the weights
--- source  [Glorot2010], [He2015], [Poole2016], [Schoenholz2017]; noise of finite width [Hanin2018]
---     local model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
---       nn.Linear(64, 3))
---     print(nn.init.report(model, wrun.randn(50, 20)))
---@return wrun.nn.init.Report
function M.report(model, batch, options)
  local o = check.options("report", options, REPORT)
  common.check_batch("report", model, batch)
  if o.try > 0 and not o.target then
    fail("report: option try: expected a target to learn, got none")
  end
  o.criterion = o.criterion or o.target and measure.criterion_for(o.target)
  o.generator = wrun.Generator({ seed = o.seed })
  local _ <close> = wrun.fork_rng()
  local _ <close> = autograd.enable_grad()
  local copy = model:clone()
  local calls, input, output, cost = measure.run(copy, batch, o, activations())
  theory.predict(calls)
  local report = setmetatable({ calls = calls, lr = o.lr }, Report)
  report.cost = cost and cost:item()
  if o.target and not check.is_float(o.target) and output.ndim > 1 then
    report.classes = output:size(2)
    report.ignorance = math.log(report.classes)
  end
  report.slope_product = calls[#calls].slope_product
  if check.is_float(input) then
    report.jacobian = jacobian(model:clone(), batch, o.generator)
  end
  verdict.judge(report)
  if o.try > 0 then
    local better = model:clone()
    report.better = start_better(better, report.linear, o.generator)
    report.trial, report.update_ratio = trial(model:clone(), better, batch, o)
  end
  return report
end

return M
