--- columns: tables of text.

local columns = require "wrun.columns"

describe("columns", function()
  local rows = { { "name", "count", "kind" }, { "a", "-", "x" }, { "long name", "-", "yy" } }

  it("makes each column as wide as it must be, on the left or on the right", function()
    assert.same({
      "name       count  kind",
      "a              -     x",
      "long name      -    yy",
    }, columns.align(rows, { true }))
  end)

  it("leaves out columns of '-', and blanks at the end, where that is asked for", function()
    assert.same({ "name       kind", "a          x", "long name  yy" },
      columns.align(rows, { true, [3] = true }, true))
  end)
end)
