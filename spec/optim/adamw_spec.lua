--- optim.AdamW beside PyTorch's, and the options it refuses.

local optimising = require "spec.support.optimising"

optimising.follows_pytorch("AdamW", { lr = 0.1 })

optimising.refuses("AdamW", {
  ["option decoupled_weight_decay: expected true (Adam can do without), got false"] =
    { decoupled_weight_decay = false },
  ["option weight_decay: expected a number >= 0, got -1"] = { weight_decay = -1 },
})
