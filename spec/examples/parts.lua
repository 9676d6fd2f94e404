--- One part of each kind that an experiment may define itself: a layer, a loss, an optimiser, a
--- scheduler, a sampler, a transform, an operation with a derivative of its own, and a unit of an
--- RBM.

local check = require "wrun.check"
local wrun = require "wrun"
local nn, optim = wrun.nn, wrun.optim

local M = {}

-- A layer: its parameters are fields. Options are checked by rules, which name their defaults.
local Scale = nn.Module:extend("Scale")
M.Scale = Scale

local SCALE = { start = check.number(1), bias = check.boolean(false) }

function Scale:init(width, options)
  local o = check.options("Scale", options, SCALE)
  check.argument("Scale", 1, width, check.integer(nil, 1))
  self.by = nn.Parameter(wrun.full({ width }, o.start * 1.0))
  self.bias = o.bias and nn.Parameter(wrun.zeros(width)) or nil
end

function Scale:forward(x)
  local y = x * self.by
  return self.bias and y + self.bias or y
end

-- A loss: a module of an input and a target.
local Quartic = nn.Module:extend("Quartic")
M.Quartic = Quartic

function Quartic:forward(input, target) -- luacheck: ignore self
  return (input - target):pow(4):mean()
end

-- An optimiser: its options, and how it changes one parameter p along its gradient g.
local SignDescent = optim.Optimizer:extend("SignDescent")
M.SignDescent = SignDescent

SignDescent.rules = { lr = check.number(0.01, 0), momentum = check.number(0, 0, 1) }

function SignDescent:change(p, g, state, group) -- luacheck: ignore self
  state.mean = (state.mean or wrun.zeros_like(p)) * group.momentum + g
  p:sub_(state.mean:sign() * group.lr)
end

-- A scheduler: the rate of a group at step self.last_epoch, from the rate it has.
local Halving = optim.lr_scheduler.LRScheduler:extend("Halving")
M.Halving = Halving

Halving.rules = { every = check.integer(1, 1) }

function Halving:next_lr(lr)
  return self.last_epoch % self.every == 0 and lr / 2 or lr
end

-- A sampler: an object with a length, and iterate, which begins a pass.
local Odd = {}
Odd.__index = Odd
M.Odd = Odd

function Odd.of(count)
  return setmetatable({ count = count }, Odd)
end

function Odd:__len()
  return (self.count + 1) // 2
end

function Odd:iterate()
  local index = -1
  return function()
    index = index + 2
    return index <= self.count and index or nil
  end
end

-- A transform: a function of a batch.
function M.centred(x)
  return x - x:mean()
end

-- An operation whose derivative is written here: x where it is positive, with a gradient everywhere.
M.straight_relu = wrun.autograd.Function {
  name = "StraightRelu",
  forward = function(_, x)
    return x:relu()
  end,
  backward = function(_, g)
    return g
  end,
}

-- A unit of an RBM that is -1 or 1: the sum over both of exp(s y) is 2 cosh y, the mean its tanh.
M.spin = wrun.rbm.units {
  name = "spin",
  least = -1,
  most = 1,
  mean = function(y)
    return y:tanh()
  end,
  sample = function(y, generator)
    local u = wrun.rand(y.shape, { dtype = y.dtype, generator = generator })
    return u:lt((y * 2):sigmoid()) * 2.0 - 1
  end,
  log_partition = function(y)
    return wrun.logaddexp(y, -y):sum(2)
  end,
  bias_of = function(mean)
    return mean:clamp(-0.999, 0.999):atanh()
  end,
}

return M
