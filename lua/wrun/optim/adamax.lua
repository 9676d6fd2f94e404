--- Adamax: Adam with the largest recent gradient in the place of the root mean square.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

local average_, buffer = common.average_, common.buffer

--- Makes an optimiser like Adam with the largest recent gradient for the root mean square:
---     m = beta1 m + (1 - beta1) g,  u = max(beta2 u, |g| + eps)
---     p = p - lr / (1 - beta1^t) * m / u
--- source  [Kingma2015] alg. 2 in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.Adamax({ w }, { lr = 0.1 }):step()
---     print(w:item()) -- 1 - 0.1
---@class wrun.optim.Adamax: wrun.optim.Optimizer
local Adamax = Optimizer:extend("Adamax")

Adamax.rules = {
  lr = check.number(2e-3, 0),
  betas = common.betas(0.9, 0.999),
  eps = check.number(1e-8, 0),
  weight_decay = check.number(0, 0),
  maximize = check.boolean(false),
}

function Adamax.change(_, parameter, grad, state, group)
  local beta1, beta2 = table.unpack(group.betas)
  local lr = group.lr / (1 - beta1 ^ common.count(state))
  local g = common.descent(parameter, grad, group)
  local mean = average_(buffer(state, "exp_avg", parameter), g, beta1)
  local largest = buffer(state, "exp_inf", parameter)
  largest:mul_(beta2):maximum_(g:abs():add_(group.eps))
  parameter:sub_((mean / largest):mul_(lr))
end

return Adamax
