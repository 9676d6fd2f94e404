--- Reports as text.

local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

describe("nn.init.report.text", function()
  it("is a table of layers, the network's figures, and the faults", function()
    wrun.manual_seed(1)
    local model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 4))
    local text = tostring(init.report(model, wrun.randn(40, 20), {
      target = wrun.randint(1, 5, { 40 }), try = 2, lr = 0.001,
    }))
    local lines = {}
    for line in text:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.truthy(lines[1]:find("^layer +weight +gain +singular +spread +shrinks|grows +theory"))
    assert.truthy(lines[2]:find("^1 Linear%(20 %-> 30%) .* %-+#%-+ .* good$"))
    assert.truthy(lines[3]:find("^2 ReLU "))
    assert.truthy(text:find("cost 1.%d+, knowing nothing costs ln 4 = 1.386"))
    assert.truthy(text:find("after 2 steps at rate 0.001 the cost is 1.%d+; from He it is"))
    assert.equal("no fault found", lines[#lines])
    assert.is_nil(text:find("saturated", 1, true)) -- a column that would say nothing
  end)

  it("marks a fault", function()
    local model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 4))
    init.constant_(model[1].weight, 1)
    init.zeros_(model[1].bias)
    assert.truthy(tostring(init.report(model, wrun.randn(40, 20))):find(
      "\n! the 30 units of 1 compute the same", 1, true))
  end)
end)
