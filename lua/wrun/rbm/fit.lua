--- Training: five methods, schedules, regularisers, and a guard against divergence.

local autograd = require "wrun.autograd"
local bars = require "wrun.progress"
local check = require "wrun.check"
local Class = require "wrun.class"
local core = require "wrun.core"
local gradient = require "wrun.rbm.gradient"
local input = require "wrun.rbm.input"
local negative = require "wrun.rbm.negative"
local repr = require "wrun.repr"
local share = require "wrun.rbm.share"
local statistics = require "wrun.rbm.statistics"
local wrun = require "wrun"

local fail = check.fail

---@class wrun.rbm.Trainer: wrun.Class
--- Trains a machine pass by pass; made by a machine's `trainer`.
local Trainer = Class:extend("rbm.Trainer")

-- A number, a function of progress 0..1, or { first, last } to go from one to the other.
local function schedule(default)
  return check.rule(default, "a number, a function or { first, last }", function(value)
    local is_line = type(value) == "table" and type(value[1]) == "number"
      and type(value[2]) == "number"
    return (type(value) == "number" or type(value) == "function" or is_line) and value or nil
  end)
end

local RUN = check.rule(nil, "a run, made by wrun.experiment", function(value)
  return type(value) == "table" and check.is_callable(value.keep) and check.is_callable(value.loop)
    and check.is_callable(value.set) and value or nil
end)

local RULES = {
  method = check.choice("pcd", { "cd", "pcd", "fpcd", "pt", "exact" }),
  k = check.integer(1, 1),
  chains = check.integer(100, 1),
  temperatures = check.integer(10, 2),
  batch_size = check.integer(100, 1),
  epochs = check.integer(10, 1),
  lr = schedule(0.05),
  fast_lr = schedule(0.05),
  momentum = schedule(0),
  l1 = check.number(0, 0),
  l2 = check.number(0, 0),
  sparsity = check.optional(check.table()),
  offset_rate = check.number(0.01, 0, 1),
  binarize = input.BINARIZE,
  start_from_mean = check.boolean(true),
  valid = check.optional(check.tensor()),
  callback = check.optional(check.func()),
  resume = check.optional(check.table()),
  run = check.optional(RUN),
  verbose = check.boolean(false),
}

local SPARSITY = {
  target = check.number(nil, 0, 1),
  cost = check.number(0.1, 0),
  decay = check.number(0.9, 0, 1),
}

local LARGEST_WEIGHT = 1000 -- beyond it a machine has diverged
local NAMES = { "weight", "visible_bias", "hidden_bias" }

local function value_at(plan, progress)
  if type(plan) == "function" then
    return plan(progress)
  elseif type(plan) == "table" then
    return plan[1] + (plan[2] - plan[1]) * progress
  end
  return plan
end

local function are_zero(model, names)
  for _, name in ipairs(names) do
    if not model[name]:eq(0):all():item() then
      return false
    end
  end
  return true
end

-- The reference model and the offsets of a machine that has none, from the data's mean; and its
-- biases, where it has none of these either. A centred machine starts so in its centred parameters,
-- of which the plain ones follow.
local function start_from_mean(self)
  local model = self.model
  if not are_zero(model, { "base", "visible_offset", "hidden_offset" }) then
    return
  end
  local has_no_biases = are_zero(model, { "visible_bias", "hidden_bias" })
  local is_wanted = self.options.start_from_mean and has_no_biases
  local mean = input.mean(model, self.data, self.options.binarize)
  model.base:copy_(model.visible_kind.bias_of(mean))
  if is_wanted then
    model.visible_bias:copy_(model.base)
  end
  if not model.options.center then
    return
  end
  model.visible_offset:copy_(mean)
  local offset = model.hidden_kind.mean(wrun.zeros_like(model.hidden_bias):unsqueeze(1),
    model.hidden_bias)
  model.hidden_offset:copy_(offset:reshape(-1))
  if is_wanted then
    model.visible_bias:copy_(model.base - model.hidden_offset:matmul(model.weight))
    model.hidden_bias:copy_(model.hidden_bias - model.weight:matmul(mean))
  end
end

