--- Rounds of work that a real SIGINT ends, each in a statement of a session, which takes one.

local testing = require("wrun.testing")
local wrun = require("wrun")

local nn, optim = wrun.nn, wrun.optim

local model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
local optimizer = optim.Adam(model:parameters())
local x, y, zero = wrun.rand(6, 4), wrun.rand(6, 1), wrun.zeros(1, { requires_grad = true })
local large = wrun.rand(200, 200)

local function iterate()
  wrun.no_grad(function()
    local _ <close> = wrun.fork_rng()
    coroutine.yield(wrun.rand(1))
    coroutine.yield(wrun.autograd.detect_anomaly(wrun.rand, 1))
  end)
end

local function train()
  local _ <close> = wrun.fork_rng()
  optimizer:zero_grad()
  local loss = nn.functional.mse_loss(model(x), y)
  loss:backward()
  optimizer:step()
end

local function work()
  train()
  wrun.fork_rng(wrun.enable_grad, wrun.autograd.detect_anomaly, train)
  do
    local _ <close> = wrun.no_grad()
    local _ <close> = wrun.enable_grad()
    local _ <close> = wrun.fork_rng()
    model(large:matmul(large)[{ { 1, 6 }, { 1, 4 } }] * 0)
  end
  for _ in coroutine.wrap(iterate) do
    coroutine.wrap(iterate)() -- and never again
  end
  testing.gradients(model[3], wrun.ones(1, 8))
  model:eval():summary(x)
  model:train()
end

--- What work may change only while it runs; the mode is its own matter.
local function state()
  local anomalies = not pcall(function()
    (zero:sqrt() * 0):sum():backward()
  end)
  local parts = { tostring(wrun.is_grad_enabled()), tostring(anomalies), wrun.initial_seed() }
  for _, module in ipairs(model:train():modules()) do
    parts[#parts + 1] = tostring(module._hooks)
    for _, parameter in ipairs(module:parameters()) do
      parts[#parts + 1] = parameter.dtype
    end
  end
  parts[#parts + 1] = table.concat(wrun.get_rng_state():tolist(), " ")
  return table.concat(parts, " ")
end

-- Has another process send SIGINT to this one after a while; returns what is to be closed. (Nobody
-- hears SIGINT in os.execute.)
local function press(seconds)
  return io.popen(("sleep %.4f; kill -INT $PPID"):format(seconds))
end

--- Works until a SIGINT comes, in every second round n at an instruction that depends on n, in the
--- others at any time. Returns "right", or what was wrong.
return function(n)
  local before, pressing = state(), nil
  local ok, message = pcall(function()
    if n % 2 == 0 then
      debug.sethook(function()
        debug.sethook()
        press(0):close()
      end, "", n * 7919 % 20011 + 1)
    else
      pressing = press(n % 50 / 10000)
    end
    while true do
      work()
    end
  end)
  if pressing then
    pressing:close()
  end
  if ok or not tostring(message):find("interrupted!", 1, true) then
    return "not interrupted: " .. tostring(message)
  end
  return before == state() and "right" or "something stayed changed"
end
