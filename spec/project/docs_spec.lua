--- `make docs`: the input that is written for LDoc, and the pages that LDoc makes of it.

local child = require "spec.support.child"

local SUM = [[
--- Returns x with a dimension of size 1, which is dimension d of the result.
-- @function unsqueeze
-- @shapes x [a, b], d = 2 -&gt; [a, 1, b], a view
-- @domain any dtype; d from 1 to ndim + 1, or from the end
-- @raise <code>unsqueeze: argument 1: expected a tensor</code>; ]] .. [[
<code>unsqueeze: argument 2: expected a dimension</code>
-- @param x <code>wrun.Tensor</code>
-- @param d <code>integer</code>
-- @return <code>wrun.Tensor</code>
]]

describe("the reference for LDoc", function()
  local function generated(use)
    child.with_folder(function(folder)
      local result = child.run({ "scripts/docs/ldoc.lua", folder, folder .. "/pages" })
      assert.same({ out = "", err = "", status = 0 }, result)
      use(folder)
    end)
  end

  it("has a file for each part and each class", function()
    generated(function(folder)
      assert.matches(SUM, child.read(folder .. "/wrun.lua"), 1, true)
      assert.matches("@module nn.init\n", child.read(folder .. "/nn.init.lua"), 1, true)
      local adam = child.read(folder .. "/optim.Adam.lua")
      assert.matches("\n-- @classmod optim.Adam\n", adam, 1, true)
      assert.matches("\n-- <pre>\n--     m = beta1 m + (1 - beta1) g,", adam, 1, true)
      assert.matches("\n-- @function Adam\n", adam, 1, true)
      assert.matches("\n-- @function Linear:forward\n",
        child.read(folder .. "/nn.Linear.lua"), 1, true)
    end)
  end)

  it("becomes pages", function()
    if child.shell("command -v ldoc").status ~= 0 then
      pending("LDoc is not on this machine")
      return
    end
    generated(function(folder)
      local ldoc = ("ldoc --quiet --config %s/config.ld %s"):format(folder, folder)
      local result = child.shell(ldoc)
      assert.equal(0, result.status, result.err)
      assert.equal("", result.err)
      local page = child.read(folder .. "/pages/classes/optim.Adam.html")
      assert.matches("<strong>optim.Adam (params[, options])</strong>", page, 1, true)
      assert.matches("<h3>Raises:</h3>", page, 1, true)
      assert.matches('<a name = "unsqueeze"></a>', child.read(folder .. "/pages/modules/wrun.html"),
        1, true)
    end)
  end)
end)
