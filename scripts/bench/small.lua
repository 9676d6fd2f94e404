--- Small operations, where what is not arithmetic counts, beside PyTorch.

local harness = require "harness"
local wrun = require "wrun"

local ROUNDS = 15

local nn = wrun.nn

local four = wrun.rand(4)
local recorded = wrun.rand(4, { requires_grad = true })
local x, y = wrun.rand(4, 4), wrun.rand(4, 1)
local model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.001 })

-- name in torch_side.py, what it is, turns a round, what the ratio should be, the loop
local CASES = {
  { "add", "a + b of 4 floats", 100000, "<= 0.5", function(count)
    for _ = 1, count do
      local _ = four + four
    end
  end },
  { "recorded", "a + b of 4 floats, for gradients", 50000, "<= 0.6", function(count)
    for _ = 1, count do
      local _ = recorded + recorded
    end
  end },
  { "training_step", "training step of a 4-4-1 network", 1000, nil, function(count)
    for _ = 1, count do
      optimizer:zero_grad()
      local loss = (model(x) - y):square():mean()
      loss:backward()
      optimizer:step()
    end
  end },
  { "adam_step", "Adam's part of it", 2000, "<= 0.12", function(count)
    for _ = 1, count do
      optimizer:step()
    end
  end },
}

local torch = harness.torch()

harness.heading("small operations", "PyTorch")
for _, case in ipairs(CASES) do
  local name, what, count, aim, loop = table.unpack(case, 1, 5)
  local times = harness.take_turns(ROUNDS, {
    wrun = harness.each(loop, count),
    torch = torch and torch:asking("small", name, count),
  })
  harness.compare(what, times.wrun, times.torch, aim)
end

if torch then
  torch:close()
end
