--- Schedulers: they change the learning rates of an optimiser's groups as the training goes on.

local names = require "wrun.names"

return names.closed("optim.lr_scheduler", {}, {
  CosineAnnealingWarmRestarts = { "wrun.optim.lr_scheduler.restarts" },
  CyclicLR = { "wrun.optim.lr_scheduler.cyclic" },
  LRScheduler = { "wrun.optim.lr_scheduler.scheduler" },
  OneCycleLR = { "wrun.optim.lr_scheduler.one_cycle" },
  ReduceLROnPlateau = { "wrun.optim.lr_scheduler.plateau" },
}, {
  "wrun.optim.lr_scheduler.decay",
  "wrun.optim.lr_scheduler.combined",
  "wrun.optim.lr_scheduler.lambda",
  "wrun.optim.lr_scheduler.warmup",
})
