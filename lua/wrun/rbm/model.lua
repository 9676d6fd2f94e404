--- The Restricted Boltzmann Machine itself: energies, conditional distributions, samples.
--- E(v, h) = S(v) + S(h) - a v - b h - h W v, where S is 0 for binary and softmax units and half
--- the sum of squares for Gaussian ones (unit variance).

local check = require "wrun.check"
local Class = require "wrun.class"
local input = require "wrun.rbm.input"
local repr = require "wrun.repr"
local units = require "wrun.rbm.units"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local fail = check.fail

---@class wrun.rbm.Model: wrun.Class
---@field weight wrun.Tensor [hidden, visible]
---@field visible_bias wrun.Tensor [visible]
---@field hidden_bias wrun.Tensor [hidden]
---@field generator any the engine philox, from which all samples come
---@field mpi table? the ranks that share out what the machine does, if it is distributed
local Model = Class:extend("rbm.Model")
Model._habits = { train = "write model:fit(x)" }

local RULES = {
  visible = check.integer(nil, 1),
  hidden = check.integer(nil, 1),
  visible_units = units.rule("binary", "gaussian", "softmax"),
  hidden_units = units.rule("binary", "gaussian"),
  categories = check.optional(check.integer(nil, 2)),
  center = check.boolean(true),
  std = check.number(0.01, 0),
  seed = check.optional(check.integer()),
  dtype = check.float_dtype("float32"),
}

-- The kind of units that an option names or is.
local function kind_of(value)
  return units[value] or value
end

local function visible_kind(o)
  if o.visible_units ~= "softmax" then
    if o.categories then
      fail("rbm.new: option categories: expected none for %s units, got %d",
        tostring(o.visible_units), o.categories)
    end
    return kind_of(o.visible_units)
  end
  if not o.categories or o.visible % o.categories ~= 0 then
    fail("rbm.new: option categories: expected a divisor of visible = %d, got %s", o.visible,
      check.describe(o.categories))
  end
  return units.softmax(o.categories)
end

--- A Restricted Boltzmann Machine: `wrun.rbm.new` makes one, and says more.
--- domain  as rbm.new
--- raises  as rbm.new
---     print(rbm.new { visible = 784, hidden = 500 })
---@param options table
function Model:init(options)
  local o = check.options("rbm.new", options, RULES)
  local seed = o.seed or wrun.randint(0, 2 ^ 53, { 1 }, { dtype = "int64" }):item()
  self.options = o
  self.visible_kind, self.hidden_kind = visible_kind(o), kind_of(o.hidden_units)
  self.generator = wrun.Generator({ engine = "philox", seed = seed })
  local with = { dtype = o.dtype }
  self.weight = wrun.empty(o.hidden, o.visible, with)
  self.weight:normal_(0, o.std, { generator = self.generator })
  self.visible_bias = wrun.zeros(o.visible, with)
  self.hidden_bias = wrun.zeros(o.hidden, with)
  self.base = wrun.zeros(o.visible, with)
  self.visible_offset = wrun.zeros(o.visible, with)
  self.hidden_offset = wrun.zeros(o.hidden, with)
end

function Model:__tostring()
  local o = self.options
  return ("RBM(%d %s visible, %d %s hidden)"):format(o.visible, tostring(o.visible_units), o.hidden,
    tostring(o.hidden_units))
end

-- Conditionals ---------------------------------------------------------------

-- What the hidden (visible) units get from the other layer.
function Model:_to_hidden(v)
  return unrecorded.linear(v, self.weight)
end

function Model:_to_visible(h)
  return unrecorded.matmul(h, self.weight)
end

-- Samples of the hidden (visible) units given the other layer; with beta, a number or one a row, at
-- this inverse temperature on the path from the reference model (visible biases `base`) to this one.
function Model:_draw_hidden(v, beta)
  return self.hidden_kind.sample(self:_to_hidden(v), self.hidden_bias, self.generator,
    beta and { beta = beta })
end

function Model:_draw_visible(h, beta)
  return self.visible_kind.sample(self:_to_visible(h), self.visible_bias, self.generator,
    beta and { beta = beta, base = self.base })
end

-- Samples of the visible units of the reference model, which are independent.
function Model:_draw_base(rows)
  local x = wrun.zeros(rows, self.options.visible, { dtype = self.options.dtype })
  return self.visible_kind.sample(x, self.base, self.generator)
end

