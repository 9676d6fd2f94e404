--- Starts the default generator anew after each file of specs: what is drawn in one does not depend on
--- which others run, or in which order.

local busted = require "busted"

busted.subscribe({ "file", "end" }, function()
  local wrun = package.loaded.wrun -- each file loads its own
  if wrun then
    wrun.manual_seed(0)
  end
  return nil, true -- others hear of the end too
end)
