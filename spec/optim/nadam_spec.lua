--- optim.NAdam beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("NAdam", { lr = 0.1 })

optimising.refuses("NAdam", {
  ["option momentum_decay: expected a number >= 0, got -1"] = { momentum_decay = -1 },
})
