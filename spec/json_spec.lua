--- json: text as JSON has it, beside Python's reader.

local child = require "spec.support.child"
local json = require "wrun.json"

describe("json.text", function()
  it("is read back by Python, whatever characters of ASCII it has", function()
    local all = {}
    for code = 0, 127 do
      all[#all + 1] = string.char(code)
    end
    local text = json.text(table.concat(all) .. "\u{e9}")
    local read = child.shell(
      [[python3 -c 'import json, sys; print(*map(ord, json.load(sys.stdin)))']], text)
    local codes = {}
    for code = 0, 127 do
      codes[#codes + 1] = code
    end
    codes[#codes + 1] = 0xe9
    assert.equal(table.concat(codes, " ") .. "\n", read.out)
  end)
end)
