--- Lion: steps of one size in every direction, the sign of a running mean.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

--- Makes an optimiser whose steps are signs: of a running mean m of the gradient, moved on by g:
---     p = p - lr (sign(beta1 m + (1 - beta1) g) + weight_decay p)
---     m = beta2 m + (1 - beta2) g
--- source  [Chen2023]
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.Lion({ w }, { lr = 0.1 }):step()
---     print(w:item()) -- 1 - 0.1, whatever the gradient's size
---@class wrun.optim.Lion: wrun.optim.Optimizer
local Lion = Optimizer:extend("Lion")

Lion.rules = {
  lr = check.number(1e-4, 0),
  betas = common.betas(0.9, 0.99),
  weight_decay = check.number(0, 0),
  maximize = check.boolean(false),
}

function Lion.change(_, parameter, grad, state, group)
  local g = group.maximize and -grad or grad
  local mean = common.buffer(state, "exp_avg", parameter)
  local direction = (mean * group.betas[1]):add_(g * (1 - group.betas[1]))
  parameter:mul_(1 - group.lr * group.weight_decay):sub_(direction:sign():mul_(group.lr))
  common.average_(mean, g, group.betas[2])
end

return Lion
