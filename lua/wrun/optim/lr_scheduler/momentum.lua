--- Schedulers that move the momentum against the rate: what CyclicLR and OneCycleLR share.

local check = require "wrun.check"
local LRScheduler = require "wrun.optim.lr_scheduler.scheduler"

local MomentumScheduler = LRScheduler:extend("MomentumScheduler")

--- Returns the rules of the momentum's options, with these defaults.
function MomentumScheduler.momentum_rules(base, max)
  return {
    cycle_momentum = check.boolean(true),
    base_momentum = LRScheduler.numbers(base),
    max_momentum = LRScheduler.numbers(max),
  }
end

-- The momentum of SGD and RMSprop, the first beta of Adam and its kin.
local function set_momentum(group, value)
  if group.betas ~= nil then
    group.betas = { value, group.betas[2] }
  else
    group.momentum = value
  end
end

--- Makes base_momentums and max_momentums of the options; sets nothing.
function MomentumScheduler:prepare_momentum()
  local base, max = self:per_group("base_momentum"), self:per_group("max_momentum")
  if not self.cycle_momentum then
    return
  end
  local defaults = self.optimizer.defaults
  if defaults.momentum == nil and defaults.betas == nil then
    check.fail("%s: option cycle_momentum: expected an optimizer with momentum or betas, got %s; "
      .. "pass false", self.__name, self.optimizer.__name)
  end
  self.base_momentums, self.max_momentums = base, max
end

--- Sets the groups' momentums to `momentum(base, max, g)`, if they are to change at all.
function MomentumScheduler:set_momentums(momentum)
  for g, group in ipairs(self.cycle_momentum and self.optimizer.param_groups or {}) do
    set_momentum(group, momentum(self.base_momentums[g], self.max_momentums[g], g))
  end
end

return MomentumScheduler
