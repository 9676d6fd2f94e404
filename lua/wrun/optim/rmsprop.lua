--- RMSprop: steps divided by the root of a running mean of squared gradients.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

local average_, average_square_, buffer = common.average_, common.average_square_, common.buffer

--- Makes an optimiser whose steps are divided by the root of a running mean of squared gradients:
---     v = alpha v + (1 - alpha) g^2,  b = momentum * b + g / (sqrt(v) + eps)
---     p = p - lr * b
--- options  centered: v less the square of a running mean of g, the variance, takes the place of v;
---   where rounding takes that below 0 it counts as 0 (PyTorch: NaN)
--- source  [Hinton2012rms] slide 29; centred as in [Graves2013]
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.RMSprop({ w }, { lr = 0.1, alpha = 0.75 }):step()
---     print(w:item()) -- 1 - 0.1 * 3 / sqrt(0.25 * 9)
---@class wrun.optim.RMSprop: wrun.optim.Optimizer
local RMSprop = Optimizer:extend("RMSprop")

RMSprop.rules = {
  lr = check.number(1e-2, 0),
  alpha = check.number(0.99, 0),
  eps = check.number(1e-8, 0),
  weight_decay = check.number(0, 0),
  momentum = check.number(0, 0),
  centered = check.boolean(false),
  maximize = check.boolean(false),
}

function RMSprop.change(_, parameter, grad, state, group)
  common.count(state)
  local g = common.descent(parameter, grad, group)
  local spread = average_square_(buffer(state, "square_avg", parameter), g, group.alpha)
  if group.centered then
    local mean = average_(buffer(state, "grad_avg", parameter), g, group.alpha)
    spread = (spread - mean * mean):relu_()
  end
  local direction = g / spread:sqrt():add_(group.eps)
  if group.momentum > 0 then
    direction = buffer(state, "momentum_buffer", parameter):mul_(group.momentum):add_(direction)
  end
  parameter:sub_(direction * group.lr)
end

return RMSprop
