--- Optimisers: they change tensors along their gradients, and know nothing of the modules that hold
--- them.

local names = require "wrun.names"

return names.closed("optim", {}, {
  ASGD = { "wrun.optim.asgd" },
  Adadelta = { "wrun.optim.adadelta" },
  Adagrad = { "wrun.optim.adagrad" },
  Adam = { "wrun.optim.adam" },
  AdamW = { "wrun.optim.adamw" },
  Adamax = { "wrun.optim.adamax" },
  LBFGS = { "wrun.optim.lbfgs" },
  Lion = { "wrun.optim.lion" },
  NAdam = { "wrun.optim.nadam" },
  Optimizer = { "wrun.optim.optimizer" },
  RAdam = { "wrun.optim.radam" },
  RMSprop = { "wrun.optim.rmsprop" },
  Rprop = { "wrun.optim.rprop" },
  SGD = { "wrun.optim.sgd" },
  lr_scheduler = { "wrun.optim.lr_scheduler" },
  swa_utils = { "wrun.optim.swa_utils" },
})
