--- Metrics: how good guesses are, over a data set in batches, and over seeds.
--- Scores are a row a sample with a number for each class, of which the largest is the guess; or the
--- guesses themselves. Classes count from 1.

local check = require "wrun.check"
local method = require "wrun.method"
local names = require "wrun.names"
local plot = require "wrun.plot"
local repr = require "wrun.repr"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- Refuses scores and targets that do not belong together; returns the number of samples.
local function check_pair(fname, scores, y, must_be_scores)
  check.tensor_argument(fname, 1, scores)
  check.tensor_argument(fname, 2, y)
  if scores.ndim ~= 2 and (must_be_scores or scores.ndim ~= 1) then
    fail("%s: argument 1: expected scores [samples, classes]%s, got %s", fname,
      must_be_scores and "" or " or guesses [samples]", check.shape_text(scores))
  elseif y.ndim ~= 1 or y:size(1) ~= scores:size(1) or check.is_float(y) then
    fail("%s: argument 2: expected %d classes, integers, got %s", fname, scores:size(1),
      check.describe(y))
  elseif y:numel() == 0 then
    fail("%s: argument 2: expected one sample or more, got none", fname)
  end
  local least, classes = y:min():item(), scores.ndim == 2 and scores:size(2) or math.huge
  if least < 1 or y:max():item() > classes then
    fail("%s: argument 2: expected classes from 1%s, got %d%s", fname,
      scores.ndim == 2 and " to " .. classes or "", least < 1 and least or y:max():item(),
      least == 0 and "; classes that count from 0 need +1" or "")
  end
  return y:size(1)
end

local function guesses(scores)
  return (scores.ndim == 2 and scores:detach():argmax(2) or scores):long()
end

local function share(right)
  return right:double():mean():item()
end

--- Returns the share of guesses that are right.
--- shapes  scores [n, classes] or guesses [n], y [n]
--- domain  0..1; y integers from 1, of scores at most the number of classes
--- raises  `accuracy: argument 1: expected scores`; `accuracy: argument 2: expected`
---     print(wrun.metrics.accuracy(wrun.tensor { { 1.0, 0 }, { 1, 0 } }, wrun.tensor { 1, 2 }))
---@return number
function M.accuracy(scores, y)
  check_pair("accuracy", scores, y)
  return share(guesses(scores):eq(y:long()))
end

--- Returns the share of samples whose class is among the k with the largest scores.
--- shapes  scores [n, classes], y [n]
--- domain  0..1; k from 1 to the number of classes
--- raises  `top_k: argument 3: expected`
---     print(wrun.metrics.top_k(wrun.tensor { { 3.0, 2, 1 } }, wrun.tensor { 2 }, 2))
---@return number
function M.top_k(scores, y, k)
  check_pair("top_k", scores, y, true)
  k = check.argument("top_k", 3, k, check.integer(nil, 1, scores:size(2)))
  local _, indices = scores:detach():topk(k, 2)
  return share(indices:eq(y:long():unsqueeze(2)):any(2))
end

-- Mean -----------------------------------------------------------------------

---@class wrun.metrics.Mean
---@field total number
---@field weight number
--- A running mean, made by `wrun.metrics.mean`.
local Mean = method.object("metrics.Mean")
Mean._habits = { update = "write mean:add(value)", compute = "write mean:value()" }

--- Adds a value, or the mean of as many as `weight` says.
--- shapes  a tensor of one element
--- domain  or a number; weight > 0 (1)
--- raises  `add: argument 1: expected a number`
---     local mean = wrun.metrics.mean()
---     mean:add(1)
---     mean:add(2, 3)
---     print(mean:value()) -- 1.75
---@param value number|wrun.Tensor
---@param weight number?
function Mean:add(value, weight)
  if check.is_tensor(value) and value:numel() == 1 then
    value = value:item()
  end
  if type(value) ~= "number" then
    fail("add: argument 1: expected a number or a tensor of one element, got %s",
      check.describe(value))
  end
  weight = check.argument("add", 2, weight, check.positive(1))
  self.total, self.weight = self.total + value * weight, self.weight + weight
end

--- Returns the mean of what was added, NaN of nothing.
---     print(wrun.metrics.mean():value())
---@return number
function Mean:value()
  return self.total / self.weight
end

function Mean:__tostring()
  return ("Mean(%s of %s)"):format(repr.value(self:value()), repr.value(self.weight))
end

--- Returns a running mean.
---     local mean = wrun.metrics.mean()
---     for step = 1, 4 do mean:add(step) end
---     print(mean)
---@return wrun.metrics.Mean
function M.mean()
  return setmetatable({ total = 0.0, weight = 0 }, Mean)
end

-- Confusion ------------------------------------------------------------------

