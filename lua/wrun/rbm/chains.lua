--- Markov chains that stay: Gibbs sampling, clamped sampling, and parallel tempering.

local check = require "wrun.check"
local Class = require "wrun.class"
local input = require "wrun.rbm.input"
local repr = require "wrun.repr"
local wrun = require "wrun"

local fail = check.fail

---@class wrun.rbm.Chains: wrun.Class
--- Markov chains that a machine's `chains` makes, and that stay where their last step left them.
---@field v wrun.Tensor [chains, visible], the chains' states at the model itself
---@field states wrun.Tensor [temperatures * chains, visible], the coldest, the model, last
local Chains = Class:extend("rbm.Chains")

local RULES = {
  temperatures = check.integer(1, 1),
  start = check.optional(check.tensor()),
}

local COUNT = check.integer(nil, 1)
local STEPS = check.integer(1, 1)

-- The chains' states at the model itself.
local function coldest(self)
  return self.states:narrow(1, self.states:size(1) - self.count + 1, self.count)
end

function Chains:init(model, count, options)
  count = check.argument("chains", 1, count, COUNT)
  local o = check.options("chains", options, RULES)
  self.model, self.count, self.levels = model, count, o.temperatures
  local rows = count * o.temperatures
  if o.start then
    local start = input.layer(model, "chains", o.start, model.options.visible):clone()
    if start:size(1) ~= rows then
      fail("chains: option start: expected %d rows, got %s", rows, check.shape_text(start))
    end
    self.states = start
  else
    self.states = model:_draw_base(rows)
  end
  self.tried, self.swapped = {}, {}
  if self.levels > 1 then
    self.betas = wrun.linspace(0, 1, self.levels, { dtype = "float64" })
    self.beta_rows = self.betas:unsqueeze(2):expand(self.levels, count):reshape(rows)
    for level = 1, self.levels - 1 do
      self.tried[level], self.swapped[level] = 0, 0
    end
  end
  self.steps = 0
  self.v = coldest(self)
end

-- "Chains(100 chains of RBM(...), 20 steps)"
function Chains:__tostring()
  local levels = self.levels > 1 and (" at %d temperatures"):format(self.levels) or ""
  return ("Chains(%d chains%s of %s, %d steps)"):format(self.count, levels, self.model, self.steps)
end

-- Neighbouring temperatures exchange their states with the probability that keeps both
-- distributions: log r = (beta_i - beta_j) (U_j - U_i), where U is the exponent's slope in beta.
local function exchange(self, v, h)
  local model, count = self.model, self.count
  local slope = v:matmul(model.visible_bias - model.base) + h:matmul(model.hidden_bias)
    + (model:_to_hidden(v) * h):sum(2)
  slope = slope:double():tolist()
  local chance = wrun.rand(self.levels * count, { dtype = "float64", generator = model.generator })
    :log():tolist()
  local order = {}
  for row = 1, self.levels * count do
    order[row] = row
  end
  local gap = 1 / (self.levels - 1)
  for level = 1 + self.steps % 2, self.levels - 1, 2 do
    for chain = 1, count do
      local row = (level - 1) * count + chain
      local other = row + count
      if chance[row] < gap * (slope[row] - slope[other]) then
        order[row], order[other] = other, row
        self.swapped[level] = self.swapped[level] + 1
      end
    end
    self.tried[level] = self.tried[level] + count
  end
  return v:index_select(1, wrun.tensor(order))
end

--- Makes `k` steps v -> h -> v of every chain; units where `mask` is 1 keep their values.
--- shapes  mask [visible] or [chains, visible]
--- domain  k >= 1 (1); with temperatures, an exchange follows every step
---     print(rbm.new({ visible = 4, hidden = 2 }):chains(10):step(100).v:mean(1))
---@param mask wrun.Tensor?
function Chains:step(k, mask)
  k = check.argument("step", 1, k, STEPS)
  local model, beta, given = self.model, self.beta_rows, self.states
  mask = mask ~= nil and input.mask("step", mask, given)
  local v = given
  for _ = 1, k do
    self.steps = self.steps + 1
    if beta then
      v = exchange(self, v, model:_draw_hidden(v, beta))
    end
    v = model:_draw_visible(model:_draw_hidden(v, beta), beta)
    if mask then
      v:copy_(wrun.where(mask, given, v))
    end
  end
  self.states = v
  self.v = coldest(self)
  return self
end

