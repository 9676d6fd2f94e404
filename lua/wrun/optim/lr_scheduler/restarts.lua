--- CosineAnnealingWarmRestarts: half a cosine down, and back to the start at once.

local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"
local check = require "wrun.check"

--- Makes a scheduler that takes the rates to eta_min along half a cosine of T_0 steps, and then
--- begins again with T_mult times as many, and so on.
--- source  [Loshchilov2017] eq. 5
---     local optimizer = optim.SGD({ wrun.zeros(1) }, { lr = 1 })
---     local scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, { T_0 = 2 })
---     scheduler:step()
---     print(optimizer.param_groups[1].lr) -- 0.5
---@class wrun.optim.lr_scheduler.CosineAnnealingWarmRestarts: wrun.optim.lr_scheduler.LRScheduler
---@field T_cur integer steps since the last beginning
---@field T_i integer the length of this cosine
local CosineAnnealingWarmRestarts = LRScheduler:extend("CosineAnnealingWarmRestarts")

CosineAnnealingWarmRestarts.rules = {
  T_0 = check.integer(nil, 1), T_mult = check.integer(1, 1), eta_min = check.number(0),
}

function CosineAnnealingWarmRestarts:get_lr()
  if self.last_epoch == 0 then
    self.T_cur, self.T_i = 0, self.T_0
  elseif self.T_cur + 1 < self.T_i then
    self.T_cur = self.T_cur + 1
  else
    self.T_cur, self.T_i = 0, self.T_i * self.T_mult
  end
  local rates, part = {}, (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
  for g, base in ipairs(self.base_lrs) do
    rates[g] = self.eta_min + (base - self.eta_min) * part
  end
  return rates
end

return CosineAnnealingWarmRestarts
