--- Schedulers by functions of the step.

local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"

--- Makes a scheduler whose rates at step t are the first rates times lr_lambda(t). States hold no
--- functions.
---
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local options = { lr_lambda = function(t) return 1 / (1 + t) end }
---     local scheduler = optim.lr_scheduler.LambdaLR(optimizer, options)
---     scheduler:step()
---     print(optimizer.param_groups[1].lr) -- 0.5
---@class wrun.optim.lr_scheduler.LambdaLR: wrun.optim.lr_scheduler.LRScheduler
local LambdaLR = LRScheduler:extend("LambdaLR")

LambdaLR.rules = { lr_lambda = LRScheduler.functions() }

function LambdaLR:prepare()
  self.lr_lambdas = self:per_group("lr_lambda")
end

function LambdaLR:next_lr(_, base_lr, g)
  return base_lr * self.lr_lambdas[g](self.last_epoch)
end

LambdaLR.first_lr = LambdaLR.next_lr

--- Makes a scheduler that multiplies the rates by lr_lambda(t) at each step t. States hold no
--- functions. As a later part of a SequentialLR it goes on from the rate it finds, as in PyTorch.
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local options = { lr_lambda = function(t) return 1 / (1 + t) end }
---     local scheduler = optim.lr_scheduler.MultiplicativeLR(optimizer, options)
---     for _ = 1, 2 do scheduler:step() end
---     print(optimizer.param_groups[1].lr) -- 1 / 2 / 3
---@class wrun.optim.lr_scheduler.MultiplicativeLR: wrun.optim.lr_scheduler.LRScheduler
local MultiplicativeLR = LRScheduler:extend("MultiplicativeLR")

MultiplicativeLR.rules = LambdaLR.rules
MultiplicativeLR.prepare = LambdaLR.prepare

function MultiplicativeLR:next_lr(lr, _, g)
  return lr * self.lr_lambdas[g](self.last_epoch)
end

function MultiplicativeLR:restart()
  self.last_epoch = 0
  for g, group in ipairs(self.optimizer.param_groups) do
    group.lr = self:next_lr(group.lr, nil, g)
  end
  self:start()
end

return { LambdaLR = LambdaLR, MultiplicativeLR = MultiplicativeLR }
