--- MSELoss: the mean square distance of a prediction from its target.

local Module = require "wrun.nn.module"
local check = require "wrun.check"
local core = require "wrun.core"

local NAME = "MSELoss"
local TENSOR = check.tensor()
local OPTIONS = { reduction = check.choice("mean", { "mean", "none", "sum" }) }

---@class wrun.nn.MSELoss: wrun.nn.Module
local MSELoss = Module:extend(NAME)

--- Makes the loss (x - y)^2, averaged over all elements.
--- domain  reduction "mean" (default), "sum" or "none"
--- raises  `MSELoss: option reduction: expected mean, none or sum`
---
---     local criterion = nn.MSELoss({ reduction = "sum" })
---@param options table?
function MSELoss:init(options)
  self.reduction = check.options(NAME, options, OPTIONS).reduction
end

--- Returns the loss, a tensor [] unless the reduction is "none".
--- shapes  input [...], target the same
--- domain  float32 or float64; unlike PyTorch's, shapes that differ are refused, not broadcast
--- raises  `MSELoss: argument 2: expected SHAPE to match`
---@param input wrun.Tensor
---@param target wrun.Tensor
---@return wrun.Tensor
function MSELoss:forward(input, target)
  check.argument(NAME, 1, input, TENSOR)
  check.argument(NAME, 2, target, TENSOR)
  if core.shape_text(input) ~= core.shape_text(target) then
    core.fail("%s: argument 2: expected %s to match argument 1, got %s", NAME,
      core.shape_text(input), core.shape_text(target))
  end
  local losses = (input - target):square()
  if self.reduction == "none" then
    return losses
  end
  return losses[self.reduction](losses)
end

return MSELoss
