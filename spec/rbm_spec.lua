--- rbm.new: the machine it makes, and what it refuses.

local refusal = require "spec.support.refusal"
local rbm = require "wrun.rbm"

describe("rbm.new", function()
  it("makes a machine that says what it is", function()
    assert.equal("RBM(4 gaussian visible, 3 binary hidden)",
      tostring(rbm.new { visible = 4, hidden = 3, visible_units = "gaussian" }))
  end)

  it("refuses sizes and units that make no machine", function()
    assert.equal("rbm.new: option hidden: expected an integer >= 1, got nil",
      refusal(rbm.new, { visible = 3 }))
    assert.equal("rbm.new: option categories: expected a divisor of visible = 5, got 2",
      refusal(rbm.new, { visible = 5, hidden = 1, visible_units = "softmax", categories = 2 }))
  end)
end)
