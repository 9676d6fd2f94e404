--- Schedulers: they change the learning rates of an optimiser's groups as the training goes on.

local M = {
  CosineAnnealingWarmRestarts = require "wrun.optim.lr_scheduler.restarts",
  CyclicLR = require "wrun.optim.lr_scheduler.cyclic",
  LRScheduler = require "wrun.optim.lr_scheduler.scheduler",
  OneCycleLR = require "wrun.optim.lr_scheduler.one_cycle",
  ReduceLROnPlateau = require "wrun.optim.lr_scheduler.plateau",
}

local parts = {
  combined = require "wrun.optim.lr_scheduler.combined",
  decay = require "wrun.optim.lr_scheduler.decay",
  lambda = require "wrun.optim.lr_scheduler.lambda",
  warmup = require "wrun.optim.lr_scheduler.warmup",
}

for _, part in pairs(parts) do
  for name, class in pairs(part) do
    M[name] = class
  end
end

return M
