--- Rprop: a step size for each element, grown while the gradient keeps its sign.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local common = require "wrun.optim.common"
local wrun = require "wrun"

local buffer = common.buffer

--- Makes an optimiser with a step size d for each element, grown while the gradient keeps its sign.
--- With h the g of the step before, a step is
---     d = d * etas[2] where g h > 0, d * etas[1] where g h < 0; kept within step_sizes
---     g = 0 where g h < 0
---     p = p - sign(g) * d
--- domain  gradients of whole batches, not of samples
--- options  lr: d in the first step, and no more than that
--- source  [Riedmiller1993] in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.Rprop({ w }, { lr = 0.25 }):step()
---     print(w:item()) -- 0.75
---@class wrun.optim.Rprop: wrun.optim.Optimizer
local Rprop = Optimizer:extend("Rprop")

Rprop.rules = {
  lr = check.number(1e-2, 0),
  etas = common.pair({ 0.5, 1.2 }, "two numbers with 0 < a < 1 < b", function(a, b)
    return a > 0 and a < 1 and b > 1
  end),
  step_sizes = common.pair({ 1e-6, 50 }, "two numbers with 0 <= a <= b", function(a, b)
    return a >= 0 and a <= b
  end),
  maximize = check.boolean(false),
}

function Rprop.change(_, parameter, grad, state, group)
  common.count(state)
  local shrink, grow = table.unpack(group.etas)
  local g = common.descent(parameter, grad, group)
  local before = buffer(state, "prev", parameter)
  local sizes = buffer(state, "step_size", parameter, group.lr)
  local agreement = g * before
  local turned = agreement:lt(0)
  local factors = wrun.ones_like(g):masked_fill_(agreement:gt(0), grow):masked_fill_(turned, shrink)
  sizes:mul_(factors):clamp_(table.unpack(group.step_sizes))
  before:copy_(g:masked_fill(turned, 0))
  parameter:sub_(before:sign():mul_(sizes))
end

return Rprop
