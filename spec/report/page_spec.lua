--- Parts of a page.

local page = require "wrun.report.page"

describe("a page", function()
  it("shows any text as it is", function()
    assert.equal("a &lt;b c=&quot;d&quot;&gt; &amp; &#39;e&#39; \\x1b é",
      page.text "a <b c=\"d\"> & 'e' \27 é")
    assert.equal("\\xff", page.text "\xff")
    assert.equal("7", page.text(7))
  end)

  it("has tables whose cells say what they sort by", function()
    local text = page.table({ "a" }, { { { html = "<b>1</b>", sort = 1.25 } }, { "<" }, {} })
    assert.matches('<td data-sort="1.25"><b>1</b></td>', text, 1, true)
    assert.matches('<td data-sort="&lt;">&lt;</td>', text, 1, true)
    assert.matches('<td data-sort=""></td>', text, 1, true)
  end)
end)
