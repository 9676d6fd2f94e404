--- Text as pixels: its size, its letters, and what has no letter.

local font = require "wrun.image.font"

-- A text as lines of # and dots.
local function lines(text, scale)
  local rows = font.draw(text, scale or 1):tolist()
  for y, row in ipairs(rows) do
    for x, value in ipairs(row) do
      row[x] = value == 1 and "#" or "."
    end
    rows[y] = table.concat(row)
  end
  return rows
end

describe("font", function()
  it("draws letters beside each other, with a column between them", function()
    assert.same({
      "#...#...#..",
      "#...#......",
      "#...#..##..",
      "#####...#..",
      "#...#...#..",
      "#...#...#..",
      "#...#..###.",
      "...........",
    }, lines("Hi"))
  end)

  it("has a size that is that of what it draws", function()
    for _, text in ipairs { "a", "Ankle boot", "-3.95", "é!" } do
      for scale = 1, 3 do
        local height, width = font.size(text, scale)
        assert.same({ height, width }, font.draw(text, scale).shape)
      end
    end
    assert.same({ 8, 0 }, { font.size("", 1) })
    assert.is_nil(font.draw("", 1))
  end)

  it("draws every character of ASCII differently, and none beyond its five columns", function()
    local seen = {}
    for code = 32, 126 do
      local text = table.concat(lines(string.char(code)), "\n")
      assert.is_nil(seen[text], string.char(code))
      seen[text] = true
      assert.equal(code ~= 32, text:find("#", 1, true) ~= nil)
    end
  end)

  it("draws a box for what it has no letter for, one a character", function()
    assert.same(lines("\127"), lines("é"))
    assert.same(lines("\127"), lines("\255"))
    assert.same({ 8, 17 }, font.draw("aéb", 1).shape)
  end)

  it("draws larger", function()
    local small, large = font.draw("g", 1), font.draw("g", 3)
    assert.is_true(large:reshape(8, 3, 5, 3):amax({ 2, 4 }):equal(small))
    assert.equal(9 * small:sum():item(), large:sum():item())
  end)
end)
