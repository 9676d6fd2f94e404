--- The trial of two starts: gradient descent with momentum, as optim.SGD does it.

local trial = require "wrun.nn.init.report.trial"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.init.report.trial", function()
  it("goes the way of optim.SGD", function()
    local x, y = wrun.randn(20, 4), wrun.randint(1, 4, { 20 })
    local model, other = nn.Linear(4, 3), nn.Linear(4, 3)
    local twin, criterion = model:clone(), nn.CrossEntropyLoss()
    local optimizer = wrun.optim.SGD(twin:parameters(), { lr = 0.3, momentum = 0.9 })
    local before = twin.weight:detach():clone()
    local curves, ratio = trial(model, other, x, {
      try = 5, lr = 0.3, criterion = criterion, target = y,
    })
    for step = 1, 5 do
      optimizer:zero_grad()
      local cost = criterion(twin(x), y)
      assert.near(cost:item(), curves.present[step], 1e-5)
      cost:backward()
      optimizer:step()
      if step == 1 then
        local change = (twin.weight:detach() - before):norm():item()
        assert.near(change / before:norm():item(), ratio, 1e-5)
      end
    end
    assert.is_true(curves.better[5] < curves.better[1])
  end)
end)
