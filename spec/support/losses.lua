--- Walks over what losses refuse.

local assert = require "luassert"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local M = {}

--- Iterates over a table of { text, names of classes, options, arguments of forward ... }: what each
--- claims of each class, and the function that asserts it.
function M.each_refused(refused)
  return coroutine.wrap(function()
    for _, case in ipairs(refused) do
      local text, names, options = table.unpack(case)
      for _, name in ipairs(names) do
        coroutine.yield(("%s says: %s"):format(name, text), function()
          local loss = wrun.nn[name](options)
          assert.equal(name .. ": " .. text, refusal(loss, table.unpack(case, 4)))
        end)
      end
    end
  end)
end

return M
