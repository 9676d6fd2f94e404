--- The table of a study, beside means and deviations worked out by hand.

local summary = require "wrun.sweep.summary"

local function study(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = {
      options = { lr = row[1], seed = row[2] }, status = row[4] or "finished", message = row[5],
      values = { loss = row[3] },
    }
  end
  return {
    rows = list, groups = {}, effects = {},
    unfinished = function() return {} end,
  }
end

local function text(rows, options)
  local self = study(rows)
  summary.add(self, options or {})
  return summary.text(self), self
end

describe("the table of a study", function()
  it("has means and deviations over the seeds, the best, and what an option moves", function()
    local shown, self = text { { 0.1, 1, 1.0 }, { 0.1, 2, 2.0 }, { 0.1, 3, 6.0 }, { 1, 1, 5.0 } }
    assert.equal("lr   runs  loss\n0.1  3     3 ± 2.646  <- best loss\n1    1     5 ± 0\n"
      .. "lr moves loss by 2: 0.1 3, 1 5", shown)
    assert.equal(math.sqrt(7), self.best.deviation.loss) -- (4 + 1 + 9) / 2
    assert.equal("lr", self.effects[1].name)
  end)

  it("can look for what is large", function()
    local _, self = text({ { 0.1, 1, 1.0 }, { 1, 1, 5.0 } }, { maximize = "loss" })
    assert.equal(1, self.best.options.lr)
  end)

  it("leaves failed runs and NaN out of what is best", function()
    local shown, self = text { { 1, 1, 0 / 0 }, { 2, 1, nil, "failed", "no\nluck" }, { 3, 1, 9.0 } }
    assert.equal(3, self.best.options.lr)
    assert.matches("\n2   0     -\n", shown, 1, true)
    assert.matches("\nrun 2 (lr 2, seed 1) failed: no", shown, 1, true)
    assert.is_nil(shown:find("luck"))
  end)
end)
