--- Gathering functions in one table, and which of them are methods.

local publish = require "wrun.publish"

describe("publish.into", function()
  it("copies every field and returns the target", function()
    local target = { a = 1 }
    assert.equal(target, publish.into(target, { b = 2, c = 3 }))
    assert.same({ a = 1, b = 2, c = 3 }, target)
  end)

  it("refuses a name that is there for something else", function()
    local target = { a = print }
    local ok, text = pcall(publish.into, target, { a = tostring })
    assert.is_false(ok)
    assert.equal("publish: a: is there already", text)
    assert.same({ a = print, b = type }, publish.into(target, { a = print, b = type }))
  end)
end)

describe("publish.without_methods", function()
  it("marks functions that tensors do not get", function()
    local topic = { zeros = print, add = print }
    assert.equal(topic, publish.without_methods(topic, { "zeros" }))
    assert.is_false(publish.is_method(topic, "zeros"))
    assert.is_true(publish.is_method(topic, "add"))
    assert.is_true(publish.is_method({ add = print }, "add"))
  end)
end)
