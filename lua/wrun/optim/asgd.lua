--- ASGD: gradient descent that also keeps the average of its way.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

--- Makes an optimiser that steps against the gradient and keeps the average a of its way:
---     p = (1 - lambd * eta) p - eta * g,  a = a + mu (p - a)
---     eta = lr / (1 + lambd * lr * t)^alpha,  mu = 1 / max(1, t - t0)
--- where eta is lr and mu is 1 in the first step. The average is `optimizer.state[p].ax`.
--- source  [Polyak1992] in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     local optimizer = optim.ASGD({ w }, { lr = 0.1, lambd = 0 })
---     w:mul(3):sum():backward()
---     optimizer:step()
---     print(w:item(), optimizer.state[w].ax:item()) -- 0.7 0.7
---@class wrun.optim.ASGD: wrun.optim.Optimizer
local ASGD = Optimizer:extend("ASGD")

ASGD.rules = {
  lr = check.number(1e-2, 0),
  lambd = check.number(1e-4),
  alpha = check.number(0.75),
  t0 = check.number(1e6),
  weight_decay = check.number(0, 0),
  maximize = check.boolean(false),
}

function ASGD.change(_, parameter, grad, state, group)
  local step, lr, lambd = common.count(state), group.lr, group.lambd
  local eta, mu = state.eta or lr, state.mu or 1
  local g = common.descent(parameter, grad, group)
  parameter:mul_(1 - lambd * eta):sub_(g * eta)
  local average = common.buffer(state, "ax", parameter)
  if mu == 1 then
    average:copy_(parameter)
  else
    average:add_((parameter - average):mul_(mu))
  end
  state.eta = lr / (1 + lambd * lr * step) ^ group.alpha
  state.mu = 1 / math.max(1, step - group.t0)
end

return ASGD
