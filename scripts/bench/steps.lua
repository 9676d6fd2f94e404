--- Takes as many training steps of a small network as the argument says, on batches of a loader.

local wrun = require "wrun"
local nn, optim, data = wrun.nn, wrun.optim, wrun.data

local loader = data.loader({ x = wrun.randn(1000, 16), y = wrun.randn(1000, 1) },
  { batch_size = 10, shuffle = true })
local model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
local criterion, optimizer = nn.MSELoss(), optim.Adam(model:parameters())
for _ = 1, tonumber(arg[1]) // #loader do
  for x, y in loader:batches() do
    optimizer:zero_grad()
    criterion(model(x), y):backward()
    optimizer:step()
  end
end
