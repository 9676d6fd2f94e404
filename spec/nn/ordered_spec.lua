--- Fields that remember the order of their assignment.

local ordered = require "wrun.nn.ordered"

local function keys_of(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  return keys
end

describe("an ordered table", function()
  it("walks its keys in the order of first assignment", function()
    local t = ordered.new()
    for _, key in ipairs({ "z", "a", 10, "m", 1 }) do
      t[key] = true
    end
    t.a = false
    assert.same({ "z", "a", 10, "m", 1 }, keys_of(t))
    assert.is_false(t.a)
  end)

  it("passes over what was set to nil, whose turn it keeps", function()
    local t = ordered.new()
    for _, key in ipairs({ "a", "b", "c" }) do
      t[key] = 1
    end
    t.b = nil
    assert.same({ "a", "c" }, keys_of(t))
    t.b = 4
    assert.same({ "a", "b", "c" }, keys_of(t))
  end)

  it("does not walk what is added on the way", function()
    local t = ordered.new()
    t.a = 1
    t.b = 2
    local count = 0
    for key in pairs(t) do
      count = count + 1
      t[key .. "!"] = count
    end
    assert.same({ "a", "b", "a!", "b!" }, keys_of(t))
  end)

  it("may be empty", function()
    assert.same({}, keys_of(ordered.new()))
  end)

  it("keeps its order to itself", function()
    local one, two = ordered.new(), ordered.new()
    one.a = 1
    two.b = 2
    assert.same({ "a" }, keys_of(one))
    assert.same({ "b" }, keys_of(two))
  end)
end)
