--- CyclicLR beside PyTorch's, and the options it refuses.

local scheduling = require "spec.support.scheduling"

scheduling.follows_pytorch("CyclicLR")

scheduling.refuses("CyclicLR", {
  ["option max_lr: expected 2 values, one a group, got 1"] = { base_lr = 1, max_lr = { 1 } },
  ["option base_lr: expected a number or a list of numbers, one a group, got nan"] =
    { base_lr = 0 / 0, max_lr = 1 },
  ["option mode: expected triangular, triangular2 or exp_range, got the string 'x'"] =
    { base_lr = 1, max_lr = 1, mode = "x" },
})
