--- The schedulers by functions, beside PyTorch's, and the options they refuse.

local scheduling = require "spec.support.scheduling"

scheduling.follows_pytorch("LambdaLR")
scheduling.follows_pytorch("MultiplicativeLR")

scheduling.refuses("LambdaLR", {
  ["option lr_lambda: expected a function or a list of functions, one a group, got nil"] = {},
  ["option lr_lambda: expected 2 values, one a group, got 1"] = { lr_lambda = { math.abs } },
})

scheduling.refuses("MultiplicativeLR", {
  ["option lr_lambda: expected a function or a list of functions, one a group, got 0.5"] =
    { lr_lambda = 0.5 },
})