function Trainer:init(model, data, options)
  input.check_data(model, "fit", data)
  local o = check.options("fit", options, RULES)
  if o.sparsity then
    o.sparsity = check.options("fit: option sparsity", o.sparsity, SPARSITY)
  end
  if o.valid then
    input.check_data(model, "fit: option valid", o.valid)
  end
  self.model, self.data, self.options = model, data, o
  self.epoch, self.memory, self.buffers = 0, {}, {}
  self.share = model.mpi and share.new(self) or nil
  if o.resume then
    self:load_state_dict(o.resume)
  else
    start_from_mean(self)
  end
end

-- "Trainer(pcd of RBM(...), 3 of 10 epochs)"
function Trainer:__tostring()
  local o = self.options
  return ("Trainer(%s of %s, %d of %d epochs)"):format(o.method, self.model, self.epoch, o.epochs)
end

-- The cost's gradient for each hidden unit: its mean activity, averaged over steps, to the target.
local function sparsity_row(self, mean)
  local s = self.options.sparsity
  if not s then
    return nil
  end
  local memory = self.memory
  memory.activity = memory.activity and memory.activity * s.decay + mean * (1 - s.decay) or mean
  return (s.target - memory.activity) * s.cost
end

local function whole_weight(model, grads)
  return grads.weight
    or gradient.accumulate(wrun.zeros_like(model.weight), grads.products, 1)
end

-- A step of the parameters; without momentum and decay, the weight's products are added in place.
local function update(self, grads, batch, progress)
  local o, model = self.options, self.model
  local lr = value_at(o.lr, progress)
  local momentum = value_at(o.momentum, progress)
  if momentum == 0 and o.l1 == 0 and o.l2 == 0 and not grads.weight then
    gradient.accumulate(model.weight, grads.products, lr / batch)
  else
    grads.weight = whole_weight(model, grads)
    if o.l1 > 0 then
      grads.weight = grads.weight - model.weight:sign() * (o.l1 * batch)
    end
  end
  local options = { lr = lr / batch, momentum = momentum, dampening = 0, maximize = true }
  for _, name in ipairs(NAMES) do
    if grads[name] then
      local parameter = model[name]
      local state = { momentum_buffer = momentum > 0 and self.buffers[name] or nil }
      options.weight_decay = name == "weight" and o.l2 * batch or 0
      core.sgd_step({ parameter }, { grads[name] }, { [parameter] = state }, options)
      self.buffers[name] = state.momentum_buffer
    end
  end
end

-- The sums of a step over the rows of data that are chosen.
local function sums_of(self, chosen)
  local model, o = self.model, self.options
  local rows = self.data:index_select(1, chosen)
  local v0 = input.binarize(model, rows, o.binarize, model.generator)
  local p0, v, p, row_weight = negative[o.method](self, v0)
  local sums = gradient.sums(v0, p0, v, p, row_weight)
  sums.activity = p0:mean(1)
  return sums
end

local function step(self, chosen, progress)
  local model, o, batch = self.model, self.options, chosen:size(1)
  local sums = self.share and self.share:sums(chosen) or sums_of(self, chosen)
  if model.options.center then
    model.hidden_offset:copy_(model.hidden_offset * (1 - o.offset_rate)
      + sums.activity * o.offset_rate)
  end
  local grads = gradient.center(model, sums, batch, sparsity_row(self, sums.activity))
  if o.method == "fpcd" then
    grads.weight = whole_weight(model, grads)
    negative.learn_fast(self, grads, value_at(o.fast_lr, progress) / batch)
  end
  update(self, grads, batch, progress)
end

-- Restores the last good state when the parameters are no longer reasonable.
local function guard(self, good, before)
  local largest = 0
  for _, name in ipairs(NAMES) do
    local most = self.model[name]:abs():max():item()
    largest = (most ~= most or most > largest) and most or largest
  end
  if largest < LARGEST_WEIGHT then
    return
  end
  self:load_state_dict(good)
  fail("fit: diverged in epoch %d (a parameter of size %.3g); the model is as it was after epoch "
    .. "%d; lower lr, now %.3g%s", before + 1, largest, before,
    value_at(self.options.lr, before / self.options.epochs),
    self.model.options.visible_units == "gaussian" and ", and scale the data to unit variance"
    or "")
end

-- The last step of a pass ends it.
local function end_epoch(self, good, before)
  self.epoch = self.epoch + 1
  guard(self, good, self.epoch - 1)
  local weight = self.model.weight
  self.update_ratio = (weight - before):abs():mean():item() / weight:abs():mean():item()
end

-- The number of batches of a pass.
function Trainer:__len()
  return (self.data:size(1) + self.options.batch_size - 1) // self.options.batch_size