---@class wrun.metrics.Confusion
---@field counts wrun.Tensor [classes, classes] int64: row the class, column the guess
---@field classes string[]
--- How often each class was taken for each, made by `wrun.metrics.confusion`.
local Confusion = method.object("metrics.Confusion")
Confusion._habits = { update = "write confusion:add(scores, y)" }

--- Counts the guesses of a batch.
--- shapes  scores [n, classes] or guesses [n], y [n]
--- domain  classes from 1
--- raises  `add: argument 2: expected classes from 1 to N`
---     local confusion = wrun.metrics.confusion(2)
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion.counts)
function Confusion:add(scores, y)
  check_pair("add", scores, y)
  local n, guess = #self.classes, guesses(scores)
  y = y:long()
  for index, tensor in ipairs { guess, y } do
    local least, most = tensor:min():item(), tensor:max():item()
    if least < 1 or most > n then
      fail("add: argument %d: expected classes from 1 to %d, got %d", index, n,
        least < 1 and least or most)
    end
  end
  local cells = (y - 1) * n + guess
  self.counts:add_(cells:bincount(nil, n * n):reshape(n, n))
end

local function column(x)
  return x:double()
end

--- Returns the share of guesses that are right.
---     local confusion = wrun.metrics.confusion(2)
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion:accuracy())
---@return number
function Confusion:accuracy()
  return self.counts:trace():double():item() / self.counts:sum():double():item()
end

--- Returns for each class the share of its guesses that are right.
--- shapes  -> [classes] float64
--- domain  NaN of a class that was never guessed
---     local confusion = wrun.metrics.confusion(2)
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion:precision())
---@return wrun.Tensor
function Confusion:precision()
  return column(self.counts:diagonal()) / column(self.counts:sum(1))
end

--- Returns for each class the share of its samples that were found.
--- shapes  -> [classes] float64
--- domain  NaN of a class without samples
---     local confusion = wrun.metrics.confusion(2)
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion:recall())
---@return wrun.Tensor
function Confusion:recall()
  return column(self.counts:diagonal()) / column(self.counts:sum(2))
end

--- Returns the F1 of each class, 2 TP / (2 TP + FP + FN), and their mean.
--- shapes  -> [classes] float64
--- domain  0 of a class that was neither guessed nor there, as scikit-learn has it
---     local confusion = wrun.metrics.confusion(2)
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion:f1())
---@return wrun.Tensor
---@return number mean
function Confusion:f1()
  local right = column(self.counts:diagonal())
  local all = column(self.counts:sum(1)) + column(self.counts:sum(2))
  local f1 = right * 2 / all:clamp(1, math.huge)
  return f1, f1:mean():item()
end

--- Returns the matrix as a figure of `wrun.plot`, of shares of each class's samples.
---     local confusion = wrun.metrics.confusion(2)
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion:figure())
---@return wrun.plot.Figure
function Confusion:figure()
  local rows = column(self.counts) / column(self.counts:sum(2)):clamp(1, math.huge):unsqueeze(2)
  return plot.Figure { title = ("accuracy %.4f"):format(self:accuracy()), x = "guess", y = "class" }
    :heatmap(rows, { label = "share of the class", range = { 0, 1 } })
end

