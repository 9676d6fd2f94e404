--- Schedulers that lower the rate: in steps, by a factor, along a polynomial or a cosine.

local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"
local check = require "wrun.check"

local cos, pi = math.cos, math.pi

--- Makes a scheduler that multiplies the rates by gamma every step_size steps.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.StepLR(optimizer, { step_size = 2 })
---     for _ = 1, 4 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 0.01
---@class wrun.optim.lr_scheduler.StepLR: wrun.optim.lr_scheduler.LRScheduler
local StepLR = LRScheduler:extend("StepLR")

StepLR.rules = { step_size = check.integer(nil, 1), gamma = check.number(0.1) }

function StepLR:next_lr(lr)
  return self.last_epoch % self.step_size == 0 and lr * self.gamma or lr
end

local MILESTONES = check.rule(nil, "a list of integers >= 0", function(value)
  local milestones = {}
  for i, milestone in ipairs(type(value) == "table" and check.list(value) or {}) do
    local step = type(milestone) == "number" and math.tointeger(milestone)
    if not step or step < 0 then
      return nil
    end
    milestones[i] = step
  end
  return type(value) == "table" and milestones or nil
end)

--- Makes a scheduler that multiplies the rates by gamma at each milestone.
--- options  milestones: steps in any order, where one given twice counts twice
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.MultiStepLR(optimizer, { milestones = { 1, 3 } })
---     for _ = 1, 4 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 0.01
---@class wrun.optim.lr_scheduler.MultiStepLR: wrun.optim.lr_scheduler.LRScheduler
local MultiStepLR = LRScheduler:extend("MultiStepLR")

MultiStepLR.rules = { milestones = MILESTONES, gamma = check.number(0.1) }

function MultiStepLR:next_lr(lr)
  local count = 0
  for _, milestone in ipairs(self.milestones) do
    count = count + (milestone == self.last_epoch and 1 or 0)
  end
  return count > 0 and lr * self.gamma ^ count or lr
end

MultiStepLR.first_lr = MultiStepLR.next_lr

--- Makes a scheduler that multiplies the rates by gamma at every step.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.ExponentialLR(optimizer, { gamma = 0.5 })
---     for _ = 1, 3 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 0.125
---@class wrun.optim.lr_scheduler.ExponentialLR: wrun.optim.lr_scheduler.LRScheduler
local ExponentialLR = LRScheduler:extend("ExponentialLR")

ExponentialLR.rules = { gamma = check.number() }

function ExponentialLR:next_lr(lr)
  return lr * self.gamma
end

--- Makes a scheduler that takes the rates down to 0 in total_iters steps, as (1 - t / total)^power.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.PolynomialLR(optimizer, { total_iters = 4, power = 2 })
---     for _ = 1, 2 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 0.25
---@class wrun.optim.lr_scheduler.PolynomialLR: wrun.optim.lr_scheduler.LRScheduler
local PolynomialLR = LRScheduler:extend("PolynomialLR")

PolynomialLR.rules = { total_iters = check.integer(5, 1), power = check.number(1.0) }

function PolynomialLR:next_lr(lr)
  local t, total = self.last_epoch, self.total_iters
  return t > total and lr or lr * ((1 - t / total) / (1 - (t - 1) / total)) ^ self.power
end

--- Makes a scheduler that takes the rates to eta_min along half a cosine of T_max steps, and then
--- back up, and so on.
--- source  [Loshchilov2017] eq. 5 without restarts, from step to step as PyTorch does
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, { T_max = 4 })
---     for _ = 1, 2 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 0.5
---@class wrun.optim.lr_scheduler.CosineAnnealingLR: wrun.optim.lr_scheduler.LRScheduler
local CosineAnnealingLR = LRScheduler:extend("CosineAnnealingLR")

CosineAnnealingLR.rules = { T_max = check.integer(nil, 1), eta_min = check.number(0) }

function CosineAnnealingLR:next_lr(lr, base_lr)
  local t, half, least = self.last_epoch, self.T_max, self.eta_min
  if (t - 1 - half) % (2 * half) == 0 then -- the rate was least: nothing to multiply
    return lr + (base_lr - least) * (1 - cos(pi / half)) / 2
  end
  return (1 + cos(pi * t / half)) / (1 + cos(pi * (t - 1) / half)) * (lr - least) + least
end

return {
  CosineAnnealingLR = CosineAnnealingLR,
  ExponentialLR = ExponentialLR,
  MultiStepLR = MultiStepLR,
  PolynomialLR = PolynomialLR,
  StepLR = StepLR,
}
