--- Calls that must be refused, each in its own words.

local assert = require "luassert"
local refusal = require "spec.support.refusal"

--- Asserts that each call { want, f, arguments ... } is refused with the message it wants.
return function(calls)
  for _, call in ipairs(calls) do
    assert.equal(call[1], refusal(table.unpack(call, 2)))
  end
end
