--- optim.Lion beside its formula, which PyTorch does not have.

local optimising = require "spec.support.optimising"

local function sign(x)
  return x > 0 and 1 or x < 0 and -1 or 0
end

-- [Chen2023], algorithm 2, in Lua's own arithmetic.
local function formula(p, gradients, o)
  local lr, decay = o.lr or 1e-4, o.weight_decay or 0
  local beta1, beta2 = table.unpack(o.betas or { 0.9, 0.99 })
  local mean, path = 0, {}
  for i, g in ipairs(gradients) do
    g = o.maximize and -g or g
    p = p - lr * (sign(beta1 * mean + (1 - beta1) * g) + decay * p)
    mean = beta2 * mean + (1 - beta2) * g
    path[i] = p
  end
  return path
end

optimising.follows_formula("Lion", formula, {
  ["by default"] = {},
  ["with decay, upwards"] = { lr = 0.1, weight_decay = 0.5, maximize = true },
  ["with other means"] = { lr = 0.01, betas = { 0.5, 0 } },
})

optimising.resumes("Lion", { lr = 0.1, weight_decay = 0.1 })

optimising.refuses("Lion", {
  ["option betas: expected two numbers >= 0 and < 1, got {1, 0.5}"] = { betas = { 1, 0.5 } },
})
