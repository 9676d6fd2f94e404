--- Losses that measure how far a prediction is from its target, element by element.
--- Unlike PyTorch's, they refuse shapes that differ instead of broadcasting them.

local check = require "wrun.check"
local Loss = require "wrun.nn.losses.loss"

local M = {}

--- Makes the loss (x - y)^2, averaged over all elements.
---     local criterion = nn.MSELoss({ reduction = "sum" })
---     print(criterion(wrun.tensor { 1.0, 2.0 }, wrun.tensor { 1.0, 4.0 }))
M.MSELoss = Loss.define("MSELoss", "mse_loss", {}, function(o, input, target)
  Loss.check_pair(o, input, target)
  return "_squared_error", input, target
end)

--- Makes the loss |x - y|, averaged over all elements.
--- domain  float32 or float64; the gradient at x = y is 0
---     print(nn.L1Loss()(wrun.tensor { 1.0, 2.0 }, wrun.tensor { 1.0, 4.0 }))
M.L1Loss = Loss.define("L1Loss", "l1_loss", {}, function(o, input, target)
  Loss.check_pair(o, input, target)
  return "_absolute_error", input, target
end)

--- Makes the loss d^2 / 2 for |d| <= delta and delta (|d| - delta / 2) beyond, d = x - y, averaged
--- over all elements.
--- source  [Huber1964]
---     local criterion = nn.HuberLoss({ reduction = "none" })
---     print(criterion(wrun.tensor { 0.5, 3.0 }, wrun.zeros(2)))
M.HuberLoss = Loss.define("HuberLoss", "huber_loss", {
  delta = check.positive(1),
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  return "_huber", input, target, o.delta
end)

--- Makes the loss d^2 / (2 beta) for |d| <= beta and |d| - beta / 2 beyond, d = x - y, averaged
--- over all elements; HuberLoss divided by beta, and L1Loss for beta = 0.
---     local criterion = nn.SmoothL1Loss({ beta = 0.5, reduction = "none" })
---     print(criterion(wrun.tensor { 0.5, 3.0 }, wrun.zeros(2)))
M.SmoothL1Loss = Loss.define("SmoothL1Loss", "smooth_l1_loss", {
  beta = check.number(1, 0),
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  if o.beta == 0 then
    return "_absolute_error", input, target
  end
  return "_smooth_l1", input, target, o.beta
end)

return M
