--- optim.Adadelta beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("Adadelta", { rho = 0.7 })

optimising.refuses("Adadelta", {
  ["option rho: expected a number from 0 to 1, got 1.5"] = { rho = 1.5 },
})
