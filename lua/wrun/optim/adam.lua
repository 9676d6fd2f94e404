--- Adam: steps scaled by running means of the gradient and of its square.

local check = require "wrun.check"
local common = require "wrun.optim.common"
local core = require "wrun.core"
local Optimizer = require "wrun.optim.optimizer"

--- Makes an optimiser whose steps are scaled by running means of the gradient and of its square:
---     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
---     p = p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
--- options  amsgrad: the largest v so far takes the place of v
--- source  [Kingma2015] alg. 1 in PyTorch's form; amsgrad [Reddi2018]
---     local model = nn.Linear(2, 1)
---     local optimizer = optim.Adam(model:parameters(), { lr = 0.001 })
---     print(optimizer)
---@class wrun.optim.Adam: wrun.optim.Optimizer
local Adam = Optimizer:extend("Adam")

Adam.rules = {
  lr = check.number(1e-3, 0),
  betas = common.betas(0.9, 0.999),
  eps = check.number(1e-8, 0),
  weight_decay = check.number(0, 0),
  amsgrad = check.boolean(false),
  maximize = check.boolean(false),
  decoupled_weight_decay = check.boolean(false),
}

function Adam.update(_, parameters, gradients, states, group)
  core.adam_step(parameters, gradients, states, group)
end

return Adam