--- Returns the probability (for Gaussian units the mean) of each hidden unit given the visible
--- ones.
--- shapes  v [batch, visible] -> [batch, hidden]
--- domain  probabilities; v of any values, images as uint8 count as 0..1
---     print(rbm.new({ visible = 4, hidden = 2 }):hidden(wrun.ones(3, 4)))
function Model:hidden(v)
  v = input.layer(self, "hidden", v, self.options.visible)
  return self.hidden_kind.mean(self:_to_hidden(v), self.hidden_bias)
end

--- Returns the probability (for Gaussian units the mean) of each visible unit given the hidden
--- ones.
--- shapes  h [batch, hidden] -> [batch, visible]
--- domain  h of any values
---     print(rbm.new({ visible = 4, hidden = 2 }):visible(wrun.ones(3, 2)))
function Model:visible(h)
  h = input.layer(self, "visible", h, self.options.hidden)
  return self.visible_kind.mean(self:_to_visible(h), self.visible_bias)
end

--- Returns a sample of the hidden units given the visible ones.
--- as      hidden
--- domain  v of any values, images as uint8 count as 0..1
function Model:sample_h(v)
  v = input.layer(self, "sample_h", v, self.options.visible)
  return self:_draw_hidden(v)
end

--- Returns a sample of the visible units given the hidden ones.
--- as      visible
function Model:sample_v(h)
  h = input.layer(self, "sample_v", h, self.options.hidden)
  return self:_draw_visible(h)
end

local STEPS = check.integer(1, 1)

--- Returns the visible units after `k` steps of Gibbs sampling; where `mask` is 1 they stay as they
--- are.
--- shapes  v [batch, visible], mask [visible] or [batch, visible] -> [batch, visible]
--- domain  k >= 1; the mask holds 0 and 1, or is bool: 1 clamps the unit to its value in v
--- cost    k products there and back
---     local machine = rbm.new { visible = 4, hidden = 2, seed = 1 }
---     print(machine:gibbs(wrun.zeros(3, 4), 10, wrun.tensor({ 1, 0, 0, 0 }))) -- unit 1 stays 0
---@param mask wrun.Tensor?
function Model:gibbs(v, k, mask)
  local given = input.layer(self, "gibbs", v, self.options.visible)
  k = check.argument("gibbs", 2, k, STEPS)
  mask = mask ~= nil and input.mask("gibbs", mask, given)
  v = given
  for _ = 1, k do
    v = self:_draw_visible(self:_draw_hidden(v))
    if mask then
      v:copy_(wrun.where(mask, given, v))
    end
  end
  return v
end

--- Returns the probabilities of the visible units after one step up and down without sampling.
--- shapes  v [batch, visible] -> [batch, visible]
--- domain  v of any values, images as uint8 count as 0..1
---     print(rbm.new({ visible = 4, hidden = 2 }):reconstruct(wrun.ones(3, 4)))
function Model:reconstruct(v)
  v = input.layer(self, "reconstruct", v, self.options.visible)
  local h = self.hidden_kind.mean(self:_to_hidden(v), self.hidden_bias)
  return self.visible_kind.mean(self:_to_visible(h), self.visible_bias)
end

-- Energies -------------------------------------------------------------------

--- Returns the energy of each pair of visible and hidden states.
--- shapes  v [batch, visible], h [batch, hidden] -> [batch] float64
--- domain  nats
---     print(rbm.new({ visible = 4, hidden = 2 }):energy(wrun.ones(1, 4), wrun.ones(1, 2)))
function Model:energy(v, h)
  v = input.layer(self, "energy", v, self.options.visible)
  h = input.layer(self, "energy", h, self.options.hidden, 2)
  if v:size(1) ~= h:size(1) then
    fail("energy: argument 2: expected %d rows to match %s, got %s", v:size(1),
      check.shape_text(v), check.shape_text(h))
  end
  local linear = v:matmul(self.visible_bias):double() + h:matmul(self.hidden_bias):double()
  local pairwise = (self:_to_hidden(v) * h):double():sum(2)
  return self.visible_kind.self_energy(v) + self.hidden_kind.self_energy(h) - linear - pairwise
end

-- log of the unnormalised probability of v at beta on the path to this model; x is h's input
function Model:_log_weight(v, x, beta)
  local bias = self.visible_bias
  if beta then
    bias = bias * beta + self.base * (1 - beta)
  end
  return v:matmul(bias):double() + self.hidden_kind.log_partition(x, self.hidden_bias, beta)
    - self.visible_kind.self_energy(v)
