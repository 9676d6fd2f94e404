--- SGD: stochastic gradient descent, with momentum.

local check = require "wrun.check"
local core = require "wrun.core"
local Optimizer = require "wrun.optim.optimizer"

--- Makes an optimiser that steps against the gradient, with momentum:
---     b = momentum * b + (1 - dampening) * g, the first b being g itself
---     p = p - lr * (g + momentum * b) when nesterov, else p = p - lr * b
--- and plain p - lr * g without momentum.
--- raises  `SGD: option nesterov: expected momentum above 0 and dampening 0`
--- source  [Sutskever2013] in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.SGD({ w }, { lr = 0.1, momentum = 0.9 }):step()
---     print(w:item()) -- 0.7
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
    check.fail("%s: option nesterov: expected momentum above 0 and dampening 0, got %s and %s",
      self.__name, options.momentum, options.dampening)
  end
end

function SGD.update(_, parameters, gradients, states, group)
  core.sgd_step(parameters, gradients, states, group)
end

return SGD
