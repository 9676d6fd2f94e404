--- RAdam: Adam that waits for its variance before it trusts it.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

local average_, average_square_, buffer = common.average_, common.average_square_, common.buffer

--- Makes an optimiser like Adam that waits for its variance before it trusts it:
---     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
---     rho = R - 2 t beta2^t / (1 - beta2^t),  R = 2 / (1 - beta2) - 1
---     p = p - lr / (1 - beta1^t) * m * r
--- with r = 1 while rho <= 5 and, from then on,
---     r = sqrt((rho - 4) (rho - 2) R / ((R - 4) (R - 2) rho)) sqrt(1 - beta2^t) / (sqrt(v) + eps)
--- source  [Liu2020] alg. 2 in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.RAdam({ w }, { lr = 0.1 }):step()
---     print(w:item()) -- 1 - 0.1 * 3: the first steps are plain
---@class wrun.optim.RAdam: wrun.optim.Optimizer
local RAdam = Optimizer:extend("RAdam")

RAdam.rules = {
  lr = check.number(1e-3, 0),
  betas = common.betas(0.9, 0.999),
  eps = check.number(1e-8, 0),
  weight_decay = check.number(0, 0),
  decoupled_weight_decay = check.boolean(false),
  maximize = check.boolean(false),
}

-- The square root of r's first factor at step t; nil while the variance is not to be trusted.
local function rectification(beta2, t)
  local most = 2 / (1 - beta2) - 1
  local rho = most - 2 * t * beta2 ^ t / (1 - beta2 ^ t)
  if rho > 5 then
    return math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
  end
end

function RAdam.change(_, parameter, grad, state, group)
  local beta1, beta2 = table.unpack(group.betas)
  local step = common.count(state)
  local g = common.descent(parameter, grad, group)
  local mean = average_(buffer(state, "exp_avg", parameter), g, beta1)
  local square = average_square_(buffer(state, "exp_avg_sq", parameter), g, beta2)
  local size, trust = group.lr / (1 - beta1 ^ step), rectification(beta2, step)
  if trust == nil then
    parameter:sub_(mean * size)
    return
  end
  size = size * trust * math.sqrt(1 - beta2 ^ step)
  parameter:sub_((mean / square:sqrt():add_(group.eps)):mul_(size))
end

return RAdam
