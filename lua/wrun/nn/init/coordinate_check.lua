--- The coordinate check: does each layer's output change alike, however wide the network is?

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local Class = require "wrun.class"
local columns = require "wrun.columns"
local measure = require "wrun.nn.init.report.measure"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local STEADY = 0.25 -- a power of the width that a few steps of a finite network may show

--- What `coordinate_check` returns; `tostring` makes it a table.
---@class wrun.nn.init.CoordinateCheck
---@field widths integer[]
---@field layers table[] each layer with parameters in order: path, name; start, its output's root
---  mean square for each width; change, that of the output's change, [step][width]; slope, the power
---  of the width by which the last change grows, nil where it is 0 or not finite; and verdict
---@field holds boolean is every layer's verdict "holds"?
local CoordinateCheck = Class:extend("CoordinateCheck")

local function number(x)
  return x and ("%.3g"):format(x) or "-"
end

function CoordinateCheck:__tostring()
  local head = { "change of" }
  for i, width in ipairs(self.widths) do
    head[i + 1] = tostring(width)
  end
  table.insert(head, "power of width")
  table.insert(head, "verdict")
  local rows = { head }
  for _, layer in ipairs(self.layers) do
    local row = { (layer.path ~= "" and layer.path .. " " or "") .. layer.name }
    for i, change in ipairs(layer.change[#layer.change]) do
      row[i + 1] = number(change)
    end
    table.insert(row, layer.slope and ("%.2f"):format(layer.slope) or "-")
    table.insert(row, layer.verdict)
    rows[#rows + 1] = row
  end
  local lines = columns.align(rows, { true, [#head] = true })
  lines[#lines + 1] = self.holds and "each layer learns alike at every width"
    or "layers do not learn alike at every width: the best learning rate will depend on it"
  return check.escape(table.concat(lines, "\n"))
end

--- Draws the changes against the width into a file, a curve for each layer.
--- domain  a path that ends in .png, .svg or .pdf
--- raises  as plot.Figure:save
---     local function make(width)
---       local model = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 2))
---       return model, optim.Adam(model:parameters(), { lr = 0.01 })
---     end
---     local check = nn.init.coordinate_check(make, { 8, 16 }, wrun.randn(9, 4),
---       { target = wrun.randn(9, 2) })
---     print(pcall(check.save, check, "/no/such/folder/check.png"))
function CoordinateCheck:save(path)
  local figure = wrun.plot.Figure {
    title = "coordinate check", x = "width", y = "change of the output", log = "xy",
  }
  for _, layer in ipairs(self.layers) do
    if layer.slope then
      figure:line(self.widths, layer.change[#layer.change], {
        label = layer.path ~= "" and layer.path .. " " .. layer.name or layer.name,
      })
    end
  end
  figure:save(path)
end

-- The outputs of the layers with parameters, each call a { path, name, output }; what is drawn on the
-- way is the same at each pass.
local function outputs_of(model, batch, seed)
  local _ <close> = autograd.no_grad()
  local _ <close> = wrun.fork_rng()
  wrun.manual_seed(seed)
  local _, calls = measure.forward(model, batch)
  local list = {}
  for _, call in ipairs(calls) do
    if call.module:parameters()[1] then
      list[#list + 1] = {
        path = call.path, name = call.module.__name, output = call.output:detach():double(),
      }
    end
  end
  return list
end

-- Adds the mean square of x over the starts to what is there.
local function add(sums, nth, x, o)
  sums[nth] = (sums[nth] or 0) + x:square():mean():item() / o.seeds
end

-- Adds what one start at the nth width shows to the layers; says whether they are the same.
local function run(layers, nth, model, optimizer, batch, o)
  local before = outputs_of(model, batch, o.seed)
  for i, layer in ipairs(before) do
    if #layers < i and nth == 1 then
      layers[i] = { path = layer.path, name = layer.name, start = {}, change = {} }
    end
    if not layers[i] or layers[i].path ~= layer.path then
      return false
    end
    add(layers[i].start, nth, layer.output, o)
  end
  for step = 1, o.steps do
    optimizer:zero_grad()
    o.criterion(model(batch), o.target):backward()
    optimizer:step()
    for i, layer in ipairs(outputs_of(model, batch, o.seed)) do
      local change = layers[i].change
      change[step] = change[step] or {}
      add(change[step], nth, layer.output - before[i].output, o)
    end
  end
  return #before == #layers
end

local function take_roots(sums)
  for nth, sum in ipairs(sums) do
    sums[nth] = math.sqrt(sum)
  end
end

-- The slope of the line through points (log x, log y) by least squares; nil where some y has none.
local function slope_of(x, y)
  local mean_x, mean_y = 0, 0
  for i in ipairs(x) do
    if not (y[i] > 0 and y[i] < math.huge) then
      return nil
    end
    mean_x, mean_y = mean_x + math.log(x[i]) / #x, mean_y + math.log(y[i]) / #x
  end
  local covariance, variance = 0, 0
  for i in ipairs(x) do
    local dx = math.log(x[i]) - mean_x
    covariance = covariance + dx * (math.log(y[i]) - mean_y)
    variance = variance + dx * dx
  end
  return covariance / variance
end

local function judge(layer, widths)
  take_roots(layer.start)
  for _, change in ipairs(layer.change) do
    take_roots(change)
  end
  local slope = slope_of(widths, layer.change[#layer.change])
  layer.slope = slope
  layer.verdict = not slope and "no power" or slope > STEADY and "grows"
    or slope < -STEADY and "fades" or "holds"
end

local CHECK = {
  target = check.tensor(),
  criterion = check.optional(check.callable()),
  steps = check.integer(3, 1, 1000),
  seed = check.integer(1),
  seeds = check.integer(4, 1, 1000),
}

local WIDTHS = check.rule(nil, "a list of two or more widths, each once", function(value)
  local list, seen = type(value) == "table" and check.list(value), {}
  for _, width in ipairs(list or {}) do
    if math.type(width) ~= "integer" or width < 1 or seen[width] then
      return nil
    end
    seen[width] = true
  end
  return list and #list > 1 and list or nil
end)

--- Trains a network for a few steps at several widths, and returns how much each layer's output has
--- changed. A change that is a power of the width near 0 is right; what grows will need smaller
--- learning rates the wider the network is, and what fades will not learn.
---
--- A check can pass where the best learning rate still moves: only a sweep shows that.
--- shapes  batch [rows, ...] as the models take, option target as `criterion` takes
--- domain  make(width) returns a model and its optimiser, or any object with zero_grad() and
---   step(). `options`: target; criterion, as in `report`; steps = 3; seeds = 4, the starts at each
---   width, whose mean squares are taken, and seed = 1, that of the first. The default generator
---   stays as it is
--- raises  `coordinate_check: argument 1: expected a function that gives a model and its optimiser`;
---   `coordinate_check: argument 2: expected a list of two or more widths`
--- cost    two passes and a backward pass for each step of each start
--- source  [Yang2022], appendix D.1
---     local x, y = wrun.randn(50, 8), wrun.randn(50, 2)
---     local function make(width)
---       local function network(n)
---         return nn.Sequential(nn.Linear(8, n), nn.ReLU(), nn.Linear(n, n), nn.Linear(n, 2))
---       end
---       local model = network(width)
---       return model, optim.Adam(nn.init.mup_(model, network(32), { lr = 0.01 }))
---     end
---     print(nn.init.coordinate_check(make, { 32, 64, 128 }, x, { target = y }))
---@param make fun(width: integer): wrun.nn.Module, any
---@param widths integer[]
---@return wrun.nn.init.CoordinateCheck
function M.coordinate_check(make, widths, batch, options)
  local fname = "coordinate_check"
  check.argument(fname, 1, make, check.callable())
  widths = check.argument(fname, 2, widths, WIDTHS)
  check.tensor_argument(fname, 3, batch)
  local o = check.options(fname, options, CHECK)
  o.criterion = o.criterion or measure.criterion_for(o.target)
  local _ <close> = wrun.fork_rng()
  local _ <close> = autograd.enable_grad()
  local layers = {}
  for nth, width in ipairs(widths) do
    for start = 0, o.seeds - 1 do
      wrun.manual_seed(o.seed + start)
      local model, optimizer = make(width)
      if not wrun.nn.Module:is_instance(model) or type(optimizer) ~= "table"
        or not (optimizer.zero_grad and optimizer.step) then
        fail("%s: argument 1: expected a function that gives a model and its optimiser, got %s "
          .. "and %s for the width %d", fname, check.describe(model), check.describe(optimizer),
          width)
      elseif not run(layers, nth, model, optimizer, batch, o) then
        fail("%s: argument 1: expected models with the same layers, got others for the width %d",
          fname, width)
      end
    end
  end
  local result = setmetatable({ widths = widths, layers = layers, holds = true }, CoordinateCheck)
  for _, layer in ipairs(layers) do
    judge(layer, widths)
    result.holds = result.holds and layer.verdict == "holds"
  end
  return result
end

return M
