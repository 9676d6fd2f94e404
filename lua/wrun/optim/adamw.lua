--- AdamW: Adam whose weight decay acts on the parameters, not through the gradient.

local Adam = require "wrun.optim.adam"
local check = require "wrun.check"
local publish = require "wrun.publish"

local ALWAYS = check.rule(true, "true (Adam can do without)", function(value)
  return value == true or nil
end)

--- Makes an optimiser like Adam with decoupled weight decay: each step begins with
--- p = (1 - lr * weight_decay) p, and the running means see the gradient alone.
--- options  weight_decay: of the parameters, as above; decoupled_weight_decay: always so
--- source  [Loshchilov2019] alg. 2 in PyTorch's form
---     local w = wrun.ones(1, { requires_grad = true })
---     w:mul(3):sum():backward()
---     optim.AdamW({ w }, { lr = 0.1, weight_decay = 0.5 }):step()
---     print(w:item()) -- 0.95 - 0.1
---@class wrun.optim.AdamW: wrun.optim.Adam
local AdamW = Adam:extend("AdamW")

AdamW.rules = publish.into({}, Adam.rules)
AdamW.rules.weight_decay = check.number(1e-2, 0)
AdamW.rules.decoupled_weight_decay = ALWAYS

return AdamW