end

--- Returns the free energy of visible states: exp(-F(v)) is proportional to the probability of v.
--- shapes  v [batch, visible] -> [batch] float64
--- domain  nats
--- source  [Hinton2012] section 16.1
---     print(rbm.new({ visible = 4, hidden = 2 }):free_energy(wrun.eye(4)))
function Model:free_energy(v)
  v = input.layer(self, "free_energy", v, self.options.visible)
  return -self:_log_weight(v, self:_to_hidden(v))
end

-- Parameters -----------------------------------------------------------------

--- Returns the parameters of the centred model with the same distribution, whose energy is
--- -(v - mu) a' - (h - lambda) b' - (h - lambda) W (v - mu). The model's own are the plain ones.
--- shapes  visible_bias, visible_offset [visible]; hidden_bias, hidden_offset [hidden]
--- source  [Melchior2016] eq. 5 and 6
---     print(rbm.new({ visible = 4, hidden = 2 }):centered().visible_bias)
---@return table
function Model:centered()
  local mu, lambda = self.visible_offset, self.hidden_offset
  return repr.record("Parameters", {
    weight = self.weight:clone(),
    visible_bias = self.visible_bias + lambda:matmul(self.weight),
    hidden_bias = self.hidden_bias + self.weight:matmul(mu),
    visible_offset = mu:clone(),
    hidden_offset = lambda:clone(),
  })
end

--- Returns copies of the parameters without offsets.
--- shapes  weight [hidden, visible], visible_bias [visible], hidden_bias [hidden]
---     print(rbm.new({ visible = 4, hidden = 2 }):plain().weight)
---@return table
function Model:plain()
  return repr.record("Parameters", {
    weight = self.weight:clone(),
    visible_bias = self.visible_bias:clone(),
    hidden_bias = self.hidden_bias:clone(),
  })
end

local STATE = {
  "weight", "visible_bias", "hidden_bias", "base", "visible_offset", "hidden_offset",
}

--- Returns copies of all that the model is: parameters, offsets, and where its generator stands.
--- shapes  as the parameters
---     print(rbm.new({ visible = 4, hidden = 2 }):state_dict().weight)
---@return table<string, wrun.Tensor>
function Model:state_dict()
  local state = { generator = self.generator:get_state() }
  for _, name in ipairs(STATE) do
    state[name] = self[name]:clone()
  end
  return repr.record("StateDict", state)
end

--- Makes the model what `state_dict` of a model of the same sizes returned.
--- shapes  as the parameters
--- domain  copied, and converted to the model's dtype
---     local machine = rbm.new { visible = 4, hidden = 2, seed = 1 }
---     local other = rbm.new { visible = 4, hidden = 2 }
---     other:load_state_dict(machine:state_dict())
---     assert(other.weight:equal(machine.weight))
---@param state table<string, wrun.Tensor>
function Model:load_state_dict(state)
  for _, name in ipairs(STATE) do
    local own, given = self[name], type(state) == "table" and state[name]
    if not check.is_tensor(given) or not check.same_shape(own, given) then
      fail("load_state_dict: %s: expected a tensor %s, got %s", name, check.shape_text(own),
        check.describe(given))
    end
  end
  self.generator:set_state(state.generator)
  for _, name in ipairs(STATE) do
    self[name]:copy_(state[name])
  end
end

--- Makes the machine rank 0's, on all ranks, and shares out over them what `fit` and `ais` do from
--- then on: batches, chains and runs. Returns the machine.
---
--- The bits are the same for any number of ranks, one too; they are not those of a machine that is
--- not distributed, which adds up in one piece. `mpi.distribute(machine)` is the same.
--- domain  mpi is `wrun.mpi`; all ranks then call the same methods with the same data and options
---     local machine = rbm.new { visible = 4, hidden = 2, seed = 1 }
---     machine:distribute(wrun.mpi):fit(wrun.rand(10, 4):round(), { epochs = 2 })
---     print(wrun.fingerprint { machine.weight })
---@param mpi table
---@return wrun.rbm.Model
function Model:distribute(mpi)
  check.argument("distribute", 1, mpi, check.mpi())
  local state = self:state_dict()
  for _, name in ipairs(check.sorted_keys(state)) do
    mpi.broadcast(state[name])
  end
  self:load_state_dict(state)
  self.mpi = mpi
  return self
end

return Model
