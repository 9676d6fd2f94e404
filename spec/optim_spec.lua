--- optim, as a part that knows no other.

describe("optim", function()
  local function modules_after(name)
    local saved = {}
    for module, value in pairs(package.loaded) do
      if module:match("^wrun%.nn") or module:match("^wrun%.optim") then
        saved[module] = value
        package.loaded[module] = nil
      end
    end
    for _ in pairs(require(name)) do
      assert.is_string(name) -- all of it is loaded
    end
    local loaded = {}
    for module in pairs(package.loaded) do
      loaded[#loaded + 1] = module:match("^wrun%.%l+") or nil
    end
    for module, value in pairs(saved) do
      package.loaded[module] = value
    end
    return table.concat(loaded, " ")
  end

  it("and nn do not know each other", function()
    assert.is_nil(modules_after("wrun.optim"):find("wrun.nn", 1, true))
    assert.is_nil(modules_after("wrun.nn"):find("wrun.optim", 1, true))
    assert.is_truthy(modules_after("wrun.nn"):find("wrun.nn", 1, true))
  end)
end)
