--- optim.RMSprop beside PyTorch's, a variance that rounding takes below 0, and refused options.

local optimising = require "spec.support.optimising"
local wrun = require "wrun"

optimising.follows_pytorch("RMSprop", { lr = 0.1, centered = true, momentum = 0.5 })

optimising.refuses("RMSprop", {
  ["option alpha: expected a number >= 0, got -0.5"] = { alpha = -0.5 },
  ["option momentum: expected a number >= 0, got -1"] = { momentum = -1 },
})

describe("RMSprop", function()
  it("counts a variance that rounds to less than 0 as 0", function()
    local p = wrun.tensor({ 1.0 }, { requires_grad = true })
    local optimizer = wrun.optim.RMSprop({ p }, { centered = true, alpha = 0.3, eps = 1 })
    for _ = 1, 200 do
      p.grad = wrun.tensor({ 0.1 })
      optimizer:step()
      assert.is_true(p:isfinite():item())
    end
  end)
end)
