--- Likelihoods: log Z exactly and by annealed importance sampling, pseudo-likelihood.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local enumerate = require "wrun.rbm.enumerate"
local input = require "wrun.rbm.input"
local repr = require "wrun.repr"
local share = require "wrun.rbm.share"
local wrun = require "wrun"

local fail = check.fail

local M = { methods = {} }

--- Can log Z be computed exactly, as a sum over all states of the smaller layer?
--- domain  up to 25 binary units
---     print(rbm.new({ visible = 784, hidden = 500 }):is_enumerable())
function M.methods:is_enumerable()
  return enumerate.is_enumerable(self)
end

--- Returns log Z, exactly, by summing over all states of the smaller layer.
--- domain  nats; machines that `is_enumerable`
--- raises  `log_z: expected at most 25 binary units on the smaller side`
--- cost    2^units times the other side; in float64
---     print(rbm.new({ visible = 4, hidden = 2 }):log_z())
---@return number
function M.methods:log_z()
  return enumerate.log_z(self, "log_z")
end

-- Annealed importance sampling -----------------------------------------------

-- The schedule of [Salakhutdinov2008]: 500 steps to 0.5, 4,000 to 0.9, 10,000 to 1.
local function default_betas()
  local betas = { 0 }
  for _, part in ipairs { { 500, 0, 0.5 }, { 4000, 0.5, 0.9 }, { 10000, 0.9, 1 } } do
    for i = 1, part[1] do
      betas[#betas + 1] = part[2] + (part[3] - part[2]) * i / part[1]
    end
  end
  return betas
end

-- The number of steps, and a function from a step, 0 to that number, to its inverse temperature.
local function schedule_of(steps)
  if steps ~= nil then
    return steps, function(i)
      return i / steps
    end
  end
  local betas = default_betas()
  return #betas - 1, function(i)
    return betas[i + 1]
  end
end

-- log Z of the reference model: hidden units without input, visible units with the base bias
local function reference_log_z(model)
  local zeros = wrun.zeros(1, model.options.hidden, { dtype = model.options.dtype })
  local none = wrun.zeros(1, model.options.visible, { dtype = model.options.dtype })
  return model.hidden_kind.log_partition(zeros, model.hidden_bias * 0):item()
    + model.visible_kind.log_partition(none, model.base):item()
end

-- Walks v along the inverse temperatures; log weights of the walk [chains] float64.
local function anneal(model, v, steps, beta, tick)
  local total = wrun.zeros(v:size(1), { dtype = "float64" })
  local x = model:_to_hidden(v)
  for i = 1, steps do
    total = total + model:_log_weight(v, x, beta(i)) - model:_log_weight(v, x, beta(i - 1))
    if i < steps then
      local h = model.hidden_kind.sample(x, model.hidden_bias, model.generator,
        { beta = beta(i) })
      v = model:_draw_visible(h, beta(i))
      x = model:_to_hidden(v)
    end
    if tick then
      tick(i, steps)
    end
  end
  return total
end

local LEAST_SHARE = 0.2 -- of the chains that must count for a result to be called reliable

-- The logarithm of the mean of exp(log_weight), its standard deviation, and the number of walks
-- that really count.
local function estimate(log_weight)
  local n = log_weight:size(1)
  local log_mean = log_weight:logsumexp(1):item() - math.log(n)
  local below = log_weight - log_weight:max() -- where log n counts, however large the weights
  local ratio = (below - (below:logsumexp(1) - math.log(n))):exp()
  local variance = n > 1 and (ratio - 1):square():sum():item() / (n - 1) or math.huge
  return log_mean, math.sqrt(variance / n), n / (ratio:square():mean():item())
end

-- the interval of log(mean) when the mean has this relative deviation
local function interval(center, sd)
  local low = sd < 0.5 and math.log(1 - 1.96 * sd) or -math.huge
  return center + low, center + math.log(1 + 1.96 * sd)
end

local AIS = {
  chains = check.integer(100, 2),
  steps = check.optional(check.integer(nil, 1)),
  reverse = check.boolean(false),
  start = check.optional(check.tensor()),
  progress = check.optional(check.func()),
}

local function check_reverse(model, o)
  if o.start then
    o.start = input.layer(model, "ais", o.start, model.options.visible)
    o.chains = o.start:size(1)
  elseif not model:is_enumerable() then
    fail("ais: option start: expected samples of the model, [chains, %d], to walk from in reverse; "
      .. "they can be drawn exactly only where at most %d units are enumerated",
      model.options.visible, enumerate.MOST)
  end
end

-- Where `count` walks begin, of all those from `first` on.
local function start_of(model, o, first, count)
  if not o.reverse then
    return model:_draw_base(count)
  elseif o.start then
    return o.start:narrow(1, first, count)
  end
  return enumerate.sample(model, count)
end

local function run_ais(model, o)
  local steps, beta = schedule_of(o.steps)
  local sign = 1
  if o.reverse then
    check_reverse(model, o)
    sign = -1
    local forward = beta
    beta = function(i)
      return forward(steps - i)
    end
  end
  local function walk(walker, shard, tick)
    return anneal(walker, start_of(walker, o, shard.first, shard.count), steps, beta, tick)
  end
  local log_weight = model.mpi and share.rows(model, o.chains, walk, o.progress)
    or walk(model, { first = 1, count = o.chains }, o.progress)
  local log_mean, sd, ess = estimate(log_weight)
  local low, high = interval(log_mean, sd)
  local base = reference_log_z(model)
  local log_z = base + sign * log_mean
  low, high = base + sign * low, base + sign * high
  return repr.result("LogZ", {
    log_z = log_z,
    sd = sd,
    ess = ess,
    low = math.min(low, high),
    high = math.max(low, high),
    reliable = ess >= LEAST_SHARE * o.chains,
    chains = o.chains,
    steps = steps,
    log_weight = log_weight,
  })
end

--- Returns log Z by annealed importance sampling from the model of the base rates.
--- shapes  start [chains, visible]
--- domain  options chains (100); steps (default: the 14,500 of the source; a number: equal steps);
---   reverse: walk from samples of the model to the base rates, which errs towards a larger log Z;
---   start, those samples (default: exact ones, of small machines); progress(done, all). Returns
---   { log_z, sd (of log Z, nats), ess (effective chains), low and high (95 %), reliable (ess at
---   least a fifth of the chains), chains, steps, log_weight }
--- cost    two products of chains x visible x hidden a step
--- source  [Neal2001], [Salakhutdinov2008], [Burda2015]
---     local z = rbm.new({ visible = 6, hidden = 3 }):ais { steps = 100 }
---     print(z.log_z)
---@return table
function M.methods:ais(options)
  local o = check.options("ais", options, AIS)
  local result
  autograd.no_grad(function()
    result = run_ais(self, o)
  end)
  return result
end

-- Likelihoods ----------------------------------------------------------------

local LIKELIHOOD = { binarize = input.BINARIZE, seed = check.integer(1) }

local IS_BINARY = { binary = true, softmax = true }

-- Data as 0 and 1 for binary units: drawn with a seed of its own, so that scores can be compared.
local function scored_rows(model, fname, data, o)
  input.check_data(model, fname, data)
  local generator = wrun.Generator({ engine = "philox", seed = o.seed })
  local v = input.binarize(model, data, o.binarize, generator)
  if IS_BINARY[model.options.visible_units] and not input.is_binary(v) then
    fail("%s: option binarize: expected threshold or stochastic for data that is not 0 and 1",
      fname)
  end
  return v
end

--- Returns the log-likelihood of each row of data.
--- shapes  data [n, visible] -> [n] float64
--- domain  nats; log_z a number or what `ais` returned; options binarize ("none" for data of 0 and
---   1, "threshold" or "stochastic") and the seed (1) of the draws
---     local machine = rbm.new { visible = 4, hidden = 2, seed = 1 }
---     print(machine:log_likelihood(wrun.eye(4), machine:log_z()))
---@param log_z number|table
function M.methods:log_likelihood(data, log_z, options)
  local o = check.options("log_likelihood", options, LIKELIHOOD)
  log_z = type(log_z) == "table" and log_z.log_z or log_z
  log_z = check.argument("log_likelihood", 2, log_z, check.number())
  return -self:free_energy(scored_rows(self, "log_likelihood", data, o)) - log_z
end

local PSEUDO = {
  binarize = input.BINARIZE,
  seed = check.integer(1),
  bits = check.optional(check.integer(nil, 1)),
}

-- log p(v_i | the others) of one unit a row: log sigmoid(F(v with i flipped) - F(v))
local function flipped(model, v, free_energy, at)
  local turned = v:scatter_add(2, at, 1 - v:gather(2, at) * 2)
  return -(free_energy - model:free_energy(turned)):softplus()
end

--- Returns the pseudo-likelihood of each row: the sum over units of log p(unit | all others).
--- shapes  data [n, visible] -> [n] float64
--- domain  nats; binary visible units; option bits: that many units drawn for each row, scaled to
---   all of them, instead of every unit; binarize and seed as in log_likelihood
--- cost    a free energy a unit: visible times the work of free_energy
--- source  [Besag1975]
---     print(rbm.new({ visible = 4, hidden = 2 }):pseudo_likelihood(wrun.eye(4)))
function M.methods:pseudo_likelihood(data, options)
  if self.options.visible_units ~= "binary" then
    fail("pseudo_likelihood: expected binary visible units, got %s", self.options.visible_units)
  end
  local o = check.options("pseudo_likelihood", options, PSEUDO)
  local v = scored_rows(self, "pseudo_likelihood", data, o)
  local rows, visible = v:size(1), self.options.visible
  local free_energy, total = self:free_energy(v), wrun.zeros(rows, { dtype = "float64" })
  local generator = wrun.Generator({ engine = "philox", seed = o.seed + 1 })
  for unit = 1, o.bits or visible do
    local at = wrun.full({ rows, 1 }, unit, { dtype = "int64" })
    if o.bits then
      at = wrun.randint(1, visible + 1, { rows, 1 }, { dtype = "int64", generator = generator })
    end
    total = total + flipped(self, v, free_energy, at)
  end
  return o.bits and total * (visible / o.bits) or total
end

return M
