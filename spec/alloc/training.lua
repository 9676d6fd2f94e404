--- A small network, trained, saved and loaded; returns what a file of it holds.

return function(path)
  local wrun = require "wrun"
  local data, nn, optim = wrun.data, wrun.nn, wrun.optim
  wrun.manual_seed(1)
  local model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3))
  nn.init.xavier_uniform_(model[1].weight)
  local optimizer = optim.Adam(model:parameters(), { lr = 0.01 })
  local scheduler = optim.lr_scheduler.StepLR(optimizer, { step_size = 1 })
  local criterion = nn.CrossEntropyLoss()
  local set = { x = wrun.randn(8, 4), y = wrun.randint(1, 4, { 8 }) }
  local loader = data.loader(set, { batch_size = 4, shuffle = true })
  for _ = 1, 2 do
    for x, y in loader:batches() do
      optimizer:zero_grad()
      criterion(model(x), y):backward()
      nn.utils.clip_grad_norm_(model:parameters(), 1)
      optimizer:step()
    end
    scheduler:step()
  end
  wrun.save(path, { model = model:state_dict(), optimizer = optimizer:state_dict(), x = set.x })
  local saved = wrun.load(path)
  optimizer:load_state_dict(saved.optimizer)
  model:load_state_dict(saved.model)
  local right = wrun.no_grad(function()
    return model(saved.x):argmax(2):eq(set.y):float():mean():item()
  end)
  wrun.save(path, { model:state_dict(), right, tostring(model) }, { note = "a text" })
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end
