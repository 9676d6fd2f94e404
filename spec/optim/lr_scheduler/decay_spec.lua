--- The schedulers that lower the rate, beside PyTorch's, and the options they refuse.

local scheduling = require "spec.support.scheduling"

for _, class in ipairs({
  "StepLR", "MultiStepLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR",
}) do
  scheduling.follows_pytorch(class)
end

scheduling.refuses("StepLR", {
  ["option step_size: expected an integer >= 1, got nil"] = {},
  ["option step_size: expected an integer >= 1, got 0"] = { step_size = 0 },
})

scheduling.refuses("MultiStepLR", {
  ["option milestones: expected a list of integers >= 0, got 5"] = { milestones = 5 },
  ["option milestones: expected a list of integers >= 0, got {1, -2}"] = { milestones = { 1, -2 } },
})

scheduling.refuses("ExponentialLR", {
  ["option gamma: expected a number, got nil"] = {},
})

scheduling.refuses("PolynomialLR", {
  ["option total_iters: expected an integer >= 1, got 0"] = { total_iters = 0 },
})

scheduling.refuses("CosineAnnealingLR", {
  ["option T_max: expected an integer >= 1, got nil"] = {},
})