-- The matrix with the names of the classes at its rows, cut to ten.
function Confusion:__tostring()
  local lines = { ("Confusion(%d samples, accuracy %.4f)"):format(self.counts:sum():item(),
    self:accuracy()) }
  for i, row in ipairs(self.counts:narrow(1, 1, math.min(#self.classes, 10)):tolist()) do
    lines[i + 1] = ("%12s  %s"):format(self.classes[i], table.concat(row, " ", 1,
      math.min(#row, 10)))
  end
  return check.escape(table.concat(lines, "\n"))
end

local CLASSES = check.rule(nil, "a number of classes or a list of their names", function(value)
  if type(value) == "table" then
    local list = check.list(value)
    for i, name in ipairs(list) do
      list[i] = tostring(name)
    end
    return #list > 0 and list or nil
  end
  local n = math.type(value) == "integer" and value >= 1 and value <= 100000 and value
  local list = n and {}
  for i = 1, n or 0 do
    list[i] = tostring(i)
  end
  return list or nil
end)

--- Returns a confusion matrix without samples.
--- domain  how many classes there are, or their names, as `dataset.classes`
--- raises  `confusion: argument 1: expected a number of classes`
---     local confusion = wrun.metrics.confusion { "cat", "dog" }
---     confusion:add(wrun.tensor { 1, 2, 2 }, wrun.tensor { 1, 1, 2 })
---     print(confusion)
---@param classes integer|string[]
---@return wrun.metrics.Confusion
function M.confusion(classes)
  local list = check.argument("confusion", 1, classes, CLASSES)
  return setmetatable({
    classes = list, counts = wrun.zeros(#list, #list, { dtype = "int64" }),
  }, Confusion)
end

-- Calibration ----------------------------------------------------------------

local CALIBRATION = { bins = check.integer(15, 1, 10000) }

--- Returns how far probabilities are what they say, as a table: `error`, the mean distance between
--- how sure guesses are and how often they are right; and for each bin of that sureness `confidence`,
--- `accuracy` and `count`.
--- shapes  probabilities [n, classes], y [n] -> confidence, accuracy [bins] float64, count [bins]
--- domain  rows of probabilities, such as a softmax; option bins (15), of equal width. NaN in a bin
---   without samples
--- raises  `calibration: argument 1: expected probabilities`
--- source  [Guo2017], expected calibration error
---     local p = wrun.tensor { { 0.9, 0.1 }, { 0.6, 0.4 } }
---     print(wrun.metrics.calibration(p, wrun.tensor { 1, 2 }).error) -- 0.35
---@param options { bins: integer }?
---@return { error: number, confidence: wrun.Tensor, accuracy: wrun.Tensor, count: wrun.Tensor }
function M.calibration(probabilities, y, options)
  check_pair("calibration", probabilities, y, true)
  local bins = check.options("calibration", options, CALIBRATION).bins
  local p = probabilities:detach():double()
  local least, most = p:min():item(), p:max():item()
  if not (least >= 0 and most <= 1 + 1e-6) then
    fail("calibration: argument 1: expected probabilities from 0 to 1, got %g",
      least >= 0 and most or least)
  end
  local sure, guess = p:max(2)
  local right = guess:eq(y:long()):double()
  local bin = (sure * bins):ceil():clamp(1, bins):long()
  local function sums(values)
    return bin:bincount(values, bins)
  end
  local count = sums()
  local confidence, accuracy = sums(sure), sums(right)
  return repr.result("Calibration", {
    error = ((confidence - accuracy):abs():sum() / y:size(1)):item(),
    confidence = confidence / count:double(), accuracy = accuracy / count:double(), count = count,
  })
end

-- Seeds ----------------------------------------------------------------------

local SEEDS = check.rule(nil, "a number of seeds or a list of them", function(value)
  local n = math.type(value) == "integer" and value >= 1 and value <= 100000 and value
  local list = n and {} or type(value) == "table" and check.list(value)
  for i = 1, n or 0 do
    list[i] = i
  end
  for _, seed in ipairs(list or {}) do
    if math.type(seed) ~= "integer" then
      return nil
    end
  end
  return list and #list > 0 and list or nil
end)

--- Calls f(seed) with the default generator started from each seed and returns what came out, put
--- together: `mean`, `deviation`, and `low` and `high`, a deviation below and above, as
--- `plot.Figure:line` takes them for a band; and `values`, a row a seed.
--- shapes  f -> a number or [n] -> values [seeds, n], the others [n], float64
--- domain  seeds 1 to a number, or a list; f returns a number, a list of numbers, or a tensor; the
---   deviation is that of a sample, 0 of one. The default generator stands where it stood before
--- raises  `over_seeds: seed N: expected`
---     local noise = wrun.metrics.over_seeds(5, function() return wrun.randn(3) end)
---     print(noise.mean, noise.deviation)
---@param seeds integer|integer[]
---@param f fun(seed: integer): number|number[]|wrun.Tensor
---@return { mean: wrun.Tensor, deviation: wrun.Tensor, low: wrun.Tensor, high: wrun.Tensor, values: wrun.Tensor }
function M.over_seeds(seeds, f)
  local list = check.argument("over_seeds", 1, seeds, SEEDS)
  check.argument("over_seeds", 2, f, check.callable())
  local rows = {}
  for i, seed in ipairs(list) do
    local value = wrun.fork_rng(function()
      wrun.manual_seed(seed)
      return f(seed)
    end)
    if type(value) == "number" then
      value = { value }
    end
    local row = check.is_tensor(value) and value:detach():double():reshape(-1)
      or type(value) == "table" and #value > 0
      and select(2, pcall(wrun.tensor, check.list(value), { dtype = "float64" }))
    if not check.is_tensor(row) or rows[1] and row:numel() ~= rows[1]:numel() then
      fail("over_seeds: seed %d: expected a number, a list of numbers or a tensor%s, got %s", seed,
        rows[1] and (" of %d, as of the first"):format(rows[1]:numel()) or "",
        check.describe(value))
    end
    rows[i] = row
  end
  local values = wrun.stack(rows)
  local mean = values:mean(1)
  local deviation = #rows > 1 and values:std(1) or mean * 0
  return repr.result("Seeds", {
    values = values, mean = mean, deviation = deviation, low = mean - deviation,
    high = mean + deviation,
  })
end

return names.closed("metrics", M)
