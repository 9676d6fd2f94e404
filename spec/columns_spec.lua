--- Cells in columns.

local columns = require "wrun.columns"

describe("wrun.columns", function()
  it("gives each column the width of its widest cell, and no blanks at the end", function()
    assert.same({
      "name  cost",
      "He    0.07",
      "x        1",
    }, columns({ { "name", "cost" }, { "He", "0.07" }, { "x", "1" } }, { true }))
    assert.same({ " 1  a", "10  bc" }, columns({ { "1", "a" }, { "10", "bc" } }, { [2] = true }))
    assert.same({}, columns({}, {}))
  end)
end)
