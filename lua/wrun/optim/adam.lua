--- Adam: steps scaled by running means of the gradient and of its square.

local Optimizer = require "wrun.optim.optimizer"
local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local adam_step = core.adam_step

local BETAS = check.rule({ 0.9, 0.999 }, "two numbers >= 0 and < 1", function(value)
  local first, second = table.unpack(type(value) == "table" and #value == 2 and value or {})
  local function is_beta(beta)
    return type(beta) == "number" and beta >= 0 and beta < 1
  end
  return is_beta(first) and is_beta(second) and { first, second } or nil
end)

--- With g the gradient plus weight_decay * p (minus the gradient when `maximize`), step t is
---     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
---     p = p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
--- and `amsgrad` puts the largest v so far in the place of v.
--- domain  options lr = 1e-3, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0, amsgrad = false,
---   maximize = false
--- raises  as Optimizer; `Adam: option betas: expected two numbers >= 0 and < 1`
--- source  [Kingma2015] alg. 1 in PyTorch's form; amsgrad [Reddi2018]
---
---     local optimizer = optim.Adam(model:parameters(), { lr = 0.001 })
---@class wrun.optim.Adam: wrun.optim.Optimizer
local Adam = Optimizer:extend("Adam")

Adam.rules = {
  lr = check.number(1e-3, 0),
  betas = BETAS,
  eps = check.number(1e-8, 0),
  weight_decay = check.number(0, 0),
  amsgrad = check.boolean(false),
  maximize = check.boolean(false),
}

local function fresh_state(parameter, amsgrad)
  return {
    step = 0,
    exp_avg = wrun.zeros_like(parameter),
    exp_avg_sq = wrun.zeros_like(parameter),
    max_exp_avg_sq = amsgrad and wrun.zeros_like(parameter) or nil,
  }
end

function Adam:update(group)
  local states, parameters = self.state, group.params
  local lr, beta1, beta2, eps = group.lr, group.betas[1], group.betas[2], group.eps
  local weight_decay, amsgrad, maximize = group.weight_decay, group.amsgrad, group.maximize
  for i = 1, #parameters do
    local parameter = parameters[i]
    local grad = parameter.grad
    if grad ~= nil then
      local state = states[parameter]
      if state == nil then
        state = fresh_state(parameter, amsgrad)
        states[parameter] = state
      end
      local step = state.step + 1
      adam_step(parameter, grad, state.exp_avg, state.exp_avg_sq, state.max_exp_avg_sq, step, lr,
        beta1, beta2, eps, weight_decay, maximize)
      state.step = step
    end
  end
end

return Adam