--- Returns the share of exchanges between each temperature and the next that were accepted.
--- domain  0..1; an empty table without temperatures
---     local chains = rbm.new({ visible = 4, hidden = 2 }):chains(10, { temperatures = 5 })
---     print(#chains:step(20):swap_rates())
---@return number[]
function Chains:swap_rates()
  local rates = {}
  for level = 1, self.levels - 1 do
    rates[level] = self.swapped[level] / math.max(self.tried[level], 1)
  end
  return rates
end

--- Returns the probabilities of the visible units, as pictures.
--- shapes  -> [chains, height, width]
--- domain  height times width is the number of visible units
---     print(rbm.new({ visible = 6, hidden = 2 }):chains(10):step(5):images(2, 3).shape[1])
function Chains:images(height, width)
  height = check.argument("images", 1, height, check.integer(nil, 0))
  width = check.argument("images", 2, width, check.integer(nil, 0))
  local visible = self.model.options.visible
  if height * width ~= visible then
    fail("images: expected a height and width of %d pixels, got %s x %s", visible, height, width)
  end
  return self.model:reconstruct(self.v):reshape(self.count, height, width)
end

--- Returns copies of all that the chains are, but for the machine and its generator.
--- shapes  states as the field
---     local chains = rbm.new({ visible = 4, hidden = 2 }):chains(10):step(5)
---     print(chains:state_dict().steps)
---@return { states: wrun.Tensor, steps: integer, tried: integer[], swapped: integer[] }
function Chains:state_dict()
  return repr.record("StateDict", {
    states = self.states:clone(),
    steps = self.steps,
    tried = { table.unpack(self.tried) },
    swapped = { table.unpack(self.swapped) },
  })
end

local function counts(levels)
  return check.rule(nil, ("a list of %d integers"):format(levels - 1), function(value)
    return type(value) == "table" and #value == levels - 1 and value or nil
  end)
end

--- Makes the chains what `state_dict` of as many returned.
--- shapes  states as the field
--- domain  copied, and converted to the machine's dtype; on an error nothing has changed
---     local machine = rbm.new { visible = 4, hidden = 2 }
---     local chains, other = machine:chains(10):step(5), machine:chains(10)
---     other:load_state_dict(chains:state_dict())
---     assert(other.v:equal(chains.v))
function Chains:load_state_dict(state)
  local saved = check.options("load_state_dict", state, {
    states = check.tensor(), steps = check.integer(nil, 0),
    tried = counts(self.levels), swapped = counts(self.levels),
  })
  if not check.same_shape(saved.states, self.states) then
    fail("load_state_dict: states: expected %s, got %s", check.shape_text(self.states),
      check.shape_text(saved.states))
  end
  self.states = saved.states:to(self.states.dtype):clone()
  self.v = coldest(self)
  self.steps = saved.steps
  self.tried, self.swapped = { table.unpack(saved.tried) }, { table.unpack(saved.swapped) }
end

local M = { methods = {} }

--- Returns the autocorrelation of a series, averaged over chains, at lags 0 to `most`.
--- shapes  series [steps, chains] -> [most + 1] float64
--- domain  1 at lag 0; second, the integrated autocorrelation time in steps (at least 1)
--- source  [Sokal1997]: summed until the lag exceeds five times the sum
---     local x = wrun.randn(100, 2)
---     print(rbm.autocorrelation(x, 3))
---@return wrun.Tensor
---@return number time
function M.autocorrelation(series, most)
  check.tensor_argument("autocorrelation", 1, series)
  if series.ndim ~= 2 or series:size(1) < 2 then
    fail("autocorrelation: argument 1: expected [steps, chains] with 2 steps or more, got %s",
      check.shape_text(series))
  end
  local steps = series:size(1)
  most = check.argument("autocorrelation", 2, most, check.integer(nil, 0, steps - 1))
  local x = series:double()
  x = x - x:mean()
  local variance = x:square():mean():item()
  local rho, time, is_open = {}, 1, true
  for lag = 0, most do
    local product = x:narrow(1, 1, steps - lag) * x:narrow(1, lag + 1, steps - lag)
    rho[lag + 1] = product:mean():item() / variance
    if lag > 0 and is_open then
      time = time + 2 * rho[lag + 1]
      is_open = lag < 5 * time
    end
  end
  return wrun.tensor(rho, { dtype = "float64" }), math.max(time, 1)
end

--- Makes persistent chains.
--- shapes  option start [temperatures * chains, visible]
--- domain  options temperatures (1; more is parallel tempering, from the reference model to this
---   one in equal steps of inverse temperature) and start (default: the reference model)
--- raises  `chains: argument 1: expected`; `chains: option start: expected`
---     print(rbm.new({ visible = 4, hidden = 2 }):chains(10):step(5).v.shape[1])
---@return wrun.rbm.Chains
function M.methods:chains(count, options)
  return Chains(self, count, options)
end

return M
