--- Base 64.

local base64 = require "wrun.base64"
local files = require "spec.support.files"

describe("wrun.base64", function()
  it("is what coreutils makes of the bytes", function()
    for length = 0, 70 do
      local bytes = {}
      for i = 1, length do
        bytes[i] = string.char((i * 97 + length * 31) % 256)
      end
      bytes = table.concat(bytes)
      local path = files.write(os.tmpname(), bytes)
      assert.equal(files.shell("base64 -w 0 " .. path), base64(bytes))
      os.remove(path)
    end
  end)
end)
