--- optim.Adagrad beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("Adagrad", { lr = 0.1, lr_decay = 0.1 })

optimising.refuses("Adagrad", {
  ["option lr_decay: expected a number >= 0, got -1"] = { lr_decay = -1 },
  ["option initial_accumulator_value: expected a number >= 0, got -1"] =
    { initial_accumulator_value = -1 },
})
