--- Adadelta: steps in the units of the parameter, with no learning rate of their own.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

local average_square_, buffer = common.average_square_, common.buffer

--- Makes an optimiser whose steps are in the units of the parameter. Each is
---     v = rho v + (1 - rho) g^2,  d = sqrt(u + eps) / sqrt(v + eps) * g
---     u = rho u + (1 - rho) d^2,  p = p - lr * d
--- source  [Zeiler2012] alg. 1
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.Adadelta({ w }):step()
---     print(w:item() < 1) -- true
---@class wrun.optim.Adadelta: wrun.optim.Optimizer
local Adadelta = Optimizer:extend("Adadelta")

Adadelta.rules = {
  lr = check.number(1.0, 0),
  rho = check.number(0.9, 0, 1),
  eps = check.number(1e-6, 0),
  weight_decay = check.number(0, 0),
  maximize = check.boolean(false),
}

function Adadelta.change(_, parameter, grad, state, group)
  common.count(state)
  local g = common.descent(parameter, grad, group)
  local square_avg = average_square_(buffer(state, "square_avg", parameter), g, group.rho)
  local acc_delta = buffer(state, "acc_delta", parameter)
  local delta = (acc_delta + group.eps):sqrt_():div_((square_avg + group.eps):sqrt_()):mul_(g)
  average_square_(acc_delta, delta, group.rho)
  parameter:sub_(delta:mul_(group.lr))
end

return Adadelta
