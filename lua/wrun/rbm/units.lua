--- The kinds of units: what a layer does with its input, for binary, Gaussian and softmax units, and
--- for units of a script's own. A kind is a table of functions. Layers are [rows, units]; `x` is the
--- layer's input without its bias. The units see y = beta (x + bias) + (1 - beta) base; without beta,
--- x + bias.
---
---     mean(x, bias)                   E[unit | y], in place of x
---     sample(x, bias, g[, options])   a sample in place of x; options beta, base (0), and out: what
---                                     gets the sample, while x gets the mean
---     log_partition(x, bias[, beta])  log of the sum over states, [rows] float64
---     self_energy(v)                  the energy that neither bias nor weight has
---     bias_of(mean)                   the bias at which a unit alone has this mean
---     least, most                     the bounds of what visible units may be, nil where none

local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local LOG_2PI = math.log(2 * math.pi)

local M = {}

local NONE = {}

-- y for the kinds whose kernel does not compute it; beta is a number or one a row
local function input(x, bias, beta, base)
  local y = x + bias
  if beta == nil then
    return y
  end
  if check.is_tensor(beta) then
    beta = beta:to(x.dtype):unsqueeze(2)
  end
  y = y * beta
  return base and y + base * (1 - beta) or y
end

local function no_energy()
  return 0
end

-- A kind prints as its name.
local Kind = {
  __name = "rbm.units",
  __tostring = function(units)
    return units.name
  end,
}

M.binary = {
  least = 0,
  most = 1,
  mean = core.rbm_sample,
  sample = core.rbm_sample,
  log_partition = core.rbm_softplus,
  self_energy = no_energy,
  bias_of = function(mean)
    local p = mean:clamp(0.001, 0.999)
    return (p / (1 - p)):log()
  end,
}

-- A kind from functions of y, which `M.new` describes.
local function kind(parts)
  return setmetatable({
    name = parts.name,
    least = parts.least,
    most = parts.most,
    mean = function(x, bias)
      return x:copy_(parts.mean(x + bias))
    end,
    sample = function(x, bias, generator, options)
      local o = options or NONE
      local y = input(x, bias, o.beta, o.base)
      local sample = parts.sample(y, generator)
      if o.out then
        x:copy_(parts.mean(y))
      end
      return (o.out or x):copy_(sample)
    end,
    log_partition = function(x, bias, beta)
      return parts.log_partition(input(x, bias, beta):double())
    end,
    self_energy = parts.self_energy or no_energy,
    bias_of = parts.bias_of,
  }, Kind)
end

M.gaussian = kind {
  name = "gaussian",
  mean = function(y)
    return y
  end,
  sample = function(y, generator)
    return y + wrun.randn(y.shape, { dtype = y.dtype, generator = generator })
  end,
  log_partition = function(y)
    return y:square():sum(2) / 2 + LOG_2PI * y:size(2) / 2
  end,
  self_energy = function(v)
    return v:double():square():sum(2) / 2
  end,
  bias_of = function(mean)
    return mean
  end,
}

--- Groups of `categories` units of which one is on.
function M.softmax(categories)
  local function groups(y)
    return y:reshape(y:size(1), -1, categories)
  end
  local function mean(y)
    return groups(y):softmax(3):reshape(y.shape)
  end
  return kind {
    name = "softmax",
    least = 0,
    most = 1,
    mean = mean,
    sample = function(y, generator)
      return core.rbm_sample_groups(mean(y), categories, generator)
    end,
    log_partition = function(y)
      return groups(y):logsumexp(3):sum(2)
    end,
    bias_of = function(mean_value)
      return mean_value:clamp(0.001, 1):log()
    end,
  }
end

local RULES = {
  name = check.string(),
  mean = check.func(),
  sample = check.func(),
  log_partition = check.func(),
  self_energy = check.optional(check.func()),
  bias_of = check.optional(check.func()),
  least = check.optional(check.number()),
  most = check.optional(check.number()),
}

--- Makes a kind of units of one's own, for the options visible_units and hidden_units of `rbm.new`.
--- shapes  y [rows, units], what the units see; mean and sample like y; log_partition and
---   self_energy [rows]
--- domain  name, for printing; mean(y), the unit's mean; sample(y, generator); log_partition(y), the
---   logarithm of the sum over a row's states s of exp(s y - self_energy), of a float64 y;
---   self_energy(s), 0 where it is not given; for visible units bias_of(mean), the bias at which a
---   unit alone has this mean (0 where it is not given), and the bounds least and most of the data
---     local spin = rbm.units { -- -1 or 1
---       name = "spin", least = -1, most = 1,
---       mean = function(y) return y:tanh() end,
---       sample = function(y, generator)
---         local p = (y * 2):sigmoid()
---         return wrun.rand(y.shape, { dtype = y.dtype, generator = generator }):lt(p) * 2.0 - 1
---       end,
---       log_partition = function(y) return wrun.logaddexp(y, -y):sum(2) end,
---       bias_of = function(mean) return mean:clamp(-0.999, 0.999):atanh() end,
---     }
---     print(rbm.new { visible = 4, hidden = 2, visible_units = spin }:log_z())
---@param parts table
---@return table kind
function M.new(parts)
  local o = check.options("rbm.units", parts, RULES)
  o.bias_of = o.bias_of or wrun.zeros_like
  return kind(o)
end

--- A rule for the option of a layer's units: one of the names, or what `M.new` makes.
function M.rule(...)
  local names = check.choice("binary", { ... })
  return check.rule("binary", names.expected:gsub(" or ", ", ") .. " or what rbm.units makes",
    function(value)
      return getmetatable(value) == Kind and value or names.accept(value)
    end)
end

return M
