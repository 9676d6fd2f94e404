--- A small machine, trained, scored and drawn; returns what files of it hold.

return function(path)
  local wrun = require "wrun"
  wrun.manual_seed(1)
  local machine = wrun.rbm.new { visible = 9, hidden = 4, center = true }
  local x = wrun.bernoulli(wrun.full({ 12, 9 }, 0.5))
  machine:fit(x, { method = "pcd", k = 1, chains = 4, lr = 0.05, epochs = 2, batch_size = 6 })
  machine:fit(x, { method = "cd", k = 1, lr = 0.05, epochs = 1, batch_size = 6 })
  local z = machine:ais { chains = 4, steps = 10 }
  local score = machine:log_likelihood(x, z):mean():item()
  wrun.image.save(path, machine:chains(4):step(3):images(3, 3))
  local picture = wrun.image.load(path)
  wrun.data.save_npy(path, picture)
  wrun.save(path, { machine:state_dict(), score, wrun.data.npy(path) })
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end
