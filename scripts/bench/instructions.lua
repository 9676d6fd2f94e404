--- What small things cost in instructions, which noise does not touch, as valgrind counts them.

local harness = require "harness"

-- Returns the instructions that a command takes, its output left out.
local function counted(command)
  local text = "OPENBLAS_NUM_THREADS=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "
    .. "%s 2>&1 >/dev/null"
  local pipe = assert(io.popen(text:format(command)))
  local output = pipe:read("a")
  pipe:close()
  return assert(math.tointeger(tonumber(output:match("Collected : (%d+)"))), output)
end

-- Returns what one turn of a script's loop takes: the script runs its argument's number of turns, all
-- of them after a whole collection, which else would come among them.
local function a_turn(script)
  local few, many = 1000, 5000
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  assert(file:write(script))
  file:close()
  local function total(turns)
    return counted(("%s --threads 1 %s %d"):format(harness.program, name, turns))
  end
  local cost = (total(many) - total(few)) / (many - few)
  os.remove(name)
  return cost
end

local SUM = [[
  local wrun = require "wrun"
  local a, b = wrun.randn(4, { requires_grad = %s }), wrun.randn(4)
  collectgarbage()
  for _ = 1, tonumber(arg[1]) do
    local _ = a + b
  end]]

local STEP = [[
  local wrun = require "wrun"
  local nn = wrun.nn
  local model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
  local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.01 })
  local criterion, x, y = nn.MSELoss(), wrun.randn(8, 4), wrun.randn(8, 1)
  collectgarbage()
  for _ = 1, tonumber(arg[1]) do
    optimizer:zero_grad()
    criterion(model(x), y):backward()
    optimizer:step()
  end]]

local CLASSIFYING = [[
  local wrun = require "wrun"
  local nn = wrun.nn
  local model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3))
  local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.01 })
  local criterion, x, y = nn.CrossEntropyLoss(), wrun.randn(4, 4), wrun.tensor { 1, 2, 3, 1 }
  collectgarbage()
  for _ = 1, tonumber(arg[1]) do
    optimizer:zero_grad()
    criterion(model(x), y):backward()
    optimizer:step()
  end]]

harness.heading("instructions")
harness.instructions('-e ""', counted(harness.program .. ' -e ""'), "9,000,000")
harness.instructions('require "wrun"', counted(harness.program .. [[ -e 'require "wrun"']]),
  "16,000,000")
harness.instructions("with a layer made",
  counted(harness.program .. [[ -e 'require("wrun").nn.Linear(1, 1)']]), "20,000,000")
harness.instructions("a + b of 4 floats", a_turn(SUM:format("false")), "1,800")
harness.instructions("a + b of 4 floats, for gradients", a_turn(SUM:format("true")), "3,500")
harness.instructions("training step of a 4-4-1 network", a_turn(STEP), "120,000")
harness.instructions("training step of a 4-4-3 classifier", a_turn(CLASSIFYING), "140,000")
