--- The kinds of units: what a layer does with its input, for binary, Gaussian and softmax units.
--- A kind is a table of functions. Layers are [rows, units]; `x` is the layer's input without its
--- bias. The units see y = beta (x + bias) + (1 - beta) base; without beta, x + bias.
---
---     mean(x, bias)                   E[unit | y], in place of x
---     sample(x, bias, g[, options])   a sample in place of x; options beta, base (0), and out: what
---                                     gets the sample, while x gets the mean
---     log_partition(x, bias[, beta])  log of the sum over states, [rows] float64
---     self_energy(v)                  the energy that neither bias nor weight has
---     bias_of(mean)                   the bias at which a unit alone has this mean

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

M.binary = {
  mean = core.rbm_sample,
  sample = core.rbm_sample,
  log_partition = core.rbm_softplus,
  self_energy = no_energy,
  bias_of = function(mean)
    local p = mean:clamp(0.001, 0.999)
    return (p / (1 - p)):log()
  end,
}

M.gaussian = {
  mean = function(x, bias)
    return x:copy_(x + bias)
  end,
  sample = function(x, bias, generator, options)
    local o = options or NONE
    local y = input(x, bias, o.beta, o.base)
    local noise = wrun.randn(x.shape, { dtype = x.dtype, generator = generator })
    if o.out then
      x:copy_(y)
    end
    return (o.out or x):copy_(y + noise)
  end,
  log_partition = function(x, bias, beta)
    local y = input(x, bias, beta):double()
    return y:square():sum(2) / 2 + LOG_2PI * x:size(2) / 2
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
  local function probability(x, y)
    return x:copy_(groups(y):softmax(3):reshape(x.shape))
  end
  return {
    mean = function(x, bias)
      return probability(x, x + bias)
    end,
    sample = function(x, bias, generator, options)
      local o = options or NONE
      probability(x, input(x, bias, o.beta, o.base))
      return core.rbm_sample_groups(o.out and o.out:copy_(x) or x, categories, generator)
    end,
    log_partition = function(x, bias, beta)
      return groups(input(x, bias, beta):double()):logsumexp(3):sum(2)
    end,
    self_energy = no_energy,
    bias_of = function(mean)
      return mean:clamp(0.001, 1):log()
    end,
  }
end

return M