end

local PASS = { skip = check.integer(0, 0) }

--- Returns an iterator over one pass, for use in `for`: each step of it learns from a batch and
--- gives the number of this batch.
--- Option: skip, how many batches to leave out at the start (0), as a run does that goes on in the
--- middle of a pass.
--- domain  each call is a new pass, and draws its order
--- raises  `fit: diverged in epoch`
---     local trainer = rbm.new({ visible = 4, hidden = 2 }):trainer(wrun.rand(250, 4):round())
---     for batch in trainer:batches() do print(batch, "of", #trainer) end
---@param options { skip: integer }?
---@return fun(): integer?
function Trainer:batches(options)
  local skip = check.options("batches", options, PASS).skip
  local o, good = self.options, self:state_dict()
  local n = self.data:size(1)
  local order = wrun.randperm(n, { generator = self.model.generator })
  local function learn(first, count)
    local before = first + count > n and self.model.weight:clone()
    step(self, order:narrow(1, first, count), (self.epoch + (first - 1) / n) / o.epochs)
    if before then
      end_epoch(self, good, before)
    end
  end
  local batch = skip
  return function()
    local first = batch * o.batch_size + 1
    if first > n then
      return nil
    end
    autograd.no_grad(learn, first, math.min(o.batch_size, n - first + 1))
    batch = batch + 1
    return batch
  end
end

--- Trains for one pass over the data.
--- raises  `fit: diverged in epoch`
---     local trainer = rbm.new({ visible = 4, hidden = 2 }):trainer(wrun.rand(100, 4):round())
---     trainer:run_epoch()
---     print(trainer.update_ratio)
function Trainer:run_epoch()
  local epoch = self.epoch
  for batch in self:batches() do
    if self.bar then
      self.bar:update(epoch + batch / #self)
    end
  end
end

--- Returns copies of all that training is: the model, the chains, the momentum, the epoch.
---     local trainer = rbm.new({ visible = 4, hidden = 2 }):trainer(wrun.rand(100, 4):round())
---     print(trainer:state_dict().epoch)
---@return table
function Trainer:state_dict()
  if self.share then
    self.share:gather()
  end
  local state = {
    model = self.model:state_dict(), epoch = self.epoch, update_ratio = self.update_ratio,
    memory = {}, buffers = {},
  }
  for _, part in ipairs { "memory", "buffers" } do
    for name, value in pairs(self[part]) do
      state[part][name] = value:clone()
    end
  end
  state.ladder = self.ladder and self.ladder:state_dict()
  return repr.record("StateDict", state)
end

--- Goes on where `state_dict` was called; the bits are those of a run that never stopped.
--- domain  a state of a trainer of a machine of the same sizes
--- raises  `load_state_dict: NAME: expected`
---     local machine, x = rbm.new { visible = 4, hidden = 2 }, wrun.rand(100, 4):round()
---     local trainer, later = machine:trainer(x), machine:trainer(x)
---     trainer:run_epoch()
---     later:load_state_dict(trainer:state_dict())
---     print(later.epoch)
function Trainer:load_state_dict(state)
  check.argument("load_state_dict", 1, state, check.table())
  self.model:load_state_dict(state.model)
  self.epoch, self.update_ratio = state.epoch, state.update_ratio
  self.memory, self.buffers, self.ladder = {}, {}, nil
  self.share = self.share and self.share:anew()
  for _, part in ipairs { "memory", "buffers" } do
    for name, value in pairs(state[part]) do
      self[part][name] = value:clone()
    end
  end
  if state.ladder then
    self.ladder = negative.ladder(self, state.ladder.states)
    self.ladder:load_state_dict(state.ladder)
  end
end

local function report(self)
  local model, o = self.model, self.options
  local count = math.min(1000, self.data:size(1))
  local function rows(data)
    count = math.min(count, data:size(1))
    local generator = wrun.Generator({ engine = "philox", seed = 1 })
    return input.binarize(model, data:narrow(1, 1, count), o.binarize, generator)
  end
  local train = rows(self.data)
  local info = {
    epoch = self.epoch,
    epochs = o.epochs,
    model = model,
    trainer = self,
    lr = value_at(o.lr, self.epoch / o.epochs),
    update_ratio = self.update_ratio,
    reconstruction_error = (train - model:reconstruct(train)):square():sum(2):mean():item(),
    free_energy = model:free_energy(train):mean():item(),
  }
  if o.valid then
    -- above 0: the model has begun to know its training set by heart
    info.free_energy_gap = model:free_energy(rows(o.valid)):mean():item() - info.free_energy
  end
  return repr.result("Report", info)
end

-- Trains in the loop of a run, which keeps the trainer and logs its reports.
local function fit_in_run(trainer, run)
  local o = trainer.options
  run:keep { trainer = trainer }
  for _, batches in run:loop(o.epochs, trainer) do
    for _ in batches do end
    local info = report(trainer)
    run:set {
      lr = info.lr, update_ratio = info.update_ratio, free_energy = info.free_energy,
      reconstruction_error = info.reconstruction_error,
    }
    if info.free_energy_gap then
      run:set { free_energy_gap = info.free_energy_gap }
    end
    if o.callback and o.callback(info) == false then
      break
    end
  end
end

local M = { methods = {} }

--- Makes a trainer, for those who want the loop in their own hands.
--- as      fit
--- raises  as `fit`
---     local trainer = rbm.new({ visible = 4, hidden = 2 }):trainer(wrun.rand(100, 4):round())
---     trainer:run_epoch()
---     print(trainer.epoch)
---@return wrun.rbm.Trainer
function M.methods:trainer(data, options)
  return Trainer(self, data, options)
end

--- Trains the machine and returns it.
--- shapes  data [n, visible] or [n, ...], floats in 0..1 or uint8 (which counts as 0..1)
--- domain  options method "pcd" (default), "cd", "fpcd", "pt" or "exact"; k steps a gradient (1);
---   chains (100) and temperatures (10, for pt); batch_size (100); epochs (10); lr, fast_lr and
---   momentum: a number, a function of progress 0..1, or { first, last }; l1, l2 (of the weights);
---   sparsity { target =, cost =, decay = }; offset_rate of the hidden offsets; binarize "none"
---   (default), "threshold" or "stochastic"; start_from_mean (where biases and offsets are all 0, the
---   visible biases begin at the data's mean);
---   valid (other data); callback(info) after each epoch, which ends the training by returning
---   false; resume: what a trainer's state_dict returned; run: a `wrun.experiment`, in whose loop it
---   trains, logs, saves and goes on after being stopped, also in the middle of an epoch; verbose
---   (false): a progress bar of its epochs, with the update ratio. info: epoch, epochs, model, trainer, lr;
---   update_ratio, the mean size of the last step's change of a weight over that of a weight
---   (Hinton advises 0.001); reconstruction_error; free_energy; with valid also free_energy_gap,
---   which grows when the data is learnt by heart
--- raises  `fit: argument 1: expected`; `fit: option NAME: expected`; `fit: diverged in epoch`: the
---   model is then as it was after the last good epoch
--- source  [Hinton2002], [Tieleman2008], [Tieleman2009], [Desjardins2010], [Melchior2016]
---     local machine = rbm.new { visible = 4, hidden = 2, seed = 1 }
---     local x = wrun.tensor({ { 1.0, 1, 0, 0 }, { 0.0, 0, 1, 1 } })
---     machine:fit(x, { method = "exact", lr = 0.5, epochs = 300 })
---     print(machine:reconstruct(x[1]:unsqueeze(1)))
function M.methods:fit(data, options)
  local trainer = Trainer(self, data, options)
  local o, callback = trainer.options, trainer.options.callback
  if o.run then
    fit_in_run(trainer, o.run)
    return self
  end
  local bar <close> = o.verbose and bars.bar {
    label = o.method, count = o.epochs, unit = " epochs",
  } or nil
  trainer.bar = bar
  while trainer.epoch < o.epochs do
    trainer:run_epoch()
    if bar then
      bar:set { update_ratio = trainer.update_ratio }
    end
    if callback and callback(report(trainer)) == false then
      break
    end
  end
  return self
end

--- Returns Hinton's checklist in numbers, for some rows of data.
--- shapes  data [n, visible]
--- domain  see wrun.rbm.statistics
---     local machine = rbm.new { visible = 4, hidden = 2, seed = 1 }
---     for name in pairs(machine:statistics(wrun.rand(10, 4):round())) do print(name) end
---@return table
function M.methods:statistics(data, options)
  input.check_data(self, "statistics", data)
  local o = check.options("statistics", options, { binarize = input.BINARIZE })
  return statistics.of(self, input.binarize(self, data, o.binarize, self.generator))
end

return M
