--- Schedulers: they change the learning rates of an optimiser's groups as the training goes on.

local names = require "wrun.names"
local publish = require "wrun.publish"

local M = {
  CosineAnnealingWarmRestarts = require "wrun.optim.lr_scheduler.restarts",
  CyclicLR = require "wrun.optim.lr_scheduler.cyclic",
  LRScheduler = require "wrun.optim.lr_scheduler.scheduler",
  OneCycleLR = require "wrun.optim.lr_scheduler.one_cycle",
  ReduceLROnPlateau = require "wrun.optim.lr_scheduler.plateau",
}

publish.into(M, require "wrun.optim.lr_scheduler.combined")
publish.into(M, require "wrun.optim.lr_scheduler.decay")
publish.into(M, require "wrun.optim.lr_scheduler.lambda")
publish.into(M, require "wrun.optim.lr_scheduler.warmup")

return names.closed("optim.lr_scheduler", M)
