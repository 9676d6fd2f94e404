--- Adagrad: steps divided by the root of the sum of all squared gradients.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"

--- Makes an optimiser whose steps are divided by the root of the sum of all squared gradients:
---     s = s + g^2, the first s being initial_accumulator_value
---     p = p - lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)
--- source  [Duchi2011] in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.Adagrad({ w }, { lr = 0.1 }):step()
---     print(w:item()) -- 1 - 0.1, whatever the gradient's size
---@class wrun.optim.Adagrad: wrun.optim.Optimizer
local Adagrad = Optimizer:extend("Adagrad")

Adagrad.rules = {
  lr = check.number(1e-2, 0),
  lr_decay = check.number(0, 0),
  weight_decay = check.number(0, 0),
  initial_accumulator_value = check.number(0, 0),
  eps = check.number(1e-10, 0),
  maximize = check.boolean(false),
}

function Adagrad.change(_, parameter, grad, state, group)
  local lr = group.lr / (1 + (common.count(state) - 1) * group.lr_decay)
  local g = common.descent(parameter, grad, group)
  local sum = common.buffer(state, "sum", parameter, group.initial_accumulator_value)
  sum:add_(g * g)
  parameter:sub_((g / sum:sqrt():add_(group.eps)):mul_(lr))
end

return Adagrad
