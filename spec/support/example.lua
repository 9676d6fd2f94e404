--- What the examples of the documentation may use, and where their output goes.

local wrun = require "wrun"

--- Runs an example of the documentation by itself and returns what it printed, or raises.
return function(name, text)
  local printed = {}
  local environment = setmetatable({
    wrun = wrun,
    nn = wrun.nn,
    optim = wrun.optim,
    data = wrun.data,
    rbm = wrun.rbm,
    dbn = wrun.dbn,
    image = wrun.image,
    plot = wrun.plot,
    gradcheck = wrun.gradcheck,
    assert = require "luassert",
    print = function(...)
      local words = table.pack(...)
      for i = 1, words.n do
        words[i] = tostring(words[i])
      end
      printed[#printed + 1] = table.concat(words, "\t")
    end,
  }, {
    __index = _G,
    __newindex = function(_, global)
      error("the example sets the global " .. global, 2)
    end,
  })
  assert(load(text, "=" .. name, "t", environment))()
  return table.concat(printed, "\n")
end
