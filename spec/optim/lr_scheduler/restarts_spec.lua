--- CosineAnnealingWarmRestarts beside PyTorch's, and the options it refuses.

local scheduling = require "spec.support.scheduling"

scheduling.follows_pytorch("CosineAnnealingWarmRestarts")

scheduling.refuses("CosineAnnealingWarmRestarts", {
  ["option T_0: expected an integer >= 1, got 0"] = { T_0 = 0 },
  ["option T_mult: expected an integer >= 1, got 1.5"] = { T_0 = 1, T_mult = 1.5 },
})
