--- optim.ASGD beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("ASGD", { lr = 0.1, lambd = 0.1, t0 = 2 })

optimising.refuses("ASGD", {
  ["option lr: expected a number >= 0, got -1"] = { lr = -1 },
  ["option t0: expected a number, got nan"] = { t0 = 0 / 0 },
})
