--- The names of starts.

local verdict = require "wrun.nn.init.report.verdict"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

local function start_of(rule)
  wrun.manual_seed(1)
  local layer = nn.Linear(300, 200)
  rule(layer.weight)
  return verdict.start_of(init.report(layer, wrun.randn(5, 300)).calls[1])
end

describe("nn.init.report.verdict", function()
  it("knows starts by their spread", function()
    assert.equal("He", start_of(init.he_uniform_))
    assert.equal("He", start_of(function(w) init.kaiming_normal_(w, { nonlinearity = "relu" }) end))
    assert.equal("Xavier", start_of(init.xavier_normal_))
    assert.equal("LeCun", start_of(function(w) init.normal_(w, 0, 1 / math.sqrt(300)) end))
    assert.equal("PyTorch's default", start_of(function() end))
    assert.equal("N(0, 1^2)", start_of(function(w) init.normal_(w) end))
    assert.equal("zeros", start_of(init.zeros_))
    assert.equal("a constant", start_of(function(w) init.constant_(w, 0.3) end))
  end)
end)
