--- optim.Rprop beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("Rprop", { lr = 0.1 })

optimising.refuses("Rprop", {
  ["option etas: expected two numbers with 0 < a < 1 < b, got {1.5, 1.2}"] =
    { etas = { 1.5, 1.2 } },
  ["option step_sizes: expected two numbers with 0 <= a <= b, got {2, 1}"] =
    { step_sizes = { 2, 1 } },
})
