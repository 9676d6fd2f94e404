--- NAdam: Adam that looks ahead along its momentum, as Nesterov does.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

local average_, average_square_, buffer = common.average_, common.average_square_, common.buffer

--- Makes an optimiser like Adam that looks ahead along its momentum, as Nesterov does:
---     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
---     mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),  M_t = mu_1 mu_2 ... mu_t
---     p = p - lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m)
---           / (sqrt(v / (1 - beta2^t)) + eps)
--- source  [Dozat2016] in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.NAdam({ w }):step()
---     print(w:item() < 1) -- true
---@class wrun.optim.NAdam: wrun.optim.Optimizer
local NAdam = Optimizer:extend("NAdam")

NAdam.rules = {
  lr = check.number(2e-3, 0),
  betas = common.betas(0.9, 0.999),
  eps = check.number(1e-8, 0),
  weight_decay = check.number(0, 0),
  momentum_decay = check.number(4e-3, 0),
  decoupled_weight_decay = check.boolean(false),
  maximize = check.boolean(false),
}

function NAdam.change(_, parameter, grad, state, group)
  local lr, beta1, beta2 = group.lr, table.unpack(group.betas)
  local step = common.count(state)
  local function mu(t)
    return beta1 * (1 - 0.5 * 0.96 ^ (t * group.momentum_decay))
  end
  local product = (state.mu_product or 1) * mu(step)
  state.mu_product = product
  local g = common.descent(parameter, grad, group)
  local mean = average_(buffer(state, "exp_avg", parameter), g, beta1)
  local square = average_square_(buffer(state, "exp_avg_sq", parameter), g, beta2)
  local spread = (square / (1 - beta2 ^ step)):sqrt_():add_(group.eps)
  local ahead = mean * (lr * mu(step + 1) / (1 - product * mu(step + 1)))
  parameter:sub_((g * (lr * (1 - mu(step)) / (1 - product))):add_(ahead):div_(spread))
end

return NAdam
