--- optim.RAdam beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("RAdam", { lr = 0.1, betas = { 0.9, 0.9 } })

optimising.refuses("RAdam", {
  ["option betas: expected two numbers >= 0 and < 1, got {0.5, -1}"] = { betas = { 0.5, -1 } },
})
