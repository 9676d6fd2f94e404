--- optim.Adamax beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("Adamax", { lr = 0.1 })

optimising.refuses("Adamax", {
  ["option betas: expected two numbers >= 0 and < 1, got {1, 0.5}"] = { betas = { 1, 0.5 } },
})
