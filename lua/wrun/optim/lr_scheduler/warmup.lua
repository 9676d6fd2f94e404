--- Schedulers for the first steps: a smaller rate, or one that grows.

local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"
local check = require "wrun.check"

--- Makes a scheduler that multiplies the rates by factor until step total_iters.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     optim.lr_scheduler.ConstantLR(optimizer, { factor = 0.5, total_iters = 3 })
---     print(optimizer.param_groups[1].lr) -- 0.5
---@class wrun.optim.lr_scheduler.ConstantLR: wrun.optim.lr_scheduler.LRScheduler
local ConstantLR = LRScheduler:extend("ConstantLR")

ConstantLR.rules = { factor = check.number(1 / 3, 0, 1), total_iters = check.integer(5, 1) }

function ConstantLR:first_lr(lr)
  return lr * self.factor
end

function ConstantLR:next_lr(lr, base_lr)
  if self.last_epoch ~= self.total_iters then
    return lr
  end
  return self.factor == 0 and base_lr or lr * (1 / self.factor)
end

--- Makes a scheduler that multiplies the rates by a factor that goes from start_factor to
--- end_factor in total_iters steps.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local options = { start_factor = 0.5, total_iters = 4 }
---     local scheduler = optim.lr_scheduler.LinearLR(optimizer, options)
---     scheduler:step()
---     print(optimizer.param_groups[1].lr) -- 0.625
---@class wrun.optim.lr_scheduler.LinearLR: wrun.optim.lr_scheduler.LRScheduler
local LinearLR = LRScheduler:extend("LinearLR")

LinearLR.rules = {
  start_factor = check.rule(1 / 3, "a number > 0 and <= 1", function(value)
    return type(value) == "number" and value > 0 and value <= 1 and value or nil
  end),
  end_factor = check.number(1.0, 0, 1),
  total_iters = check.integer(5, 1),
}

function LinearLR:first_lr(lr)
  return lr * self.start_factor
end

function LinearLR:next_lr(lr)
  local t, rise = self.last_epoch, self.end_factor - self.start_factor
  if t > self.total_iters then
    return lr
  end
  return lr * (1 + rise / (self.total_iters * self.start_factor + (t - 1) * rise))
end

return { ConstantLR = ConstantLR, LinearLR = LinearLR }
