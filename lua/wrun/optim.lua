--- Optimisers: they change tensors along their gradients, and know nothing of the modules that hold
--- them.

local names = require "wrun.names"

return names.closed("optim", {
  ASGD = require "wrun.optim.asgd",
  Adadelta = require "wrun.optim.adadelta",
  Adagrad = require "wrun.optim.adagrad",
  Adam = require "wrun.optim.adam",
  AdamW = require "wrun.optim.adamw",
  Adamax = require "wrun.optim.adamax",
  LBFGS = require "wrun.optim.lbfgs",
  Lion = require "wrun.optim.lion",
  NAdam = require "wrun.optim.nadam",
  Optimizer = require "wrun.optim.optimizer",
  RAdam = require "wrun.optim.radam",
  RMSprop = require "wrun.optim.rmsprop",
  Rprop = require "wrun.optim.rprop",
  SGD = require "wrun.optim.sgd",
  lr_scheduler = require "wrun.optim.lr_scheduler",
  swa_utils = require "wrun.optim.swa_utils",
})
