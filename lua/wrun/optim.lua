--- Optimisers: they change tensors along their gradients, and know nothing of the modules that hold
--- them.

return {
  Adam = require "wrun.optim.adam",
  Optimizer = require "wrun.optim.optimizer",
  SGD = require "wrun.optim.sgd",
}
