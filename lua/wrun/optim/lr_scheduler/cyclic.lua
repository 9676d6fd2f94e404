--- CyclicLR: rates that go up and down between two bounds.

local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"
local MomentumScheduler = require "wrun.optim.lr_scheduler.momentum"
local check = require "wrun.check"
local publish = require "wrun.publish"

--- Makes a scheduler that takes the rates from base_lr to max_lr in step_size_up steps, back in
--- step_size_down, and so on; the momentums go the other way.
--- options  mode: "triangular2" shrinks the cycles to half each time, "exp_range" by gamma^t;
---   scale_fn: in the place of mode, a function of the cycle's number (from 1) or, where scale_mode
---   is "iterations", of the step t; step_size_down: step_size_up by default
--- raises  `CyclicLR: option cycle_momentum: expected an optimizer with momentum or betas`
--- source  [Smith2017] in PyTorch's form
---     local optimizer = optim.SGD({ wrun.zeros(1) })
---     local options = { base_lr = 0.1, max_lr = 0.5, step_size_up = 4 }
---     local scheduler = optim.lr_scheduler.CyclicLR(optimizer, options)
---     scheduler:step()
---     print(optimizer.param_groups[1].lr) -- 0.2
---@class wrun.optim.lr_scheduler.CyclicLR: wrun.optim.lr_scheduler.LRScheduler
local CyclicLR = MomentumScheduler:extend("CyclicLR")

CyclicLR.rules = publish.into({
  base_lr = LRScheduler.numbers(),
  max_lr = LRScheduler.numbers(),
  step_size_up = check.integer(2000, 1),
  step_size_down = check.optional(check.integer(nil, 1)),
  mode = check.choice("triangular", { "triangular", "triangular2", "exp_range" }),
  gamma = check.number(1.0),
  scale_fn = check.optional(check.func()),
  scale_mode = check.choice("cycle", { "cycle", "iterations" }),
}, MomentumScheduler.momentum_rules(0.8, 0.9))

-- How much of a cycle's height is left; `self` knows gamma.
local SCALES = {
  triangular = function()
    return 1
  end,
  triangular2 = function(_, cycle)
    return 1 / 2 ^ (cycle - 1)
  end,
  exp_range = function(self, _, step)
    return self.gamma ^ step
  end,
}

function CyclicLR:prepare()
  self.step_size_down = self.step_size_down or self.step_size_up
  local base_lrs = self:per_group("base_lr")
  self.max_lrs = self:per_group("max_lr")
  self:prepare_momentum()
  self.base_lrs = base_lrs
  for g, group in ipairs(self.optimizer.param_groups) do
    group.lr = base_lrs[g]
  end
end

-- How far from base to max this step is, from 0 to 1 (or beyond, as the scale says).
local function height(self)
  local total = self.step_size_up + self.step_size_down
  local cycle = math.floor(1 + self.last_epoch / total)
  local x, up = 1 + self.last_epoch / total - cycle, self.step_size_up / total
  local part = x <= up and x / up or (x - 1) / (up - 1)
  if self.scale_fn == nil then
    return part * SCALES[self.mode](self, cycle, self.last_epoch)
  end
  return part * self.scale_fn(self.scale_mode == "cycle" and cycle or self.last_epoch)
end

function CyclicLR:get_lr()
  local rates, part = {}, height(self)
  for g, base in ipairs(self.base_lrs) do
    rates[g] = base + (self.max_lrs[g] - base) * part
  end
  self:set_momentums(function(base, max)
    return max - (max - base) * part
  end)
  return rates
end

return CyclicLR
