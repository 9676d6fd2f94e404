--- Results that follow their argument in steps: zeros come back, so that no parameter is passed by.

local wrun = require "wrun"

describe("step_function", function()
  for name, f in pairs {
    bernoulli = function(x) return x:bernoulli() end,
    poisson = function(x) return x:poisson() end,
    ["slogdet's sign"] = function(x) return (wrun.slogdet(x)) end,
  } do
    it("gives zeros for a gradient: " .. name, function()
      local x = wrun.rand(3, 3):requires_grad_()
      local y = f(x)
      assert.is_true(y.requires_grad)
      y:sum():backward()
      assert.is_true(wrun.equal(wrun.zeros(3, 3), x.grad))
      assert.is_false(f(x:detach()).requires_grad)
    end)
  end
end)
