--- SGD: stochastic gradient descent, with momentum.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local sgd_step = core.sgd_step

--- With g the gradient plus weight_decay * p (minus the gradient when `maximize`), a step is
---     b = momentum * b + (1 - dampening) * g, the first b being g itself
---     p = p - lr * (g + momentum * b when nesterov, else b)
--- and plain p - lr * g without momentum.
--- domain  options lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false,
---   maximize = false
--- raises  as Optimizer; `SGD: option nesterov: expected momentum above 0 and dampening 0`
--- source  [Sutskever2013] in PyTorch's form
---
---     local optimizer = optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
---@class wrun.optim.SGD: wrun.optim.Optimizer
local SGD = Optimizer:extend("SGD")

SGD.rules = {
  lr = check.number(1e-3, 0),
  momentum = check.number(0, 0),
  dampening = check.number(0),
  weight_decay = check.number(0, 0),
  nesterov = check.boolean(false),
  maximize = check.boolean(false),
}

function SGD:check_together(options)
  if options.nesterov and (options.momentum == 0 or options.dampening ~= 0) then
    core.fail("%s: option nesterov: expected momentum above 0 and dampening 0, got %s and %s",
      self.__name, options.momentum, options.dampening)
  end
end

function SGD:update(group)
  local states, parameters = self.state, group.params
  local lr, momentum, dampening = group.lr, group.momentum, group.dampening
  local weight_decay, nesterov, maximize = group.weight_decay, group.nesterov, group.maximize
  for i = 1, #parameters do
    local parameter = parameters[i]
    local grad = parameter.grad
    if grad ~= nil then
      local state = states[parameter]
      local first = state == nil
      if first and momentum ~= 0 then
        state = { momentum_buffer = wrun.zeros_like(parameter) }
      end
      sgd_step(parameter, grad, momentum ~= 0 and state.momentum_buffer or nil, first, lr, momentum,
        dampening, weight_decay, nesterov, maximize)
      states[parameter] = state
    end
  end
end

return SGD
